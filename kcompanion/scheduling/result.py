"""What one scheduling predicate says of a pod on a node: it fits, it does not and why, or it is not known.

All of it is recomputed here from what the API shows; none of it is the scheduler's own word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kcompanion.model.finding import Evidence
from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Gap


class Fit(StrEnum):
    FITS = "fits"
    NOT = "does_not_fit"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Miss:
    """One thing that keeps the pod off.

    `kind` names it in the catalogues (`why.miss.taint`, `why.short.taint`, `why.remedy.taint`); `values` are the
    placeholders of all three. `number` is its number in the failure taxonomy. `whole` is True when it keeps the pod
    off every node alike.
    """

    kind: str
    number: int
    values: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    root: Ref | None = None  # the object whose trouble it is
    whole: bool = False
    command: str = ""  # what would mend it, when one command does

    @property
    def message(self) -> Message:
        return say(f"why.miss.{self.kind}", **self.values)

    @property
    def short(self) -> Message:
        return say(f"why.short.{self.kind}", **self.values)

    @property
    def remedy(self) -> Message:
        return say(f"why.remedy.{self.kind}", **self.values)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "values": {key: str(value) for key, value in self.values.items()},
            "message": self.message.to_json(),
            "remedy": self.remedy.to_json(),
        }


@dataclass(frozen=True)
class Result:
    """The answer of one predicate, called by the name of the scheduler's plugin."""

    predicate: str = ""
    misses: tuple[Miss, ...] = ()
    note: Message | None = None  # what makes it fit, or what cannot be told
    gap: Gap | None = None
    open: bool = False  # cannot be recomputed, although nothing is missing

    @property
    def fit(self) -> Fit:
        if self.misses:
            return Fit.NOT
        return Fit.UNKNOWN if self.gap or self.open else Fit.FITS

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"predicate": self.predicate, "fit": self.fit.value}
        told["misses"] = [miss.to_json() for miss in self.misses]
        if self.note:
            told["note"] = self.note.to_json()
        if self.gap:
            told["missing"] = self.gap.to_json()
        return told


NOTHING_ASKED = Result(note=say("why.note.nothing_asked"))
MET = Result(note=say("why.note.met"))


def missed(*misses: Miss) -> Result:
    """The result of these misses; without one the predicate is met."""
    return Result(misses=misses) if misses else MET
