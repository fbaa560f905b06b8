"""When a cluster is whole, by what its API answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kcompanion.cluster.mending import refuse_second, unwell
from kcompanion.errors import UsageError
from kcompanion.learn.answers import Request
from kcompanion.learn.mark import BREAKS

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=30)
STATIC = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
LABEL = {"node-role.kubernetes.io/control-plane": ""}


def item(name: str, ready: str = "True", labels: dict[str, str] | None = None) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name, "labels": labels or {}}, "status": {"conditions": conditions}}


def lease(name: str, age: int = 5) -> dict[str, Any]:
    renewed = (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    return {"metadata": {"name": name}, "spec": {"renewTime": renewed}}


def whole() -> dict[str, list[dict[str, Any]]]:
    return {
        "/nodes": [item("m", labels=LABEL), item("w")],
        "/pods": [item(f"{part}-m") for part in STATIC],
        "/namespaces/kube-node-lease/leases": [lease("m"), lease("w")],
        "/namespaces/kube-system/leases": [lease("kube-scheduler"), lease("kube-controller-manager")],
    }


def told(answers: dict[str, list[dict[str, Any]]]) -> list[str]:
    def ask(request: Request) -> tuple[int, Any]:
        found = [items for end, items in answers.items() if request.path.partition("?")[0].endswith(end)]
        return (200, {"items": found[0]}) if found else (0, {"message": "nobody"})

    return list(unwell(ask, SINCE))


def test_a_whole_cluster_is_well() -> None:
    assert told(whole()) == []


@pytest.mark.parametrize(
    ("break_", "said"),
    [
        (lambda a: a["/nodes"].__setitem__(1, item("w", "Unknown")), "node w is not Ready"),
        (lambda a: a["/namespaces/kube-node-lease/leases"].__setitem__(1, lease("w", 45)), "node w is not Ready"),
        (lambda a: a["/pods"].pop(0), "pod etcd-m is not Ready"),
        (lambda a: a["/pods"].__setitem__(3, item("kube-scheduler-m", "False")), "pod kube-scheduler-m is not Ready"),
        (lambda a: a["/namespaces/kube-system/leases"].pop(0), "nobody leads kube-scheduler"),
        (lambda a: a.pop("/nodes"), "the API server does not answer"),
    ],
    ids=["unknown", "silent", "no_pod", "unready_pod", "no_leader", "no_answer"],
)
def test_what_is_wrong_is_named(break_: Callable[[dict[str, Any]], Any], said: str) -> None:
    answers = whole()
    break_(answers)
    assert told(answers) == [said]


def spaces(*items: dict[str, Any]) -> Callable[[Request], tuple[int, Any]]:
    def ask(request: Request) -> tuple[int, Any]:
        assert request.path == f"/api/v1/namespaces?labelSelector={BREAKS}"
        return 200, {"items": list(items)}

    return ask


def breaking(name: str, lesson: str = "node-failure", **metadata: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {BREAKS: lesson}, **metadata}}


def test_a_second_lesson_that_breaks_nodes_is_refused() -> None:
    with pytest.raises(
        UsageError, match="the lesson node-failure is breaking nodes of this cluster, in theirs"
    ) as told:
        refuse_second(spaces(breaking("theirs")))
    assert "learn cleanup" in told.value.hint
    with pytest.raises(UsageError):
        refuse_second(spaces(breaking("ours", "etcd-quorum"), breaking("theirs")), "ours")


def test_a_lesson_that_is_through_with_the_nodes_is_no_hindrance() -> None:
    refuse_second(spaces())
    refuse_second(spaces(breaking("ours"), breaking("past", deletionTimestamp="2026-11-28T12:00:00Z")), "ours")
    refuse_second(lambda _: (0, {"message": "nobody answers"}))
