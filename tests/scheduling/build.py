"""Nodes, pods and the World they are in, for the tests of the scheduling predicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcompanion.model.world import World
from kcompanion.scheduling.placement import PREDICATES, place
from kcompanion.scheduling.result import Fit, Result
from tests.explain.casebook import world_from

ROOMY = {"cpu": "100", "memory": "100Gi", "pods": "110", "ephemeral-storage": "100Gi"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def node(
    name: str,
    labels: dict[str, str] | None = None,
    *,
    taints: Sequence[dict[str, str]] = (),
    room: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": list(taints), **spec},
        "status": {"allocatable": room or ROOMY},
    }


def pod(
    name: str = "p",
    *,
    on: str = "",
    labels: dict[str, str] | None = None,
    namespace: str = "default",
    requests: dict[str, str] | None = None,
    leaving: bool = False,
    **spec: Any,
) -> dict[str, Any]:
    containers = [{"name": "app", "resources": {"requests": requests or {}}}]
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": labels or {}}
    if leaving:
        metadata["deletionTimestamp"] = "2026-11-21T12:00:00Z"
    where = {"nodeName": on} if on else {}
    status = {"phase": "Running", "startTime": "2026-11-21T11:00:00Z"} if on else {"phase": "Pending"}
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": containers, **where, **spec},
        "status": status,
    }


def world(*objects: dict[str, Any]) -> World:
    return world_from(list(objects))


def results(incoming: dict[str, Any], *objects: dict[str, Any], predicate: str) -> dict[str, Result]:
    """What one predicate says of a pod, by node."""
    assert predicate in dict(PREDICATES)
    placement = place(incoming, world(*objects, incoming))
    return {
        verdict.node: result
        for verdict in placement.verdicts
        for result in verdict.results
        if result.predicate == predicate
    }


def fitting(incoming: dict[str, Any], *objects: dict[str, Any], predicate: str) -> set[str]:
    """The nodes that one predicate takes."""
    found = results(incoming, *objects, predicate=predicate)
    return {name for name, result in found.items() if result.fit is Fit.FITS}


def kinds(incoming: dict[str, Any], *objects: dict[str, Any], predicate: str) -> dict[str, list[str]]:
    """The kinds of misses of one predicate, by node."""
    found = results(incoming, *objects, predicate=predicate)
    return {name: [miss.kind for miss in result.misses] for name, result in found.items()}
