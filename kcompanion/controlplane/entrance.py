"""How traffic from outside comes in: Ingress classes with their controllers, and the Gateway API.

A class names its controller; that a controller really runs is another matter, and seen by its workload's image.
The Gateway API is a set of custom resources: the API server registers an APIService for their group by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.fields import annotations_of, name_of, text_at
from kcompanion.model.snapshot import Snapshot

CLASSES = listing(r.INGRESSCLASSES)
GATEWAY_GROUP = "gateway.networking.k8s.io"
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class IngressClass:
    name: str
    controller: str
    default: bool

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "controller": self.controller, "default": self.default}


@dataclass(frozen=True, slots=True)
class Entrance:
    """`gateway_api` holds the served versions of the Gateway API, best last; empty when it is not installed."""

    classes: tuple[IngressClass, ...]
    gateway_api: tuple[str, ...]
    known: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "known": self.known,
            "classes": [item.to_json() for item in self.classes],
            "gatewayAPIVersions": list(self.gateway_api),
        }


def entrance(snapshot: Snapshot) -> Entrance:
    """Ingress classes and the Gateway API's versions."""
    classes = [
        IngressClass(
            name_of(item),
            text_at(item, "spec", "controller"),
            annotations_of(item).get(_DEFAULT) == "true",
        )
        for item in snapshot.items(CLASSES)
    ]
    versions = sorted(
        text_at(item, "spec", "version")
        for item in snapshot.items(asks.API_SERVICES)
        if text_at(item, "spec", "group") == GATEWAY_GROUP
    )
    return Entrance(tuple(sorted(classes, key=lambda c: c.name)), tuple(versions), snapshot.reading(CLASSES).ok)
