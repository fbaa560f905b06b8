"""How much is told of one object, of a few, and of many."""

from __future__ import annotations

import copy
from dataclasses import replace

from kcompanion.explain.judge import judge
from kcompanion.model.finding import Severity, Status
from kcompanion.model.refs import Ref
from kcompanion.report import explain as report
from kcompanion.report.explain import Answered, Explained
from tests.report.objects import item, printed, shop


def explained(count: int) -> list[Explained]:
    world = shop()
    pod = item(world, "Pod", "web-2-abc")
    made = []
    for number in range(count):
        one = copy.deepcopy(pod)
        one["metadata"]["name"] = f"web-2-{number}"
        made.append(Explained(one, judge(one, "Pod", world)))
    return made


def test_many_with_one_cause_are_told_once() -> None:
    answered = Answered(explained(500))
    causes = report.shared(answered.explained)
    assert len(causes) == 1
    assert len(causes[0].affected) == 500
    text = printed(report.many(answered, shop(), wide=False))
    assert len(text.splitlines()) < 70
    assert "and 470 more" in text


def test_short_is_one_line_each() -> None:
    text = printed(report.short(Answered(explained(500))))
    assert len(text.splitlines()) == 502
    assert "CrashLoopBackOff" in text


def test_objects_with_one_cause_are_alike() -> None:
    two = [(one.item, one.verdict) for one in explained(2)]
    assert report.alike(two)
    assert not report.alike(two[:1])


def test_evidence_of_the_object_itself_does_not_repeat_its_name() -> None:
    (one,) = explained(1)
    text = printed(report.sections(one.verdict, one.item, shop(), wide=False, lessons=False))
    assert "· status.containerStatuses[helper]" in text
    assert "· Pod default/web-2-0" not in text


def test_remarks_beside_a_cause_are_short_unless_all_is_asked_for() -> None:
    note = replace(explained(1)[0].verdict.findings[0], severity=Severity.INFO)
    assert report.briefly(note).evidence == ()
    assert report.briefly(note).message == note.message


def test_what_a_manifest_names_and_is_not_there_fails() -> None:
    answered = Answered((), [Ref("Pod", "gone", "shop")])
    assert answered.status is Status.FAIL
    assert "Pod shop/gone does not exist" in printed(report.absent(answered.absent, manifest=True))


def test_json_has_the_word_the_containers_and_the_controller() -> None:
    (one,) = explained(1)
    told = one.to_json()
    assert (told["statusWord"], told["controlledBy"], told["phase"]) == (
        "CrashLoopBackOff",
        "ReplicaSet web-2",
        "Running",
    )
    assert told["containers"][1]["lastSignal"] == "SIGKILL"
