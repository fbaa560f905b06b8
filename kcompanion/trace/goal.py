"""When an object that was created is as it should be: what `trace run` waits for."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from kcompanion.model.fields import condition, map_at, text_at
from kcompanion.model.snapshot import Object


class Goal(StrEnum):
    """How far it is."""

    PENDING = "pending"
    READY = "ready"
    DONE = "done"  # it did its work and ended
    FAILED = "failed"  # it will not become ready by itself


def goal_of(kind: str, item: Object) -> Goal:
    """How far an object of that kind is; kinds that nothing has to become of are READY from the start."""
    judge = _GOALS.get(kind)
    return judge(item) if judge is not None else Goal.READY


def _pod(item: Object) -> Goal:
    phase = text_at(item, "status", "phase")
    if phase == "Succeeded":
        return Goal.DONE
    if phase == "Failed":
        return Goal.FAILED
    return Goal.READY if condition(item, "Ready").get("status") == "True" else Goal.PENDING


def _job(item: Object) -> Goal:
    if condition(item, "Complete").get("status") == "True":
        return Goal.DONE
    return Goal.FAILED if condition(item, "Failed").get("status") == "True" else Goal.PENDING


def _counting(field: str) -> Callable[[Object], Goal]:
    def judge(item: Object) -> Goal:
        wanted = map_at(item, "spec").get("replicas", 1)
        return Goal.READY if _observed(item) and _number(item, field) >= wanted else Goal.PENDING

    return judge


def _daemonset(item: Object) -> Goal:
    wanted = map_at(item, "status").get("desiredNumberScheduled")
    enough = isinstance(wanted, int) and _number(item, "numberReady") >= wanted
    return Goal.READY if _observed(item) and enough else Goal.PENDING


def _observed(item: Object) -> bool:
    """Whether the controller has seen the latest spec: counts of an older one mean nothing."""
    seen, written = map_at(item, "status").get("observedGeneration"), map_at(item, "metadata").get("generation")
    return isinstance(seen, int) and isinstance(written, int) and seen >= written


def _number(item: Object, field: str) -> int:
    value = map_at(item, "status").get(field)
    return value if isinstance(value, int) else 0


_GOALS: dict[str, Callable[[Object], Goal]] = {
    "Pod": _pod,
    "Job": _job,
    "Deployment": _counting("availableReplicas"),
    "ReplicaSet": _counting("readyReplicas"),
    "StatefulSet": _counting("readyReplicas"),
    "ReplicationController": _counting("readyReplicas"),
    "DaemonSet": _daemonset,
}
