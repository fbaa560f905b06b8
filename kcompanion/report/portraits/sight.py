"""What a portrait is drawn from: one object in its World, in how much detail, and what of it could not be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeVar

from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World
from kcompanion.report.document import Cell, Facts, Lesson, Section

T = TypeVar("T")
LISTED = 6  # names in a sentence; the rest is counted


@dataclass(frozen=True)
class Sight:
    """One object to draw; `missing` fills as it goes.

    `more` asks for what it is in full, `whole` for long tables and for what is only history too, `lessons` for
    explanations.
    """

    item: Object
    ref: Ref
    world: World
    more: bool = False
    whole: bool = False
    lessons: bool = False
    missing: dict[str, Gap] = field(default_factory=dict)

    @property
    def space(self) -> str:
        return self.ref.namespace

    def age(self, moment: object) -> str:
        """How long ago an API time was, as kubectl spells it; `?` where there is none."""
        seconds = self.world.since(moment)
        return "?" if seconds is None else human_age(seconds)

    def attempt(self, part: Callable[[Sight], Iterable[T]]) -> list[T]:
        """What a part of the portrait yields, up to where something is not known; that is noted in `missing`."""
        found: list[T] = []
        try:
            for piece in part(self):
                found.append(piece)  # what came before a gap is kept
        except NotKnown as unknown:
            self.missing[unknown.gap.what] = unknown.gap
        return found


Fact = tuple[Message, Cell]
FactMaker = Callable[[Sight], Iterator[Fact]]
Part = Callable[[Sight], Iterator[Section]]


def label(name: str) -> Message:
    """The label of a fact."""
    return say(f"portrait.label.{name}")


def facts(*makers: FactMaker, title: str = "it") -> Part:
    """A part that gathers facts; one that is not known does not keep the others from being shown."""

    def draw(sight: Sight) -> Iterator[Section]:
        pairs = [pair for maker in makers for pair in sight.attempt(maker)]
        if pairs:
            yield Section(say(f"portrait.section.{title}"), [Facts(pairs)])

    return draw


def lesson(topic: str, paragraphs: int = 1) -> Part:
    """An explanation, for those who ask for it with --explain."""

    def draw(sight: Sight) -> Iterator[Section]:
        if sight.lessons:
            told = [say(f"portrait.lesson.{topic}.p{number}") for number in range(1, paragraphs + 1)]
            yield Section(say("portrait.section.lesson"), [Lesson(say(f"portrait.lesson.{topic}.title"), told)])

    return draw


def joined(parts: Iterable[str | Message], how: str = "comma") -> Message | str:
    """Texts and messages as one: `a, b` or, with how="then", `a; b`."""
    given = list(parts)
    if not given:
        return ""
    return reduce(lambda left, right: say(f"portrait.join.{how}", left=left, right=right), given)


def named(names: Iterable[str], most: int = LISTED) -> Message | str:
    """`a, b, c and 7 more`."""
    given = list(names)
    if len(given) <= most:
        return ", ".join(given)
    return say("portrait.join.more", names=", ".join(given[:most]), count=len(given) - most)


def yes_or_no(value: bool) -> Message:
    """The word for a column of a table."""
    return say("portrait.yes" if value else "portrait.no")
