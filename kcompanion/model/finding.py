"""What a rule found: a stable code, how bad it is, and the evidence. The sentence is in the catalogues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kcompanion.model.message import Message


class Status(StrEnum):
    """The five answers to "is it well?"; unknown and not_visible are never good and never bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"  # something needed could not be read
    NOT_VISIBLE = "not_visible"  # the API cannot show it (hosted control plane)


# How statuses add up: the first of these that occurs. Unknown outranks ok, so that a verdict never gets better by
# reading less; a proven failure outranks unknown.
_RANK = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.OK, Status.NOT_VISIBLE)


def worst(statuses: Iterable[Status]) -> Status:
    """The status of a whole from those of its parts; UNKNOWN when there are none."""
    present = set(statuses)
    return next((status for status in _RANK if status in present), Status.UNKNOWN)


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


SEVERITY_ORDER = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a fact was read: an object or URL, the path in it, and the value found."""

    source: str  # "Lease kube-system/kube-scheduler", "/readyz?verbose"
    path: str = ""
    value: str = ""
    at: str = ""  # the API's time of the fact, from which its age follows

    def to_json(self) -> dict[str, Any]:
        told = {"source": self.source, "path": self.path, "value": self.value}
        return {**told, "at": self.at} if self.at else told


class Risk(StrEnum):
    """What following a piece of advice may do."""

    INSPECT = "inspect"  # reads only
    LOW_RISK = "low-risk"  # changes something, harmless and easily undone
    CHANGING = "changing"  # changes what runs
    DESTRUCTIVE = "destructive"  # data or running work may be lost


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do next: a command to copy, or a change told in words (or both)."""

    risk: Risk
    command: str = ""
    told: Message | None = None

    def to_json(self) -> dict[str, Any]:
        words = {"told": self.told.to_json()} if self.told else {}
        return {"risk": self.risk.value, "command": self.command, **words}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `code` is also the id of its texts and of its docs page.

    `root` is the object whose trouble it is when that is another one (the node of a lost pod), and `affected` are the
    objects that share the cause. `rank` orders causes from the deepest (small) to mere symptoms.
    """

    code: str
    severity: Severity
    subject: str  # the object it is about, "Node/worker-1"
    message: Message
    evidence: tuple[Evidence, ...] = ()
    next_command: str = ""
    why: Message | None = None
    steps: tuple[Step, ...] = ()
    root: str = ""
    affected: tuple[str, ...] = ()
    read: str = ""  # where to read more
    rank: int = 0

    def to_json(self) -> dict[str, Any]:
        extras = {
            "steps": [step.to_json() for step in self.steps],
            "root": self.root,
            "affected": list(self.affected),
            "read": self.read,
        }
        return {
            **{key: value for key, value in extras.items() if value},
            "code": self.code,
            "severity": self.severity.value,
            "subject": self.subject,
            "message": self.message.to_json(),
            "evidence": [item.to_json() for item in self.evidence],
            "next": self.next_command,
        }


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first, then by code and subject, so that the order never depends on chance."""
    return tuple(sorted(findings, key=lambda f: (SEVERITY_ORDER[f.severity], f.code, f.subject)))
