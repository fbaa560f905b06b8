"""A page: a whole report as every format shows it. Chapters hold the sections that the commands print too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kcompanion.model.finding import Status
from kcompanion.model.message import Message
from kcompanion.model.snapshot import Gap
from kcompanion.report.document import Cause, Cell, Diagram, Row, Section


@dataclass(frozen=True)
class Part:
    """A box of the picture. `hidden` is one that the API cannot show; it is drawn dashed and never called missing."""

    id: str
    name: str
    note: Sequence[Cell] = ()
    status: Status | None = None
    rows: Sequence[Row] = ()
    hidden: bool = False


@dataclass(frozen=True)
class Line:
    """Who talks to whom: solid where that was proved lately, dashed where it is only configured."""

    source: str
    target: str
    proved: bool
    told: Message

    def to_json(self) -> dict[str, Any]:
        return {"from": self.source, "to": self.target, "proved": self.proved}


@dataclass(frozen=True)
class Picture:
    """The architecture in the well-known arrangement: control plane, nodes, what stands beside them, and lines."""

    title: Message
    plane: Sequence[Part]
    nodes: Sequence[Part]
    beside: Sequence[Part]
    lines: Sequence[Line]

    @property
    def parts(self) -> list[Part]:
        return [*self.plane, *self.nodes, *self.beside]


@dataclass(frozen=True)
class Voice:
    """What one part of the report says of the cluster, in a sentence."""

    part: Message
    status: Status
    told: Message


@dataclass(frozen=True)
class Chapter:
    """A chapter; `id` is its anchor, the same in every language."""

    id: str
    title: Message
    sections: Sequence[Section]
    status: Status | None = None
    lead: Message | None = None


@dataclass(frozen=True)
class Page:
    """The whole report: what it is of, the verdict, the worst causes, the picture, the chapters, the gaps."""

    title: Message
    facts: Sequence[tuple[Message, Cell]]
    status: Status
    verdict: Message
    voices: Sequence[Voice]
    worst: Sequence[Cause]
    commands: Sequence[str]  # for each of the worst, the command that tells more
    picture: Picture | Diagram
    chapters: Sequence[Chapter]
    gaps: Sequence[Gap]
    now: datetime
