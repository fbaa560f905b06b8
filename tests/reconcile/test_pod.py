"""Slim pods: what they keep, and that nothing odd stops them.

Among them the cases of TestActivePodFiltering and TestCountTerminatingPods in pkg/controller (Kubernetes, Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kcompanion.reconcile.moments import SECOND, api_time, nanoseconds
from kcompanion.reconcile.owner import replicaset_of
from kcompanion.reconcile.pod import ControllerRef, deletion_cost, pod_of
from kcompanion.reconcile.target import BUILT_IN

POD: dict[str, Any] = {
    "metadata": {
        "namespace": "shop",
        "name": "web-1",
        "uid": "u1",
        "resourceVersion": "77",
        "labels": {"app": "web"},
        "creationTimestamp": "1970-01-01T00:00:10Z",
        "annotations": {"controller.kubernetes.io/pod-deletion-cost": "-3"},
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "x"},
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": True},
        ],
    },
    "spec": {"nodeName": "n1", "initContainers": [{"name": "mesh", "restartPolicy": "Always"}, {"name": "once"}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "1970-01-01T00:00:20Z"}],
        "containerStatuses": [{"name": "a", "restartCount": 1}, {"name": "b", "restartCount": 4}],
        "initContainerStatuses": [{"name": "mesh", "restartCount": 2}, {"name": "once", "restartCount": 9}],
    },
}


def test_what_decides_is_kept() -> None:
    pod = pod_of(POD)
    assert (pod.namespace, pod.name, pod.uid, pod.version, pod.node, pod.phase) == (
        "shop",
        "web-1",
        "u1",
        77,
        "n1",
        "Running",
    )
    assert pod.controller == ControllerRef("apps/v1", "ReplicaSet", "web", "rs")
    assert (pod.ready, pod.ready_since, pod.created) == (True, 20 * SECOND, 10 * SECOND)
    assert (pod.restarts, pod.sidecar_restarts, pod.deletion_cost) == (4, 2, -3)
    assert pod.active
    assert not pod.terminating


@pytest.mark.parametrize(
    ("phase", "deleting", "active", "terminating"),
    [
        ("Succeeded", False, False, False),
        ("Failed", False, False, False),
        ("Pending", True, False, True),
        ("Running", True, False, True),
        ("Failed", True, False, False),
        ("Running", False, True, False),
        ("", False, True, False),
    ],
)
def test_active_are_those_that_have_not_ended_and_are_not_going(
    phase: str, deleting: bool, active: bool, terminating: bool
) -> None:
    going = {"deletionTimestamp": "1970-01-01T00:00:30Z"} if deleting else {}
    found = pod_of({"metadata": {**POD["metadata"], **going}, "status": {"phase": phase}})
    assert (found.active, found.terminating) == (active, terminating)


def test_pods_of_one_replicaset_share_their_labels() -> None:
    assert pod_of(POD).labels is pod_of(POD | {"status": {}}).labels


COSTS: dict[str | None, int] = {
    **dict.fromkeys(("+10", "008", "1.5", "", "2147483648", "-2147483649", "9" * 5000, None), 0),
    "10": 10,
    "-10": -10,
    "0": 0,
    "-08": -8,
    "2147483647": 2147483647,
    "-2147483648": -2147483648,
}


@pytest.mark.parametrize(("text", "cost"), COSTS.items())
def test_deletion_cost_is_read_as_by_the_built_in_controller(text: object, cost: int) -> None:
    assert deletion_cost(text) == cost


def odd_ones(item: Any, odd: object) -> Iterator[Any]:
    """The object with one part after the other replaced."""
    yield odd
    if isinstance(item, dict):
        yield from ({**item, key: other} for key, value in item.items() for other in odd_ones(value, odd))
    if isinstance(item, list):
        yield from (
            [*item[:i], other, *item[i + 1 :]] for i, value in enumerate(item) for other in odd_ones(value, odd)
        )


OWNER: dict[str, Any] = {
    "metadata": POD["metadata"] | {"generation": 3, "deletionTimestamp": "1970-01-01T00:00:30Z"},
    "spec": {
        "replicas": 3,
        "minReadySeconds": 4,
        "selector": {
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}],
        },
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}},
    },
    "status": {"replicas": 2, "conditions": [{"type": "ReplicaFailure"}]},
}


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 5000])
def test_an_odd_version_is_none(version: str) -> None:
    assert pod_of({"metadata": {"resourceVersion": version}}).version == 0


@pytest.mark.parametrize("odd", [None, True, -1, 1.5, "", "x", [], ["x"], {}, {"x": None}, [{"key": []}]], ids=repr)
def test_nothing_odd_stops_the_reading(odd: object) -> None:
    owner = replicaset_of(BUILT_IN, OWNER)
    for item in odd_ones(POD, odd):
        pod = pod_of(item)
        assert owner.selects(pod.labels) in (True, False)
        hash(pod.controller)
    for item in odd_ones(OWNER, odd):
        other = replicaset_of(BUILT_IN, item)
        assert other.selects({"app": "web"}) in (True, False)
        assert isinstance(other.replicas + other.min_ready_seconds + other.generation, int)


def test_times_go_and_return() -> None:
    assert api_time(nanoseconds("2026-11-21T06:30:00Z")) == "2026-11-21T06:30:00Z"
    assert nanoseconds("2026-11-21T06:30:00.25Z") - nanoseconds("2026-11-21T06:30:00Z") == SECOND // 4
    assert nanoseconds("yesterday") == nanoseconds("") == 0
