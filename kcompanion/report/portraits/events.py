"""The recent events about an object: few, the latest last, what repeats told once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompanion.model.events import Event
from kcompanion.model.fields import text_at
from kcompanion.model.message import say
from kcompanion.report.document import Section, Table, columns
from kcompanion.report.portraits.sight import Sight

FEW, MANY = 4, 15
LONGEST = 160  # characters of a message; `kubectl events` has the rest


def recent(sight: Sight) -> Iterator[Section]:
    """A table of the latest events of different reason or message; in short only warnings, where there are any."""
    found = _distinct(sight.world.events(sight.ref, text_at(sight.item, "metadata", "uid")))
    telling = found if sight.whole else [event for event in found if event.type != "Normal"] or found
    kept = telling[-(MANY if sight.whole else FEW) :]
    rows = [(sight.age(event.last), _times(event), event.reason, _short(event.message)) for event in kept]
    if rows:
        yield Section(say("portrait.section.events"), [Table(columns("AGE TIMES REASON MESSAGE"), rows)])


def _distinct(events: Sequence[Event]) -> list[Event]:
    """The latest of each reason and beginning of message: the kubelet's differ by ids and times further on."""
    latest = {(event.reason, event.path, event.message[:60]): event for event in events}
    return sorted(latest.values(), key=lambda event: (event.last, event.reason))


def _times(event: Event) -> str:
    return f"×{event.count}" if event.count > 1 else ""


def _short(message: str) -> str:
    words = " ".join(message.split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
