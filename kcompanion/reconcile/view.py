"""What the controller may look at: a view of the cluster held up to date by watches, never the API itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from kcompanion.reconcile.expectations import Kept
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import Pod
from kcompanion.reconcile.target import Key, Target


class View(Protocol):
    """Implemented by the operator's store and by the simulator's. Every answer is a look-up in an index."""

    @property
    def target(self) -> Target:
        """Which kind its owners are of."""

    def owner(self, key: Key) -> ReplicaSet | None: ...

    def pods_of(self, owner: ReplicaSet) -> Collection[Pod]:
        """The pods whose controller reference names it by kind, name and uid, whatever their state."""

    def orphans(self, namespace: str) -> Collection[Pod]:
        """The pods without a controller reference."""

    def pods(self, namespace: str) -> Collection[Pod]:
        """All pods. Asked only when a ReplicaSet that has a controller is scaled down."""

    def owners(self, namespace: str) -> Collection[ReplicaSet]: ...

    def owners_controlled_by(self, uid: str) -> Collection[ReplicaSet]:
        """The ReplicaSets of one Deployment."""

    def seen(self) -> Mapping[Kept, int]:
        """The last resourceVersion each watch delivered (events and bookmarks); 0 when unknown."""
