"""What one sync saw, decided and got for an answer: the whole of it, so that it can be told to a person.

JSON is bounded: of long lists the first entries and the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kcompanion.reconcile.expectations import Pending
from kcompanion.reconcile.moments import SECOND
from kcompanion.reconcile.target import Key
from kcompanion.reconcile.triggers import Wake
from kcompanion.reconcile.victims import Victim

SHOWN = 20  # entries of a list in JSON


class Action(StrEnum):
    """What was done about the number of pods, or why nothing."""

    CREATE = "create"
    DELETE = "delete"
    NONE = "none"  # as many as wanted
    WAIT = "wait"  # for the watch to show what was asked for before
    STALE = "stale"  # the view is older than our own writes
    DELETING = "deleting"  # the ReplicaSet is being deleted
    GONE = "gone"  # there is none of that name
    UNUSABLE = "unusable"  # its selector cannot be used
    CLAIM_FAILED = "claimFailed"  # whose pods they are could not be settled


@dataclass(frozen=True, slots=True)
class Observed:
    """The pods that are its own, as the sync found them."""

    active: int = 0
    ready: int = 0
    available: int = 0
    labelled: int = 0  # with all labels of the template
    terminating: int = 0

    def to_json(self) -> dict[str, int]:
        return {
            "active": self.active,
            "ready": self.ready,
            "available": self.available,
            "fullyLabeled": self.labelled,
            "terminating": self.terminating,
        }


@dataclass(frozen=True, slots=True)
class Answered:
    """So many requests of a kind that got the same answer."""

    request: str
    code: int
    message: str
    count: int

    def to_json(self) -> dict[str, Any]:
        return {"request": self.request, "code": self.code, "message": self.message, "count": self.count}


@dataclass(frozen=True, slots=True)
class Change:
    """A field of the status that was written anew; values are numbers, or a condition's reason."""

    field: str
    old: int | str | None
    new: int | str | None

    def to_json(self) -> dict[str, Any]:
        return {"field": self.field, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class Decision:
    """One turn of the loop."""

    key: Key
    woken_by: tuple[Wake, ...] = ()
    action: Action = Action.NONE
    count: int = 0  # pods to create or to delete now
    desired: int = 0
    observed: Observed = field(default_factory=Observed)
    pending: Pending | None = None
    adopted: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    victims: tuple[Victim, ...] = ()
    age_ratios: tuple[int, ...] = ()  # of victims to the youngest; measured and not told
    answers: tuple[Answered, ...] = ()
    changes: tuple[Change, ...] = ()
    error: str | None = None
    requeue_after: float | None = None

    @property
    def difference(self) -> int:
        """Pods too many; below zero, pods too few."""
        return self.observed.active - self.desired

    @property
    def idle(self) -> bool:
        """Whether it looked and found nothing to do and nothing to write."""
        return self.action is Action.NONE and not (self.answers or self.error)

    def to_json(self) -> dict[str, Any]:
        return {
            "namespace": self.key.namespace,
            "name": self.key.name,
            "wokenBy": [{"cause": wake.cause.value, "pod": wake.pod} for wake in self.woken_by],
            "desired": self.desired,
            "observed": self.observed.to_json(),
            "difference": self.difference,
            "expectations": _expectations(self.pending),
            "claims": {"adopted": _some(self.adopted), "released": _some(self.released)},
            "plan": {
                "action": self.action.value,
                "count": self.count,
                "victims": [victim.to_json() for victim in self.victims[:SHOWN]],
            },
            "created": _some(self.created),
            "deleted": _some(self.deleted),
            "answers": [answer.to_json() for answer in self.answers[:SHOWN]],
            "status": [change.to_json() for change in self.changes],
            "error": self.error,
            "requeueAfterSeconds": self.requeue_after,
        }


def _expectations(pending: Pending | None) -> dict[str, Any] | None:
    if pending is None or pending.fulfilled:
        return None
    return {
        "creations": max(0, pending.creations),
        "deletions": max(0, pending.deletions),
        "ageSeconds": round(pending.age / SECOND, 3),
    }


def _some(names: Sequence[str]) -> dict[str, Any]:
    return {"count": len(names), "first": list(names[:SHOWN])}
