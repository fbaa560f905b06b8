"""What a snapshot holds: objects by kind, and what was taken out before it was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model.ask import Reading
from kcompanion.model.fields import name_of, namespace_of, text_at
from kcompanion.model.snapshot import Snapshot

MARK = "<scrubbed"
# The field a removed value stood in, nearest first, and what people call it.
_PLACES = {
    "env": "env",
    "httpHeaders": "probeHeaders",
    "args": "arguments",
    "command": "arguments",
    "annotations": "annotations",
    "message": "messages",
    "note": "messages",
}


@dataclass(frozen=True)
class Contents:
    """Counts. `redacted` is by place: how many values were taken out, of how many objects."""

    answers: int
    objects: Mapping[str, int]
    redacted: Mapping[str, tuple[int, int]]


def contents(snapshot: Snapshot) -> Contents:
    """Counts every object once, however many answers hold it."""
    kinds: Counter[str] = Counter()
    values: Counter[str] = Counter()
    owners: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for reading in snapshot.readings.values():
        kind = reading.ask.resource.kind if reading.ask.resource else ""
        for item in _objects(reading):
            identity = kind, text_at(item, "metadata", "uid") or f"{namespace_of(item)}/{name_of(item)}"
            if identity in seen:
                continue
            seen.add(identity)
            kinds[kind] += 1
            places = Counter(_places(item, {"Secret": "secrets", "ConfigMap": "configMaps"}.get(kind, "other")))
            values.update(places)
            owners.update(places.keys())
    redacted = {place: (count, owners[place]) for place, count in sorted(values.items())}
    return Contents(len(snapshot.readings), dict(sorted(kinds.items())), redacted)


def _objects(reading: Reading) -> Iterator[Mapping[str, Any]]:
    if reading.ask.resource is None:
        return
    body = reading.body if isinstance(reading.body, list) else [reading.body]
    yield from (item for item in body if isinstance(item, dict) and "metadata" in item)


def _places(node: object, place: str) -> Iterator[str]:
    """The place of every removed value below a node."""
    if isinstance(node, str):
        if MARK in node:
            yield "certificates" if "<scrubbed certificate>" in node else place
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _places(value, _PLACES.get(key, place))
    elif isinstance(node, list):
        for entry in node:
            yield from _places(entry, place)
