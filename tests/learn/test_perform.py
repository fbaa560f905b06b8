"""Performing: acts in their order, claims by the answers, and every way not to succeed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompanion.learn.answers import Exchange, Request
from kcompanion.learn.conditions import gone
from kcompanion.learn.lesson import Act, Claim, Hold, Lesson, Pick, Send, Step, Undo, Until, Wait
from kcompanion.learn.mark import LESSON, marked
from kcompanion.learn.perform import perform, plan
from kcompanion.learn.protocol import Judgement, Run, Setting

SETTING = Setting("abc", "shop", own=True, image="img")


class Bench:
    """Answers by path, and keeps in order what was asked and noted."""

    def __init__(self, answers: dict[str, tuple[int, Any]], *, held: bool = True) -> None:
        self.answers = answers
        self.held = held
        self.log: list[str] = []
        self.requests: list[Request] = []

    def send(self, name: str, request: Request, *, managed: bool) -> Exchange:
        self.log.append(f"{request.method} {request.path}")
        self.requests.append(request)
        status, body = self.answers.get(request.path, (404, {"message": "not found"}))
        return Exchange(name, request, status, body, 5, held=self.held)

    def wait(self, name: str, request: Request, until: Until, seconds: float, *, managed: bool) -> Exchange:
        return self.send(name, request, managed=managed)

    hold = wait

    def note(self, undo: Undo) -> None:
        self.log.append(f"note {undo.method} {undo.path}")


class Silent:
    def began(self, number: int, step: Step) -> None: ...
    def asked(self, act: Send | Wait | Hold, exchange: Exchange) -> None: ...
    def judged(self, judgement: Judgement) -> None: ...


def lesson(*acts: Act, claims: tuple[Claim, ...] = ()) -> Lesson:
    return Lesson("conflict", 1, (Step("read", acts, claims), Step("first", ())))


def ran(one: Lesson, bench: Bench) -> Run:
    return perform(one, SETTING, bench, Silent())


def claim(held: Callable[[Any], Any], **more: Any) -> Claim:
    return Claim("same_version", held, **more)


def test_later_requests_use_earlier_answers() -> None:
    bench = Bench({"/a": (200, {"name": "x"}), "/b/x/shop": (200, {})})
    run = ran(lesson(Send("a", "GET", "/a"), Send("b", "GET", "/b/{a.name}/{ns}")), bench)
    assert bench.log == ["GET /a", "GET /b/x/shop"]
    assert run.shown
    assert len(run.steps) == 2


def test_an_unexpected_status_ends_the_lesson() -> None:
    bench = Bench({"/a": (200, {})})
    run = ran(lesson(Send("a", "GET", "/a", status=(409,)), Send("b", "GET", "/b")), bench)
    assert bench.log == ["GET /a"]
    assert not run.shown
    assert run.failure is not None
    assert run.failure.id == "learn.failed.status"


def test_what_does_not_come_ends_the_lesson() -> None:
    run = ran(lesson(Wait("a", "/a", gone())), Bench({"/a": (200, {})}, held=False))
    assert run.failure is not None
    assert run.failure.id == "learn.failed.wait"
    run = ran(lesson(Hold("a", "/a", gone())), Bench({"/a": (200, {})}, held=False))
    assert run.failure is not None
    assert run.failure.id == "learn.failed.hold"


def test_a_request_that_cannot_be_made_ends_the_lesson() -> None:
    bench = Bench({"/a": (200, {})})
    run = ran(lesson(Send("a", "GET", "/a"), Send("b", "GET", "/b/{a.name}")), bench)
    assert bench.log == ["GET /a"]
    assert run.failure is not None
    assert run.failure.id == "learn.failed.missing"
    run = ran(lesson(Pick("x", lambda a: a["nobody"])), bench)
    assert run.failure is not None


def test_a_claim_is_held_only_by_a_whole_proof() -> None:
    bench = Bench({"/a": (200, {"n": 1})})
    act = Send("a", "GET", "/a")
    assert ran(lesson(act, claims=(claim(lambda a: a["a"]["n"] == 1),)), bench).shown
    assert not ran(lesson(act, claims=(claim(lambda a: a["a"]["n"] == 2),)), bench).shown
    run = ran(lesson(act, claims=(claim(lambda a: a["a"]["missing"]["deep"], shows=("a.n", "a.missing")),)), bench)
    assert not run.shown
    [judgement] = run.steps[0].claims
    assert judgement.told.id == "learn.unproved"
    assert judgement.evidence == (("a.n", "1"), ("a.missing", "null"))


def test_the_way_back_is_noted_before_the_change() -> None:
    bench = Bench({"/nodes/n1": (200, {}), "/n": (200, {"name": "n1"})})
    change = Send("b", "PATCH", "/nodes/{n.name}", {"x": 1}, undo=Undo("PATCH", "/nodes/{n.name}", {"x": None}))
    ran(lesson(Send("n", "GET", "/n"), change), bench)
    assert bench.log == ["GET /n", "note PATCH /nodes/n1", "PATCH /nodes/n1"]


def test_what_is_made_carries_the_label() -> None:
    body = {"kind": "CronJob", "metadata": {"name": "x"}, "spec": {"jobTemplate": {"spec": {"template": {"spec": {}}}}}}
    made = marked(body, "abc")
    label = {"labels": {LESSON: "abc"}}
    assert made["metadata"] == {"name": "x", **label}
    assert made["spec"]["jobTemplate"]["metadata"] == label
    assert made["spec"]["jobTemplate"]["spec"]["template"]["metadata"] == label
    bench = Bench({"/a": (201, {})})
    ran(lesson(Send("a", "POST", "/a", {"metadata": {"name": "x"}}, (201,))), bench)
    assert bench.requests[0].body["metadata"]["labels"] == {LESSON: "abc"}


def test_a_plan_names_what_only_answers_can_tell() -> None:
    one = lesson(Send("a", "GET", "/{ns}"), Pick("p", lambda a: 1), Send("b", "DELETE", "/b/{a.name}"))
    [(_, acts), _] = plan(one, SETTING)
    assert [(act.name, request.path) for act, request in acts] == [("a", "/shop"), ("b", "/b/<a.name>")]
