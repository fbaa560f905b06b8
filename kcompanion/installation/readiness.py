"""Whether what was applied works already, from the objects themselves."""

from __future__ import annotations

from typing import NamedTuple

from kcompanion.model.fields import condition, map_at
from kcompanion.model.snapshot import Object


class Progress(NamedTuple):
    """Pods of today's template that are ready, and how many there shall be."""

    ready: int
    wanted: int
    rolled_out: bool  # the controller has seen the latest spec, and no pod of an older one is left

    @property
    def done(self) -> bool:
        return self.rolled_out and self.ready >= self.wanted > 0


def progress(item: Object) -> Progress:
    """How far a Deployment or a DaemonSet is."""
    status = map_at(item, "status")
    if "currentNumberScheduled" in status:  # a DaemonSet: as many as there are nodes for it
        wanted, updated = _count(status, "desiredNumberScheduled"), _count(status, "updatedNumberScheduled")
        ready, there = _count(status, "numberReady"), _count(status, "currentNumberScheduled")
    else:
        wanted, updated = _count(map_at(item, "spec"), "replicas"), _count(status, "updatedReplicas")
        ready, there = _count(status, "readyReplicas"), _count(status, "replicas")
    seen = _count(status, "observedGeneration") >= _count(map_at(item, "metadata"), "generation")
    return Progress(min(ready, updated), wanted, seen and updated == wanted == there)


def crd_serves(item: Object) -> bool:
    """Whether the API server serves the kind that a CustomResourceDefinition defines."""
    return condition(item, "Established").get("status") == "True"


def _count(fields: Object, name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) else 0
