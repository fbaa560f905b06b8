"""What happened last, told by the cluster's own events: one entry for each kind of happening, the newest first.

A roll-out of forty pods leaves four hundred events and is one story. So events of one reporter, reason, kind and
namespace are one entry, told by the newest of them and counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kcompanion.model.ask import Ask, listing
from kcompanion.model.events import Event, event_of
from kcompanion.model.message import Message, say
from kcompanion.model.resources import EVENTS
from kcompanion.model.snapshot import Object
from kcompanion.model.times import parse_time

_NEVER = datetime.min.replace(tzinfo=UTC)
MANY = 1000  # pods; in larger clusters only warnings are read, for a roll-out leaves events by the ten thousand


@dataclass(frozen=True)
class Moment:
    """One happening, and how many like it were reported besides."""

    at: str
    actor: str
    subject: str
    told: Message
    more: int

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "actor": self.actor or None,
            "subject": self.subject,
            "told": self.told.to_json(),
            "more": self.more,
        }


def events_of(namespace: str, pods: int) -> Ask:
    """The question for the events to tell from, in a cluster of so many pods."""
    return listing(EVENTS, namespace or None, fields="type=Warning" if pods > MANY else "")


def lately(items: Iterable[Object]) -> list[Moment]:
    """What the events tell, the newest first."""
    groups: dict[tuple[str, str, str, str], list[Event]] = {}
    for event in sorted(map(event_of, items), key=_place):
        groups.setdefault((event.reporter, event.reason, event.kind, event.namespace), []).append(event)
    newest = sorted(groups.values(), key=lambda those: _place(those[-1]), reverse=True)
    found: dict[str, Moment] = {}
    for those in newest:  # of what happened to one object the last thing
        moment = _moment(those)
        found.setdefault(moment.subject, moment)
    return list(found.values())


def _place(event: Event) -> tuple[datetime, bool, str, str]:
    """Later, and of the same moment worse, counts more. As text "21.98Z" would stand before "21Z"."""
    return parse_time(event.last) or _NEVER, event.type == "Warning", event.name, event.reason


def _moment(those: list[Event]) -> Moment:
    newest = those[-1]
    about = f"{newest.kind.lower()}/{newest.name}"
    return Moment(
        at=newest.last,
        actor=newest.reporter,
        subject=f"{newest.namespace}: {about}" if newest.namespace else about,
        told=_told(newest),
        more=sum(event.count for event in those) - 1,
    )


def _told(event: Event) -> Message:
    if not event.message:
        return say("trace.live.event_bare", reason=event.reason)
    return say("trace.live.event", reason=event.reason, message=event.message)
