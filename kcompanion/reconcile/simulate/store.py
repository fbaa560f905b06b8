"""A View that is fed by hand, change by change: what the controller believes, which may be behind what is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kcompanion.reconcile.expectations import Kept
from kcompanion.reconcile.owner import ReplicaSet, replicaset_of
from kcompanion.reconcile.pod import Pod, pod_of
from kcompanion.reconcile.simulate.server import Change, Type
from kcompanion.reconcile.target import Key, Target
from kcompanion.reconcile.triggers import Triggers, Wake


@dataclass(slots=True)
class Store:
    """The small clusters of a story need no indexes."""

    target: Target
    known_pods: dict[str, Pod] = field(default_factory=dict)  # by uid
    known_owners: dict[Key, ReplicaSet] = field(default_factory=dict)
    versions: dict[Kept, int] = field(default_factory=lambda: {"pods": 0, "owners": 0})

    def copy(self) -> Store:
        return Store(self.target, dict(self.known_pods), dict(self.known_owners), dict(self.versions))

    def take(self, kept: Kept, change: Change, triggers: Triggers) -> tuple[Wake, ...]:
        """Takes in one line of a watch; returns whom it wakes."""
        return self._take_pod(change, triggers) if kept == "pods" else self._take_owner(change, triggers)

    def _take_pod(self, change: Change, triggers: Triggers) -> tuple[Wake, ...]:
        pod = pod_of(change.item)
        self.versions["pods"] = pod.version
        if change.type is Type.DELETED:
            self.known_pods.pop(pod.uid, None)
            return triggers.on_pod_deleted(pod)
        old = self.known_pods.get(pod.uid)
        self.known_pods[pod.uid] = pod
        return triggers.on_pod_added(pod) if old is None else triggers.on_pod_updated(old, pod)

    def _take_owner(self, change: Change, triggers: Triggers) -> tuple[Wake, ...]:
        owner = replicaset_of(self.target, change.item)
        self.versions["owners"] = owner.version
        old = self.known_owners.get(owner.key)
        if change.type is Type.DELETED:
            self.known_owners.pop(owner.key, None)
            return triggers.on_owner_deleted(owner)
        self.known_owners[owner.key] = owner
        return triggers.on_owner_added(owner) if old is None else triggers.on_owner_updated(old, owner)

    def owner(self, key: Key) -> ReplicaSet | None:
        return self.known_owners.get(key)

    def pods_of(self, owner: ReplicaSet) -> Collection[Pod]:
        return [pod for pod in self.known_pods.values() if pod.controller and pod.controller.uid == owner.uid]

    def orphans(self, namespace: str) -> Collection[Pod]:
        return [pod for pod in self.pods(namespace) if pod.controller is None]

    def pods(self, namespace: str) -> Collection[Pod]:
        return [pod for pod in self.known_pods.values() if pod.namespace == namespace]

    def owners(self, namespace: str) -> Collection[ReplicaSet]:
        return [owner for owner in self.known_owners.values() if owner.namespace == namespace]

    def owners_controlled_by(self, uid: str) -> Collection[ReplicaSet]:
        return [owner for owner in self.known_owners.values() if owner.controller_uid == uid]

    def seen(self) -> Mapping[Kept, int]:
        return self.versions
