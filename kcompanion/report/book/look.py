"""Looking for what shows a word of the book in the reader's own cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import shorten

from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.events import event_of
from kcompanion.model.fields import maps_at, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World

LONGEST = 100  # of an event's message


@dataclass(frozen=True)
class Example:
    """An object of this cluster that shows a word of the book."""

    ref: Ref
    what: str  # where it stands, or what its STATUS is
    since: str = ""  # the API's time


@dataclass
class Look:
    """Looking for examples: what could not be read is noted, never an error."""

    world: World
    space: str
    missing: dict[str, Gap] = field(default_factory=dict)

    def all(self, resource: Resource) -> Sequence[Object]:
        """All objects of a resource, or those of the reader's own namespace where not all may be listed."""
        own = self.world.snapshot.origin.namespace or "default"
        spaces = [self.space] if self.space or not resource.namespaced else ["", own]
        gap: Gap | None = None
        for space in spaces:
            try:
                return self.world.all(resource, space)
            except NotKnown as unknown:
                gap = gap or unknown.gap
                if unknown.gap.outcome.value != "forbidden":
                    break
        if gap is not None:
            self.missing[gap.what] = gap
        return ()

    def counted(self, number: int | None) -> int | str | None:
        """A number of examples, `?` where they could not be read."""
        return "?" if self.missing else number

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read so far."""
        return tuple(self.missing[key] for key in sorted(self.missing))

    def pods(self) -> list[Pod]:
        return [Pod(item) for item in self.all(r.PODS)]

    def events(self, reason: str) -> list[Example]:
        """Objects about which somebody reported that reason, the latest first."""
        ask = listing(r.EVENTS, self.space or None, fields=f"reason={reason}")
        try:
            body = self.world.ask(ask).body
        except NotKnown as unknown:
            body = [item for item in self.world.seen(r.EVENTS, self.space) if text_at(item, "reason") == reason]
            if not body:
                self.missing[unknown.gap.what] = unknown.gap
        found = sorted(map(event_of, body if isinstance(body, list) else []), key=lambda one: one.last, reverse=True)
        latest = {(one.kind, one.namespace, one.name): one for one in reversed(found)}
        return [
            Example(Ref(one.kind, one.name, one.namespace), shorten(one.message, LONGEST, placeholder=" …"), one.last)
            for one in reversed(latest.values())
        ]


def reasons_of(pod: Pod) -> Iterator[tuple[str, str]]:
    """Every reason that stands in a pod, and where."""
    if pod.reason:
        yield pod.reason, "status.reason"
    for one in maps_at(pod.raw, "status", "conditions"):
        if one.get("status") != "True" and text_at(one, "reason"):
            yield text_at(one, "reason"), f"status.conditions[{text_at(one, 'type')}]"
    for container in pod.containers:
        if container.waiting:
            yield container.waiting, f"{container.name}: waiting"
        for part, name in (("state", "ended"), ("lastState", "ended before")):
            if reason := text_at(container.status, part, "terminated", "reason"):
                yield reason, f"{container.name}: {name}"
    yield pod.status_word, "STATUS"
