"""Who last wrote a label, from managedFields: the last manager of the field, which is a hint and no proof.

A manager's entry carries the time of its last write, and the name its program gave itself. Taking a label away leaves
nothing behind: whose entry held it just holds one field less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import dig, map_at, maps_at, text_at
from kcompanion.model.snapshot import Object


@dataclass(frozen=True)
class Write:
    """Who manages a field now, how it wrote, and when it last wrote any of its fields."""

    manager: str
    operation: str
    time: str
    field: str

    def to_json(self) -> dict[str, Any]:
        return {"manager": self.manager, "operation": self.operation, "time": self.time, "field": self.field}


def label_writer(item: Object, keys: Iterable[str], besides: Collection[str] = ()) -> Write | None:
    """The last manager of any of these labels, `besides` those named; None when no entry holds one.

    So it is too when managedFields were not read.
    """
    found = [
        Write(text_at(entry, "manager"), text_at(entry, "operation"), text_at(entry, "time"), f"metadata.labels[{key}]")
        for entry in maps_at(item, "metadata", "managedFields")
        if text_at(entry, "manager") not in besides
        for key in keys
        if f"f:{key}" in map_at(entry, "fieldsV1", "f:metadata", "f:labels")
    ]
    return max(found, key=lambda write: (write.time, write.manager), default=None)


def writers(item: Object, *path: str) -> tuple[Write, ...]:
    """Everybody who manages a field, say `spec`, `replicas`; the latest last."""
    inside = [f"f:{key}" for key in path]
    found = [
        Write(text_at(entry, "manager"), text_at(entry, "operation"), text_at(entry, "time"), ".".join(path))
        for entry in maps_at(item, "metadata", "managedFields")
        if dig(entry, "fieldsV1", *inside) is not None
    ]
    return tuple(sorted(found, key=lambda write: (write.time, write.manager)))
