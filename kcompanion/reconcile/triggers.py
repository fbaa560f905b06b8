"""What wakes a ReplicaSet: the rules by which a change of a pod or of a ReplicaSet puts keys into the queue.

They are the event handlers of pkg/controller/replicaset/replica_set.go, as plain functions of old and new. The
store must have taken the change in already when they are asked, and they lower the expectations on the way.
A relist that finds an object again is an update, not an addition: else one creation would count twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from kcompanion.reconcile.expectations import Books
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import ControllerRef, Pod
from kcompanion.reconcile.target import Key, Target
from kcompanion.reconcile.view import View


class Cause(StrEnum):
    """What a ReplicaSet is woken by."""

    OWNER_ADDED = "ownerAdded"
    OWNER_CHANGED = "ownerChanged"
    OWNER_DELETED = "ownerDeleted"
    POD_ADDED = "podAdded"
    POD_CHANGED = "podChanged"
    POD_READY = "podReady"
    POD_LEAVING = "podLeaving"  # it got its deletionTimestamp, and counts no longer
    POD_GONE = "podGone"
    POD_LOST = "podLost"  # its controller reference names somebody else now, or nobody
    ORPHAN_ADDED = "orphanAdded"
    ORPHAN_CHANGED = "orphanChanged"
    AVAILABILITY = "availability"  # a pod has been ready for minReadySeconds
    TIMEOUT = "timeout"  # as long as is waited for what was asked for to be seen; it may have been seen long ago
    RETRY = "retry"  # the sync before ended in an error


class Wake(NamedTuple):
    """A key for the queue, now or later, and why."""

    key: Key
    cause: Cause
    pod: str = ""
    after_seconds: float = 0.0


class Triggers:
    """Rules 12 to 21 for one target."""

    __slots__ = ("_books", "_target", "_view")

    def __init__(self, target: Target, view: View, books: Books) -> None:
        self._target, self._view, self._books = target, view, books

    def on_owner_added(self, owner: ReplicaSet) -> tuple[Wake, ...]:
        return (Wake(owner.key, Cause.OWNER_ADDED),)

    def on_owner_updated(self, old: ReplicaSet, new: ReplicaSet) -> tuple[Wake, ...]:
        """Every update wakes, also one of the status: it is cheap, and repairs what else might be missed."""
        before = self.on_owner_deleted(old) if old.uid != new.uid else ()
        return (*before, Wake(new.key, Cause.OWNER_CHANGED))

    def on_owner_deleted(self, owner: ReplicaSet) -> tuple[Wake, ...]:
        """A successor of the same name starts clean."""
        self._books.versions.forget(owner.key, owner.uid)
        self._books.expectations.forget(owner.key)
        return (Wake(owner.key, Cause.OWNER_DELETED),)

    def on_pod_added(self, pod: Pod) -> tuple[Wake, ...]:
        if pod.deleting:  # seen for the first time on its way out: no creation of ours
            return self._left(pod, Cause.POD_LEAVING)
        if pod.controller is not None:
            owner = self._resolved(pod.namespace, pod.controller)
            if owner is None:
                return ()
            self._books.expectations.creation_observed(owner.key)
            return (Wake(owner.key, Cause.POD_ADDED, pod.name),)
        return self._selecting(pod, Cause.ORPHAN_ADDED)

    def on_pod_updated(self, old: Pod, new: Pod) -> tuple[Wake, ...]:
        if old.version == new.version:
            return ()
        relabelled = old.labels != new.labels
        if new.deleting:
            wakes = self._left(new, Cause.POD_LEAVING)
            return _once((*wakes, *self._left(old, Cause.POD_LEAVING))) if relabelled else wakes
        moved = old.controller != new.controller
        wakes = ()
        if moved and old.controller and (before := self._resolved(old.namespace, old.controller)):
            # It is out of our count, deleted or not. The built-in controller waits five minutes for its end here.
            self._books.expectations.deletion_observed(before.key, new.uid)
            wakes = (Wake(before.key, Cause.POD_LOST, new.name),)
        if new.controller is not None:
            return _once((*wakes, *self._changed(old, new, new.controller)))
        if relabelled or moved:
            return _once((*wakes, *self._selecting(new, Cause.ORPHAN_CHANGED)))
        return wakes

    def on_pod_deleted(self, pod: Pod) -> tuple[Wake, ...]:
        """Also for a pod that a relist no longer finds: the last that was known of it."""
        return self._left(pod, Cause.POD_GONE)

    def _changed(self, old: Pod, new: Pod, reference: ControllerRef) -> tuple[Wake, ...]:
        owner = self._resolved(new.namespace, reference)
        if owner is None:
            return ()
        if old.ready or not new.ready:
            return (Wake(owner.key, Cause.POD_CHANGED, new.name),)
        now = Wake(owner.key, Cause.POD_READY, new.name)
        if owner.min_ready_seconds <= 0:
            return (now,)
        return (now, Wake(owner.key, Cause.AVAILABILITY, new.name, owner.min_ready_seconds))

    def _left(self, pod: Pod, cause: Cause) -> tuple[Wake, ...]:
        owner = self._resolved(pod.namespace, pod.controller) if pod.controller else None
        if owner is None:
            return ()  # nobody minds the end of an orphan
        self._books.expectations.deletion_observed(owner.key, pod.uid)
        return (Wake(owner.key, cause, pod.name),)

    def _resolved(self, namespace: str, reference: ControllerRef) -> ReplicaSet | None:
        """The ReplicaSet that a reference means: not another kind, and not a namesake."""
        if reference.kind != self._target.kind:
            return None
        owner = self._view.owner(Key(namespace, reference.name))
        return owner if owner is not None and owner.uid == reference.uid else None

    def _selecting(self, pod: Pod, cause: Cause) -> tuple[Wake, ...]:
        """Whoever might adopt an orphan."""
        owners = self._view.owners(pod.namespace)
        return tuple(Wake(owner.key, cause, pod.name) for owner in owners if owner.selects(pod.labels))


def _once(wakes: Iterable[Wake]) -> tuple[Wake, ...]:
    """Each key at the same delay once; the first reason is told."""
    return tuple({(wake.key, wake.after_seconds): wake for wake in reversed(tuple(wakes))}.values())[::-1]
