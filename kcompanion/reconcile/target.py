"""Which kind of object is reconciled: our own, or the built-in ReplicaSet in whose controller's place we stand."""

from __future__ import annotations

from typing import NamedTuple

from kcompanion.model import resources as r
from kcompanion.model.resources import Resource


class Key(NamedTuple):
    """What the queue holds: one ReplicaSet by namespace and name, whichever uid it has by then."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


Target = Resource  # a kind with ReplicaSet's shape; everything else is the same for all of them
COMPANION: Target = r.COMPANIONREPLICASETS
BUILT_IN: Target = r.REPLICASETS
TARGETS = {target.name: target for target in (COMPANION, BUILT_IN)}  # as `--target` names them
