"""Storage classes, who provisions for them, and CSI drivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.fields import annotations_of, name_of, text_at
from kcompanion.model.snapshot import Object, Snapshot

CLASSES = listing(r.STORAGECLASSES)
DRIVERS = listing(r.CSIDRIVERS)
_DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
BY_HAND = "kubernetes.io/no-provisioner"  # volumes are made by a person


@dataclass(frozen=True, slots=True)
class StorageClass:
    name: str
    provisioner: str
    default: bool
    binding: str
    reclaim: str

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "provisioner": self.provisioner,
            "default": self.default,
            "volumeBindingMode": self.binding,
            "reclaimPolicy": self.reclaim,
        }


@dataclass(frozen=True, slots=True)
class Storage:
    """The classes and drivers; `known` is False when classes could not be listed."""

    classes: tuple[StorageClass, ...]
    drivers: tuple[str, ...]
    known: bool

    @property
    def defaults(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.classes if item.default)

    def to_json(self) -> dict[str, Any]:
        return {
            "known": self.known,
            "classes": [item.to_json() for item in self.classes],
            "csiDrivers": list(self.drivers),
        }


def storage(snapshot: Snapshot) -> Storage:
    """Storage as far as it could be listed."""
    return Storage(
        tuple(sorted((_class(i) for i in snapshot.items(CLASSES)), key=lambda c: c.name)),
        tuple(sorted(name_of(item) for item in snapshot.items(DRIVERS))),
        snapshot.reading(CLASSES).ok,
    )


def _class(item: Object) -> StorageClass:
    return StorageClass(
        name_of(item),
        text_at(item, "provisioner"),
        any(annotations_of(item).get(key) == "true" for key in _DEFAULT),
        text_at(item, "volumeBindingMode") or "Immediate",
        text_at(item, "reclaimPolicy") or "Delete",
    )
