"""What a sync hands to whoever acts for it, one step after the other, and what it ends in."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from kcompanion.reconcile.decision import Decision
from kcompanion.reconcile.expectations import Kept
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.requests import Answer, Request
from kcompanion.reconcile.triggers import Wake


@dataclass(frozen=True, slots=True)
class Event:
    """A core/v1 Event about the ReplicaSet; lost without harm."""

    owner: ReplicaSet
    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """Requests to send at the same time. The answers come back in their order; events are not waited for."""

    requests: tuple[Request, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sync ended.

    `error`: the key goes back into the queue with back-off; without one its back-off is forgotten.
    `again`: when and why it wants to look again, error or not.
    `stale`: it was skipped because this watch lags behind our own writes (then `error` tells so).
    """

    error: str | None
    again: Wake | None
    decision: Decision
    stale: Kept | None = None

    @property
    def requeue_after(self) -> float | None:
        """Seconds until it wants to look again."""
        return None if self.again is None else self.again.after_seconds


Sync = Generator[Step, tuple[Answer, ...], Outcome]
