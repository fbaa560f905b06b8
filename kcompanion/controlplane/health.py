"""Health with its evidence: a list of checks, each naming where it was read. The worst one counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kcompanion.model.ask import Ask, Outcome
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Check:
    """One sign of life or of trouble, in words and with its source."""

    status: Status
    message: Message
    evidence: Evidence

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "message": self.message.to_json(),
            **self.evidence.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Health:
    checks: tuple[Check, ...] = ()

    @property
    def status(self) -> Status:
        return worst(check.status for check in self.checks)

    @property
    def telling(self) -> Check | None:
        """The check to show when there is room for one: the first of the worst."""
        return next((check for check in self.checks if check.status is self.status), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "evidence": [check.to_json() for check in self.checks],
        }


def unread(snapshot: Snapshot, ask: Ask) -> Check | None:
    """An UNKNOWN check when the answer to `ask` is missing or old, else None."""
    reading = snapshot.reading(ask)
    if reading.ok and not reading.stale:
        return None
    verb, resource = ask.right
    where = f"{verb} {resource}" + (f" -n {ask.namespace}" if ask.namespace else "")
    if reading.stale:
        return Check(Status.UNKNOWN, say("controlplane.check.stale", what=resource), Evidence(where))
    reason = say(f"common.outcome.{reading.outcome.value}")
    return Check(
        Status.UNKNOWN,
        say("controlplane.check.unread", what=resource, reason=reason),
        Evidence(where, "", reading.detail),
    )


def readable(snapshot: Snapshot, ask: Ask) -> bool:
    """Whether an answer is there that may be relied on: complete and fresh."""
    reading = snapshot.reading(ask)
    return reading.outcome in (Outcome.OK, Outcome.ABSENT) and not reading.stale


def of_parts(statuses: Iterable[Status]) -> Status:
    """The status of a component from its instances: redundancy lost is a warning as long as one of them is well."""
    parts = list(statuses)
    if not parts:
        return Status.UNKNOWN
    if Status.OK in parts and Status.FAIL in parts:
        return Status.UNKNOWN if Status.UNKNOWN in parts else Status.WARN
    return worst(parts)
