"""Revisions, what changed, arithmetic of roll-outs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kcompanion.model.refs import ref_of
from kcompanion.model.resources import PODS
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report import trace_rollout as report
from kcompanion.report.document import Document
from kcompanion.report.trace import generic
from kcompanion.trace.rollout import KINDS, REVISION, Rollout, rollout, share
from kcompanion.trace.templates import changes
from tests.explain.casebook import subjects, world_of
from tests.trace.build import event, meta, owner, pod, world

FOLDER = Path(__file__).parents[1] / "explain" / "cases"
# Written by hand; the recorded ones are whole clusters, of which a few are enough.
CASES = [*sorted(FOLDER.glob("*/positive*.yaml"))[::4], *sorted(FOLDER.glob("*/positive*.kcr"))[::20]]


def template(image: str = "web:1", **container: Any) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": image, **container}]},
    }


def keeper(name: str, revision: int, replicas: int, made: dict[str, Any]) -> dict[str, Any]:
    labels = {"pod-template-hash": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta(name)
        | {"ownerReferences": owner("Deployment", "web"), "annotations": {REVISION: str(revision)}},
        "spec": {"replicas": replicas, "template": {**made, "metadata": {"labels": {"app": "web", **labels}}}},
        "status": {"readyReplicas": 0},
    }


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta("web") | {"generation": 2, "annotations": {REVISION: "2"}},
        "spec": {
            "replicas": 4,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        },
        "status": {"observedGeneration": 2, "replicas": 5, "updatedReplicas": 2, "availableReplicas": 3} | status,
    }


def running(*more: dict[str, Any], **status: Any) -> Rollout:
    item = deployment(**status)
    old, new = keeper("web-a", 1, 3, template()), keeper("web-b", 2, 2, template("web:2"))
    waits = pod("web-b-1", up=False, metadata={"ownerReferences": owner("ReplicaSet", "web-b")})
    return rollout(item, "Deployment", world(item, old, new, waits, *more))


def test_revisions_and_what_changed() -> None:
    found = running()
    assert [(one.number, one.keeper, one.current) for one in found.revisions] == [
        (1, "web-a", False),
        (2, "web-b", True),
    ]
    assert [(c.path, c.before, c.after) for c in found.changes_of(1)] == [
        ("spec.containers[web].image", "web:1", "web:2")
    ]
    assert found.changes_of(0) == ()


def test_where_it_stands_and_what_it_waits_for() -> None:
    found = running()
    assert (found.bounds.most, found.bounds.fewest) == (5, 3)
    assert found.blocking == ("web-b-1",)
    assert not found.stand.complete
    assert report.verdict(found).id == "trace.rollout.running"
    assert "trace.rollout.waits_for" in [told.id for told in report.stands(found)]


def test_a_finished_one_waits_for_nothing() -> None:
    found = running(replicas=4, updatedReplicas=4, availableReplicas=4)
    assert report.verdict(found).id == "trace.rollout.complete"
    assert [told.id for told in report.stands(found)] == ["trace.rollout.counts", "trace.rollout.bounds"]


def test_a_change_that_nobody_has_seen_yet() -> None:
    assert report.verdict(running(observedGeneration=1)).id == "trace.rollout.unseen"


@pytest.mark.parametrize(
    ("message", "before", "after"),
    [
        ("Scaled up replica set web-b from 0 to 2", 0, 2),
        ("Scaled down replica set web-b to 2 from 3", 3, 2),
        ("Scaled up replica set web-b to 2", None, 2),
    ],
)
def test_steps_are_read_in_the_words_of_every_version(message: str, before: int | None, after: int) -> None:
    told = event("web", "ScalingReplicaSet", 5, message, kind="Deployment")
    [scaling] = running(told).scalings
    assert (scaling.keeper, scaling.before, scaling.after) == ("web-b", before, after)


@pytest.mark.parametrize(
    ("value", "up", "count"), [("25%", True, 3), ("25%", False, 2), (2, True, 2), ("0%", True, 0), ("x", True, 0)]
)
def test_shares_round_as_the_controller_rounds(value: object, up: bool, count: int) -> None:
    assert share(value, 10, up=up) == count


def test_values_of_environment_variables_are_never_told() -> None:
    before = template(env=[{"name": "PASS", "value": "first-secret"}, {"name": "GONE", "value": "secret"}])
    after = template(env=[{"name": "PASS", "value": "other-secret"}, {"name": "NEW", "value": "secret"}])
    found = changes(before, after)
    assert [(c.path, c.hidden) for c in found] == [
        ("spec.containers[web].env[PASS].value", True),
        ("spec.containers[web].env[GONE]", False),
        ("spec.containers[web].env[NEW]", False),
    ]
    told = str([c.to_json() for c in found])
    assert "secret" not in told


def test_the_hash_is_no_change() -> None:
    one = {"metadata": {"labels": {"pod-template-hash": "a"}}, "spec": {}}
    other = {"metadata": {"labels": {"pod-template-hash": "b"}, "creationTimestamp": None}, "spec": {}}
    assert changes(one, other) == ()


def test_a_statefulsets_revisions_are_controller_revisions() -> None:
    item = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta("db") | {"generation": 1},
        "spec": {"replicas": 2},
        "status": {
            "observedGeneration": 1,
            "replicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "currentReplicas": 2,
            "currentRevision": "db-2",
            "updateRevision": "db-2",
        },
    }
    kept = [
        {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": meta(f"db-{n}") | {"ownerReferences": owner("StatefulSet", "db")},
            "revision": n,
            "data": {"spec": {"template": template(f"db:{n}")}},
        }
        for n in (2, 1)
    ]
    found = rollout(item, "StatefulSet", world(item, *kept))
    assert [(one.number, one.current, one.pods) for one in found.revisions] == [(1, False, 0), (2, True, 2)]
    assert found.stand.complete
    assert len(found.changes_of(1)) == 1


def test_a_daemonsets_pods_are_counted_by_revision() -> None:
    item = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta("agent"), "spec": {}, "status": {}}
    kept = [
        {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": meta(f"agent-{mark}") | {"ownerReferences": owner("DaemonSet", "agent")},
            "revision": number,
            "data": {"spec": {"template": template(f"agent:{number}")}},
        }
        for number, mark in ((1, "old"), (2, "new"))
    ]
    ties = {"ownerReferences": owner("DaemonSet", "agent")}
    pods = [
        pod(f"agent-{n}", metadata=ties | {"labels": {"controller-revision-hash": mark}})
        for n, mark in enumerate(("old", "new", "new"))
    ]
    found = rollout(item, "DaemonSet", world(item, *kept, *pods))
    assert [(one.number, one.pods) for one in found.revisions] == [(1, 1), (2, 2)]
    readings = {k: v for k, v in world(item, *kept).snapshot.readings.items() if v.ask.resource != PODS}
    unread = rollout(item, "DaemonSet", World(Snapshot(world(item).now, readings=readings)))
    assert [(one.number, one.pods) for one in unread.revisions] == [(1, None), (2, None)]
    assert "pods" in [gap.resource for gap in unread.gaps]


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_workload_of_every_case_can_be_told_in_both_languages(file: Path) -> None:
    seen = world_of(file)
    for item, kind in subjects(seen):
        if kind in KINDS:
            found = rollout(item, kind, seen)
            told = [*report.sections(found, explain=True), *generic(item, ref_of(item, kind), [], explain=True)]
            for language in ("en", "ko"):
                assert render(Document(verdict=report.verdict(found), sections=told), Screen(language=language))
