"""Conditions of a Node: which of them are trouble, which are news, and which nobody here knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import maps_at
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import seconds_between

# type: (what True means, what Unknown means). False is the opposite of True.
_JUDGED: dict[str, tuple[Status, Status]] = {
    "Ready": (Status.OK, Status.FAIL),
    "MemoryPressure": (Status.WARN, Status.UNKNOWN),
    "DiskPressure": (Status.WARN, Status.UNKNOWN),
    "PIDPressure": (Status.WARN, Status.UNKNOWN),
    "NetworkUnavailable": (Status.FAIL, Status.UNKNOWN),
}
_WHEN_FALSE = {"Ready": Status.FAIL}
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
# Somebody is working on the node; True is no failure (Kubernetes 1.36, k8s.io/api/core/v1).
WORK_IN_PROGRESS = (
    "GracefulNodeShutdownInProgress",
    "DrainInProgress",
    "Drained",
    "MaintenancePlanned",
    "MaintenanceInProgress",
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `judged` is None for a type that says nothing about health, or that is not known here."""

    type: str
    status: str
    reason: str
    message: str
    age: int | None  # seconds since it last changed
    judged: Status | None

    def to_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "sinceSeconds": self.age,
            "judged": self.judged.value if self.judged else None,
        }


def conditions(node: Object, snapshot: Snapshot) -> tuple[Condition, ...]:
    """All conditions of a node, Ready first, the others as the node lists them."""
    found = [
        Condition(
            str(item.get("type") or ""),
            str(item.get("status") or ""),
            str(item.get("reason") or ""),
            str(item.get("message") or ""),
            seconds_between(item.get("lastTransitionTime"), snapshot.now),
            judge(str(item.get("type") or ""), str(item.get("status") or "")),
        )
        for item in maps_at(node, "status", "conditions")
    ]
    return tuple(sorted(found, key=lambda c: c.type != "Ready"))


def judge(type_: str, status: str) -> Status | None:
    """What a condition says about the node's health."""
    known = _JUDGED.get(type_)
    if known is None:
        return None
    if status == "True":
        return known[0]
    if status == "False":
        return _WHEN_FALSE.get(type_, Status.OK)
    return known[1]
