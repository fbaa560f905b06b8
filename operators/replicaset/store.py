"""The watched state of the cluster, with the indexes the core asks for, and what each change of it wakes.

Everything here is synchronous and without I/O. An event changes the indexes, then the triggers are asked: they see
the new state, as they must. A pod that a relist no longer finds is a deletion like any other. Of namespaces and owners
that have nothing left nothing is kept: they come and go for as long as the operator runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from kcompanion.reconcile.expectations import Kept
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import Pod
from kcompanion.reconcile.target import Key, Target
from kcompanion.reconcile.triggers import Triggers, Wake

Waking = Callable[[Iterable[Wake]], None]
_Place = tuple[str, str, str]  # namespace, and name and uid of the owner; both empty for the orphans there


class Store:
    """The core's View, held up to date by the two sinks below."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._pods: dict[str, dict[str, Pod]] = {}  # by namespace, then uid
        self._placed: dict[_Place, dict[str, Pod]] = {}  # those of our owners and the orphans, by place, then uid
        self._owners: dict[str, dict[str, ReplicaSet]] = {}  # by namespace, then name
        self._versions: dict[Kept, int] = {"pods": 0, "owners": 0}

    # ------------------------------------------------------------------ what the core asks

    def owner(self, key: Key) -> ReplicaSet | None:
        return self._owners.get(key.namespace, {}).get(key.name)

    def pods_of(self, owner: ReplicaSet) -> Collection[Pod]:
        return self._placed.get((owner.namespace, owner.name, owner.uid), {}).values()

    def orphans(self, namespace: str) -> Collection[Pod]:
        return self._placed.get((namespace, "", ""), {}).values()

    def pods(self, namespace: str) -> Collection[Pod]:
        return self._pods.get(namespace, {}).values()

    def owners(self, namespace: str) -> Collection[ReplicaSet]:
        return self._owners.get(namespace, {}).values()

    def owners_controlled_by(self, uid: str) -> Collection[ReplicaSet]:
        """Searched and not indexed: it is asked once for a scale-down of a ReplicaSet that has a Deployment."""
        return [owner for owners in self._owners.values() for owner in owners.values() if owner.controller_uid == uid]

    def seen(self) -> Mapping[Kept, int]:
        return self._versions

    # ------------------------------------------------------------------ what the sinks do

    def reached(self, kept: Kept, version: int) -> None:
        self._versions[kept] = max(version, self._versions[kept])

    def put_pod(self, pod: Pod) -> Pod | None:
        """Takes a pod in; the pod as it was, if it was known."""
        known = self._pods.setdefault(pod.namespace, {})
        old = known.get(pod.uid)
        known[pod.uid] = pod
        place = self._place(pod)
        if old is not None and (before := self._place(old)) != place:
            self._displace(before, old.uid)
        if place is not None:
            self._placed.setdefault(place, {})[pod.uid] = pod
        return old

    def drop_pod(self, pod: Pod) -> Pod | None:
        """Forgets a pod; the pod as it was, if it was known."""
        known = self._pods.get(pod.namespace, {})
        old = known.pop(pod.uid, None)
        if old is not None:
            self._displace(self._place(old), old.uid)
            if not known:
                del self._pods[pod.namespace]
        return old

    def all_pods(self) -> list[Pod]:
        return [pod for pods in self._pods.values() for pod in pods.values()]

    def put_owner(self, owner: ReplicaSet) -> ReplicaSet | None:
        known = self._owners.setdefault(owner.namespace, {})
        old = known.get(owner.name)
        known[owner.name] = owner
        return old

    def drop_owner(self, owner: ReplicaSet) -> ReplicaSet | None:
        """Forgets an owner, unless a successor of the same name is known already."""
        known = self._owners.get(owner.namespace, {})
        old = known.get(owner.name)
        if old is None or old.uid != owner.uid:
            return None
        del known[owner.name]
        if not known:
            del self._owners[owner.namespace]
        return old

    def all_owners(self) -> list[ReplicaSet]:
        return [owner for owners in self._owners.values() for owner in owners.values()]

    def _place(self, pod: Pod) -> _Place | None:
        """Where a pod stands: with the orphans, or with its owner; None if another kind owns it."""
        reference = pod.controller
        if reference is None:
            return (pod.namespace, "", "")
        if reference.kind != self.target.kind:
            return None
        return (pod.namespace, reference.name, reference.uid)

    def _displace(self, place: _Place | None, uid: str) -> None:
        if place is not None and (pods := self._placed.get(place)) is not None:
            pods.pop(uid, None)
            if not pods:
                del self._placed[place]


class PodSink:
    """What the watch of pods delivers, put into the store and told to the triggers."""

    def __init__(self, store: Store, triggers: Triggers, wake: Waking) -> None:
        self._store, self._triggers, self._wake = store, triggers, wake

    def replaced(self, items: list[Pod], version: int) -> None:
        found = {pod.uid for pod in items}
        for pod in self._store.all_pods():
            if pod.uid not in found:
                self.deleted(pod)
        for pod in items:
            self.changed(pod)
        self.reached(version)

    def changed(self, item: Pod) -> None:
        old = self._store.put_pod(item)
        self.reached(item.version)
        triggers = self._triggers
        self._wake(triggers.on_pod_added(item) if old is None else triggers.on_pod_updated(old, item))

    def deleted(self, item: Pod) -> None:
        self._store.drop_pod(item)
        self.reached(item.version)
        self._wake(self._triggers.on_pod_deleted(item))

    def reached(self, version: int) -> None:
        self._store.reached("pods", version)


class OwnerSink:
    """The same for the ReplicaSets."""

    def __init__(self, store: Store, triggers: Triggers, wake: Waking) -> None:
        self._store, self._triggers, self._wake = store, triggers, wake

    def replaced(self, items: list[ReplicaSet], version: int) -> None:
        found = {owner.uid for owner in items}
        for owner in self._store.all_owners():
            if owner.uid not in found:
                self.deleted(owner)
        for owner in items:
            self.changed(owner)
        self.reached(version)

    def changed(self, item: ReplicaSet) -> None:
        old = self._store.put_owner(item)
        self.reached(item.version)
        triggers = self._triggers
        self._wake(triggers.on_owner_added(item) if old is None else triggers.on_owner_updated(old, item))

    def deleted(self, item: ReplicaSet) -> None:
        if self._store.drop_owner(item) is not None:
            self._wake(self._triggers.on_owner_deleted(item))
        self.reached(item.version)

    def reached(self, version: int) -> None:
        self._store.reached("owners", version)
