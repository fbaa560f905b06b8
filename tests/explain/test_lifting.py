"""Whose children speak for it: what an object still wants, not what is left of earlier times."""

from typing import Any

import pytest

from kcompanion.explain.lifting import finished, revision, speaking
from kcompanion.explain.rules.backends import selected
from kcompanion.explain.rules.shortage import Shortage, short, shortage
from tests.explain.casebook import world_from

REVISION = "deployment.kubernetes.io/revision"


def replicaset(name: str, replicas: int, rev: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": {REVISION: rev}}, "spec": {"replicas": replicas}}


OLD, NEW, LEFT = replicaset("old", 0, "1"), replicaset("new", 0, "3"), replicaset("left", 1, "2")


@pytest.mark.parametrize(
    ("replicas", "told"),
    [(2, [NEW, LEFT]), (0, [])],
)
def test_a_deployment_speaks_for_replicasets_it_wants(replicas: int, told: list[Any]) -> None:
    assert list(speaking({"spec": {"replicas": replicas}}, "Deployment", [OLD, NEW, LEFT])) == told


@pytest.mark.parametrize(
    ("job", "speaks"),
    [
        ({}, True),
        ({"status": {"conditions": [{"type": "Failed", "status": "True"}]}}, True),
        ({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}, False),
        ({"spec": {"suspend": True}}, False),
    ],
)
def test_a_job_that_succeeded_is_over_its_failed_pods(job: dict[str, Any], speaks: bool) -> None:
    pod = {"metadata": {"name": "work-x"}}
    assert bool(speaking(job, "Job", [pod])) is speaks


def test_a_cronjob_speaks_for_its_latest_and_its_running_jobs() -> None:
    jobs = [
        {"metadata": {"name": f"n-{day}", "uid": f"u{day}", "creationTimestamp": f"2026-11-{day}T03:00:00Z"}}
        for day in (19, 20, 21)
    ]
    assert speaking({"status": {}}, "CronJob", jobs) == jobs[2:]
    assert speaking({"status": {"active": [{"uid": "u19"}]}}, "CronJob", jobs) == [jobs[0], jobs[2]]


def test_what_is_no_revision_or_end_is_none() -> None:
    assert revision(replicaset("x", 1, "no number")) == 0
    assert finished({"status": {"conditions": [{"type": "Complete", "status": "False"}]}}) == ""


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"kind": "ReplicaSet", "spec": {"replicas": 3}, "status": {"replicas": 1}}, Shortage(1, 3)),
        ({"kind": "StatefulSet", "spec": {}, "status": {}}, Shortage(0, 1)),
        ({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 3}}, Shortage(3, 3)),
        ({"kind": "Job", "spec": {"parallelism": 4, "completions": 5}, "status": {"succeeded": 3}}, Shortage(0, 2)),
        ({"kind": "Job", "spec": {"parallelism": 4}, "status": {"succeeded": 1}}, Shortage(0, 0)),
        ({"kind": "Job", "spec": {"suspend": True}}, Shortage(0, 0)),
        ({"kind": "ReplicaSet", "metadata": {"deletionTimestamp": "2026-11-21T00:00:00Z"}}, Shortage(0, 0)),
    ],
)
def test_shortage_counts_what_is_wanted_now(item: dict[str, Any], told: Shortage) -> None:
    assert shortage(item) == told


def test_long_words_are_cut_and_kept_on_one_line() -> None:
    assert short("a\n  b") == "a b"
    assert len(short("x" * 999)) == 240


def test_pods_are_found_by_all_their_labels() -> None:
    pods = [
        {"kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": {}, "status": {}}
        for name, labels in (("a", {"app": "web", "tier": "x"}), ("b", {"app": "web"}), ("c", {"tier": "x"}))
    ]
    world = world_from(pods)
    assert [pod.name for pod in selected(world, "default", {"app": "web", "tier": "x"})] == ["a"]
    assert [pod.name for pod in selected(world, "default", {"app": "web"})] == ["a", "b"]
    assert list(selected(world, "other", {"app": "web"})) == []
