"""What changes of objects mean, as they happen: from watch notices to steps with an actor.

Pure: it is given every change in the order of arrival and remembers what it has seen. Followed are some objects and
whatever they own; a pod may arrive before the ReplicaSet that tells whose it is, so what cannot be placed yet waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.events import Event, event_of
from kcompanion.model.fields import condition, dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.snapshot import Object
from kcompanion.trace.creation import actor_of, creator_of, owner_of, program
from kcompanion.trace.managed import SYSTEM, writers

# What the doings of a whole cluster are told from, beside the Leases of its leaders.
WATCHED = (
    r.PODS,
    r.EVENTS,
    r.DEPLOYMENTS,
    r.REPLICASETS,
    r.STATEFULSETS,
    r.DAEMONSETS,
    r.JOBS,
    r.CRONJOBS,
    r.ENDPOINTSLICES,
)
LEADERS = "kube-system"  # where their Leases are

HELD = 500  # changes of others' objects that may still turn out to be ours
_DOUBLE = frozenset({"Scheduled"})  # events that say what the object itself tells too
_CONDITIONS = {
    "PodReadyToStartContainers": "sandbox",
    "Initialized": "initialized",
    "ContainersReady": "containers_ready",
    "Ready": "is_ready",
}


DISRUPTED = "DisruptionTarget"
# Who sets the condition, by its reason (kubernetes.io: pod disruption conditions). An eviction is asked of the API
# server by a client that no object names.
_DISRUPTERS = {
    "EvictionByEvictionAPI": "kube-apiserver",
    "DeletionByTaintManager": "taint-eviction-controller",
    "DeletionByPodGC": "pod-garbage-collector-controller",
    "PreemptionByScheduler": "default-scheduler",
    "TerminationByKubelet": "kubelet",
}


@dataclass(frozen=True)
class Happening:
    """One thing that happened; `ms` are milliseconds since the beginning, as seen from here."""

    ms: int
    actor: str
    subject: str
    told: Message
    id: str

    def to_json(self) -> dict[str, Any]:
        return {"ms": self.ms, "actor": self.actor, "subject": self.subject, "told": self.told.to_json(), "id": self.id}


@dataclass
class Tracker:
    """Follows `roots` (uids) and what they own, or `everything`; `spaces`: subjects with their namespace."""

    roots: set[str] = field(default_factory=set)
    everything: bool = False
    spaces: bool = False
    objects: dict[str, tuple[str, Object]] = field(default_factory=dict)  # uid: kind, latest state
    _waiting: list[tuple[int, str, str, Object]] = field(default_factory=list)
    _told_endpoints: dict[tuple[str, str], bool] = field(default_factory=dict)
    _told_events: dict[str, int] = field(default_factory=dict)

    def follow(self, uid: str) -> list[Happening]:
        """Follows one more object; returns what had waited for it."""
        self.roots.add(uid)
        return list(self._replay())

    def see(self, kind: str, change: str, item: Object, ms: int) -> list[Happening]:
        """What a change means. PRESENT is what was there before, and is only remembered."""
        if not self._followed(kind, item):
            self._waiting = [*self._waiting[-HELD:], (ms, kind, change, item)]
            return []
        found = list(self._take(kind, change, item, ms))
        return [*found, *self._replay()]

    def pods(self) -> list[Object]:
        """The pods that are followed and still there."""
        return [item for kind, item in self.objects.values() if kind == "Pod"]

    def _replay(self) -> Iterator[Happening]:
        """Takes what waited and can be placed now, until nothing more can."""
        moved = True
        while moved:
            moved = False
            for entry in list(self._waiting):
                ms, kind, change, item = entry
                if self._followed(kind, item):
                    self._waiting.remove(entry)
                    moved = True
                    yield from self._take(kind, change, item, ms)

    def _followed(self, kind: str, item: Object) -> bool:
        if self.everything:
            return True
        if kind == "Event":
            uid = event_of(item).uid
            return uid in self.roots or uid in self.objects
        if kind == "EndpointSlice":
            return any(text_at(e, "targetRef", "uid") in self.objects for e in maps_at(item, "endpoints")) or any(
                name_of(item) == name for name, _ in self._told_endpoints
            )
        owners = {text_at(owner, "uid") for owner in maps_at(item, "metadata", "ownerReferences")}
        mine = text_at(item, "metadata", "uid")
        return mine in self.roots or mine in self.objects or any(o in self.roots or o in self.objects for o in owners)

    def _take(self, kind: str, change: str, item: Object, ms: int) -> Iterator[Happening]:
        if kind == "Event":
            yield from self._event(item, change, ms)
            return
        if kind == "EndpointSlice":
            yield from self._endpoints(item, change, ms)
            return
        uid = text_at(item, "metadata", "uid")
        _, before = self.objects.get(uid, (kind, None))
        subject = self._subject(item, f"{kind.lower()}/{name_of(item)}")
        if change == "DELETED":
            self.objects.pop(uid, None)
            yield Happening(ms, "kube-apiserver", subject, say("trace.live.gone"), "gone")
            return
        self.objects[uid] = (kind, item)
        if change == "PRESENT":
            return
        if before is None and kind != "Lease":
            yield Happening(ms, creator_of(item).actor, subject, say("trace.live.created"), "created")
        for name, actor, told in _differences(kind, before or {}, item):
            yield Happening(ms, actor, subject, told, name)

    def _event(self, item: Object, change: str, ms: int) -> Iterator[Happening]:
        event = event_of(item)
        uid = text_at(item, "metadata", "uid")
        known = self._told_events.get(uid, 0)
        self._told_events[uid] = event.count
        if change in ("PRESENT", "DELETED") or event.count <= known or event.reason in _DOUBLE:
            return
        told = say("trace.live.event", reason=event.reason, message=event.message)
        subject = self._subject(item, _about(event))
        yield Happening(ms, event.reporter or "?", subject, told, f"event.{event.reason}")

    def _endpoints(self, item: Object, change: str, ms: int) -> Iterator[Happening]:
        subject, piece = self._subject(item, f"endpointslice/{name_of(item)}"), name_of(item)
        here: dict[str, bool] = {}
        for endpoint in maps_at(item, "endpoints") if change != "DELETED" else ():
            target = map_at(endpoint, "targetRef")
            if self.everything or text_at(target, "uid") in self.objects:
                here[text_at(target, "name")] = map_at(endpoint, "conditions").get("ready") is not False
        for pod, ready in here.items():
            if self._told_endpoints.get((piece, pod)) != ready and change != "PRESENT" and pod:
                name = "endpoint" if ready else "endpoint_unready"
                yield Happening(ms, "endpointslice-controller", subject, say(f"trace.live.{name}", pod=pod), name)
            self._told_endpoints[(piece, pod)] = ready
        for known in [pair for pair in self._told_endpoints if pair[0] == piece and pair[1] not in here]:
            del self._told_endpoints[known]
            told = say("trace.live.endpoint_gone", pod=known[1])
            yield Happening(ms, "endpointslice-controller", subject, told, "endpoint_gone")

    def _subject(self, item: Object, told: str) -> str:
        space = namespace_of(item)
        return f"{space}: {told}" if self.spaces and space else told

    @property
    def serving(self) -> bool:
        """Whether some EndpointSlice holds a followed pod as ready."""
        return any(self._told_endpoints.values())


def _about(event: Event) -> str:
    return f"{event.kind.lower()}/{event.name}"


# ------------------------------------------------------------------------------------- differences

_Difference = tuple[str, str, Message]


def _differences(kind: str, before: Object, after: Object) -> Iterator[_Difference]:
    if kind == "Pod":
        yield from _of_pod(before, after)
        return
    if kind == "Lease":
        leader = text_at(after, "spec", "holderIdentity")
        if leader and leader != text_at(before, "spec", "holderIdentity"):
            yield "elected", leader, say("trace.live.elected", holder=leader)
        return
    old, new = dig(before, "spec", "replicas"), dig(after, "spec", "replicas")
    if before and old != new and isinstance(new, int):
        yield "scaled", _scaler(after), say(one_or_many("trace.live.scaled", new), count=new)


def _scaler(item: Object) -> str:
    """Who set spec.replicas last: kubectl scale and autoscalers are not who made the object."""
    those = [one for one in writers(item) if "spec.replicas" in one.fields]
    newest = max(those, key=lambda one: (one.time, one.subresource == "scale"), default=None)
    owner = owner_of(item)
    if owner is not None and (newest is None or newest.manager in SYSTEM):
        return actor_of(owner.kind)
    return (program(newest.manager) if newest else "") or "?"


def _of_pod(before: Object, after: Object) -> Iterator[_Difference]:
    node = text_at(after, "spec", "nodeName")
    if node and not text_at(before, "spec", "nodeName"):
        scheduler = text_at(after, "spec", "schedulerName") or "default-scheduler"
        yield "bound", scheduler, say("trace.live.bound", node=node)
    if text_at(after, "status", "startTime") and not text_at(before, "status", "startTime"):
        yield "noticed", "kubelet", say("trace.live.noticed")
    early = ("PodReadyToStartContainers", "Initialized")
    yield from _conditions(before, after, early)
    for field_name in ("initContainerStatuses", "containerStatuses"):
        yield from _containers(field_name, before, after)
    yield from _conditions(before, after, ("ContainersReady", "Ready"))
    phase = text_at(after, "status", "phase")
    if phase in ("Succeeded", "Failed") and phase != text_at(before, "status", "phase"):
        reason = text_at(after, "status", "reason")
        told = say("trace.live.phase_why", phase=phase, reason=reason) if reason else None
        yield "phase", "kubelet", told or say("trace.live.phase", phase=phase)
    yield from _disruption(before, after)
    if text_at(after, "metadata", "deletionTimestamp") and not text_at(before, "metadata", "deletionTimestamp"):
        grace = map_at(after, "metadata").get("deletionGracePeriodSeconds")
        yield "deleting", "kube-apiserver", say("trace.live.deleting", grace=str(grace))


def _disruption(before: Object, after: Object) -> Iterator[_Difference]:
    """A pod that is to go for a reason not its own: drained, preempted, its node gone or short of room."""
    new = condition(after, DISRUPTED)
    if new.get("status") == "True" and condition(before, DISRUPTED).get("status") != "True":
        reason = text_at(new, "reason")
        yield "evicted", _DISRUPTERS.get(reason, "?"), say("trace.live.evicted", reason=reason or "-")


def _conditions(before: Object, after: Object, types: tuple[str, ...]) -> Iterator[_Difference]:
    for type_ in types:
        old, new = condition(before, type_).get("status"), condition(after, type_).get("status")
        if type_ == "Initialized" and not map_at(after, "spec").get("initContainers"):
            continue
        if new == "True" and old != "True":
            yield _CONDITIONS[type_], "kubelet", say(f"trace.live.{_CONDITIONS[type_]}")
        elif type_ == "Ready" and old == "True" and new != "True":
            yield "not_ready", "kubelet", say("trace.live.not_ready")


def _containers(field_name: str, before: Object, after: Object) -> Iterator[_Difference]:
    old = {text_at(status, "name"): status for status in maps_at(before, "status", field_name)}
    for status in maps_at(after, "status", field_name):
        yield from _container(old.get(text_at(status, "name"), {}), status)


def _container(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[_Difference]:
    name = text_at(after, "name")
    count, counted = after.get("restartCount"), before.get("restartCount")
    if isinstance(count, int) and count > (counted if isinstance(counted, int) else 0):
        yield "restarted", "kubelet", say("trace.live.restarted", container=name, count=count)
    old, new = map_at(before, "state"), map_at(after, "state")
    reason = text_at(new, "waiting", "reason")
    if (
        reason
        and reason not in ("ContainerCreating", "PodInitializing")
        and reason != text_at(old, "waiting", "reason")
    ):
        yield "waiting", "kubelet", say("trace.live.waiting", container=name, reason=reason)
    if new.get("running") and not old.get("running"):
        yield "running", "kubelet", say("trace.live.running", container=name)
    ended = map_at(new, "terminated")
    if ended and not old.get("terminated"):
        how = say("trace.exit", code=str(ended.get("exitCode")), reason=text_at(ended, "reason") or "-")
        yield "ended", name, say("trace.live.ended", container=name, how=how)
