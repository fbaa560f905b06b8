"""One ReplicaSet as it is kept, seen from outside: after each change how many pods are wanted, there and ready.

It adds to the Tracker what only matters here: pods that change hands, labels that were tampered with, the status, and
the balance. Works for any kind of ReplicaSet, whoever reconciles it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from kcompanion.model.fields import condition, dig, labels_of, map_at, maps_at, name_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Object
from kcompanion.trace.creation import CONTROLLERS, program, say_kind
from kcompanion.trace.live import Happening, Tracker

_COUNTS = ("replicas", "readyReplicas", "availableReplicas", "terminatingReplicas")


class Balance(NamedTuple):
    desired: int
    active: int
    ready: int

    @property
    def told(self) -> Message:
        apart = self.active - self.desired
        word = "ok" if apart == 0 else "few" if apart < 0 else "many"
        return say(f"reconcile.watch.balance_{word}", **self._asdict(), apart=abs(apart))


@dataclass
class Keeping:
    """Give it every notice in order; it returns what happened, the balance last."""

    kind: str
    uid: str
    tracker: Tracker = field(init=False)
    _told: Balance | None = None

    def __post_init__(self) -> None:
        self.tracker = Tracker(roots={self.uid})

    @property
    def controller(self) -> str:
        return CONTROLLERS.get(self.kind) or say_kind(self.kind)

    @property
    def replicaset(self) -> Object:
        return self.tracker.objects.get(self.uid, ("", {}))[1]

    def balance(self) -> Balance:
        desired = dig(self.replicaset, "spec", "replicas")
        active = [pod for pod in self.tracker.pods() if self._owns(pod) and _is_active(pod)]
        ready = [pod for pod in active if condition(pod, "Ready").get("status") == "True"]
        return Balance(desired if isinstance(desired, int) else 1, len(active), len(ready))

    def see(self, kind: str, change: str, item: Object, ms: int) -> list[Happening]:
        """What a change means, for the ReplicaSet and its pods."""
        uid = text_at(item, "metadata", "uid")
        before = self.tracker.objects.get(uid, ("", None))[1]
        came_over = kind == "Pod" and change == "MODIFIED" and before is None and self._owns(item)
        # a pod that only changed hands was not created now
        found = self.tracker.see(kind, "PRESENT" if came_over else change, item, ms)
        if came_over:  # older states of it, which waited to be placed, must not win
            self.tracker.objects[uid] = (kind, item)
        found = [self._by_whom(one, item) for one in found]
        if kind == "Pod" and uid in self.tracker.objects and change != "PRESENT":
            found += self._hands(before, item, ms, came_over=came_over)
        elif uid == self.uid and before is not None and change == "MODIFIED":
            found += self._status(before, item, ms)
        return [*found, *self._news(change, ms)]

    def _news(self, change: str, ms: int) -> Iterator[Happening]:
        now = self.balance()
        if now == self._told or not self.replicaset:
            return
        first, self._told = self._told is None, now
        if change != "PRESENT" and not first:
            yield self._of_set(ms, "", now.told, "balance")

    def start(self) -> Happening:
        """The balance to begin with, once everything that was there is known."""
        self._told = self.balance()
        return self._of_set(0, "", self._told.told, "balance")

    def _by_whom(self, one: Happening, item: Object) -> Happening:
        """Who scaled it is in managedFields; the Tracker only knows who made it."""
        if one.id != "scaled":
            return one
        return replace(one, actor=last_writer(item, "f:spec", "f:replicas") or one.actor)

    def _hands(self, before: Object | None, after: Object, ms: int, *, came_over: bool) -> Iterator[Happening]:
        subject = f"pod/{name_of(after)}"
        if before is not None and labels_of(before) != labels_of(after):
            actor = last_writer(after, "f:metadata", "f:labels") or "?"
            yield Happening(ms, actor, subject, say("reconcile.watch.labels", labels=_changed(before, after)), "labels")
        if came_over or (before is not None and self._owns(after) and not self._owns(before)):
            yield self._handed(ms, subject, "adopted")
        elif before is not None and self._owns(before) and not self._owns(after):
            yield self._handed(ms, subject, "released")

    def _handed(self, ms: int, subject: str, word: str) -> Happening:
        owner = f"{self.kind} {name_of(self.replicaset)}"
        return Happening(ms, self.controller, subject, say(f"reconcile.watch.{word}", owner=owner), word)

    def _status(self, before: Object, after: Object, ms: int) -> Iterator[Happening]:
        changes = [
            f"{name} {_count(before, name)} → {_count(after, name)}"
            for name in _COUNTS
            if _count(before, name) != _count(after, name)
        ]
        if changes:
            yield self._of_set(ms, self.controller, say("reconcile.watch.status", changes=", ".join(changes)), "status")

    def _of_set(self, ms: int, actor: str, told: Message, name: str) -> Happening:
        return Happening(ms, actor, f"{self.kind.lower()}/{name_of(self.replicaset)}", told, name)

    def _owns(self, pod: Object) -> bool:
        owners = maps_at(pod, "metadata", "ownerReferences")
        return any(owner.get("controller") is True and owner.get("uid") == self.uid for owner in owners)


def last_writer(item: Object, *path: str) -> str:
    """The manager that wrote a field last, as a program's name; empty if managedFields do not tell."""
    writers = [
        entry for entry in maps_at(item, "metadata", "managedFields") if dig(entry, "fieldsV1", *path) is not None
    ]
    newest = max(writers, key=lambda entry: text_at(entry, "time"), default=None)
    return program(text_at(newest, "manager")) if newest is not None else ""


def _is_active(pod: Object) -> bool:
    finished = text_at(pod, "status", "phase") in ("Succeeded", "Failed")
    return not finished and not map_at(pod, "metadata").get("deletionTimestamp")


def _changed(before: Object, after: Object) -> str:
    """`app=web → app=bad, -tier`."""
    old, new = labels_of(before), labels_of(after)
    changed = [f"{key}={old[key]} → {key}={new[key]}" for key in old.keys() & new.keys() if old[key] != new[key]]
    added = [f"+{key}={new[key]}" for key in new.keys() - old.keys()]
    return ", ".join(sorted(changed) + sorted(added) + [f"-{key}" for key in sorted(old.keys() - new.keys())])


def _count(item: Object, name: str) -> Any:  # noqa: ANN401 - a number, as the API has it
    return map_at(item, "status").get(name) or 0
