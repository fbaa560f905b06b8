"""The Document: what every output format is made of.

Cells and sentences are plain text from the cluster (untrusted), numbers, messages of the catalogue or statuses. A
renderer chooses words, escapes and lays out; it never judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kcompanion.model.finding import Finding, Status
from kcompanion.model.message import Message
from kcompanion.model.snapshot import Gap

Cell = str | int | Message | Status | None


@dataclass(frozen=True)
class Column:
    """A column's heading (kubectl's capitals, the same in both languages) and whether only `-o wide` shows it."""

    head: str
    wide: bool = False


def columns(spec: str) -> tuple[Column, ...]:
    """`columns("NAME READY +NODE")`: headings; a plus marks those of the wide table."""
    return tuple(Column(word.lstrip("+").replace("_", " "), word.startswith("+")) for word in spec.split())


@dataclass(frozen=True)
class Table:
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Facts:
    """Label and value, one per line."""

    pairs: Sequence[tuple[Message, Cell]]


@dataclass(frozen=True)
class Lines:
    """Sentences, one per line."""

    lines: Sequence[Cell]


@dataclass(frozen=True)
class Brief:
    """Sentences of at most `height` lines of the screen each (0: whole), so that all of it stays on one screen."""

    lines: Sequence[tuple[Status | None, Cell]]
    height: int


@dataclass(frozen=True)
class Lesson:
    """An explanation for those who learn (`--explain`): set off from the facts."""

    title: Message
    paragraphs: Sequence[Message]


@dataclass(frozen=True)
class Cause:
    """A cause as it is told in full: sentence, evidence with ages, why, and what to do next."""

    finding: Finding
    now: datetime
    root: bool = False  # the first and deepest one
    about: str = ""  # the object that the heading names already, as evidence spells it: `Pod shop/web-1`


@dataclass(frozen=True)
class Told:
    """A cause as one entry of a list: where it hangs, notes, and the command that tells all of it."""

    finding: Finding
    where: str
    notes: Sequence[Message] = ()
    command: str = ""


@dataclass(frozen=True)
class Literal:
    """Lines of the cluster's own making (a log's tail), each on a line of its own, never rephrased."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Branch:
    """One line of a tree: what it is, how it is, how old, and what is to be said of it; below it its children."""

    label: Cell
    status: Status | None = None
    word: str = ""
    age: str = ""
    notes: Sequence[Cell] = ()
    marked: bool = False  # what was asked for
    children: Sequence[Branch] = ()


@dataclass(frozen=True)
class Tree:
    """Objects below their owners."""

    roots: Sequence[Branch]


Block = Table | Facts | Lines | Brief | Lesson | Cause | Told | Literal | Tree


@dataclass(frozen=True)
class Section:
    title: Message | None  # None: goes on where the last one ended
    blocks: Sequence[Block]
    status: Status | None = None


@dataclass(frozen=True)
class Row:
    """One line of a box: usually an instance of the component the box stands for."""

    told: Sequence[Cell]
    status: Status | None = None


@dataclass(frozen=True)
class Box:
    """A box of a diagram; `outside` is an object that stands in no tree of owners, or a part that cannot be seen."""

    id: str
    kind: str
    name: str
    status: Status | None = None
    word: str = ""
    marked: bool = False
    outside: bool = False
    rows: Sequence[Row] = ()


@dataclass(frozen=True)
class Arrow:
    """From an owner to what it owns, or between boxes that have to do with each other otherwise; `owns` is solid."""

    source: str
    target: str
    label: Message | None = None
    owns: bool = True
    bent: bool = False  # a second owner: left out where boxes are put in rows


@dataclass(frozen=True)
class Frame:
    """Boxes that stand together under a title."""

    id: str
    title: Message
    boxes: Sequence[str]


@dataclass(frozen=True)
class Diagram:
    """What mermaid, dot and SVG are drawn from. Boxes come in the order in which a tree lists them.

    Only a picture of the architecture has frames, an order and a legend, and its SVG is not made of a Diagram.
    `order` names pairs of boxes of which the first stands left, whichever way the line between them points.
    """

    title: Message
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    frames: Sequence[Frame] = ()
    order: Sequence[tuple[str, str]] = ()
    legend: Sequence[Message] = ()


@dataclass(frozen=True)
class Document:
    """A whole answer: the verdict first, then sections, findings and what could not be read."""

    title: Message | None = None
    verdict: Message | None = None
    status: Status | None = None
    sections: Sequence[Section] = ()
    findings: Sequence[Finding] = ()
    gaps: Sequence[Gap] = ()
    dense: bool = False  # no empty lines between sections: a screen, not a page
    notes: Sequence[Message] = ()  # below the verdict: what of all this is not a real cluster
