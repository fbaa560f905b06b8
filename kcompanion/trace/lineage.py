"""Replacement told apart from restart: which pods stood in this one's place before it, and which came after.

A controller never revives a pod; it makes another. That a certain pod was made *instead of* a certain other is
nowhere written. It is told only where nothing else is possible: one replica, or one gone and one new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.times import parse_time
from kcompanion.model.world import World
from kcompanion.trace.creation import CONTROLLERS, owner_of
from kcompanion.trace.steps import Step

_CREATED = re.compile(r"^(?:\(combined from similar events\): )?Created pod: (\S+)$")
_DELETED = re.compile(r"^(?:\(combined from similar events\): )?Deleted pod: (\S+)$")
_LIMIT = 5  # predecessors told by name


@dataclass(frozen=True)
class Sibling:
    """A pod of the same controller, as far as objects and events still tell."""

    name: str
    created: str
    gone: bool  # no such pod any more
    ending: bool  # it is being deleted, or has failed
    ended: str = ""  # when its deletion was asked for, or it failed


def predecessors(pod: Object, world: World) -> Iterator[Step]:
    """Steps about the pods before this one.

    Raises:
        NotKnown: the controller, its pods or its events could not be read.
    """
    owner = owner_of(pod)
    if owner is None or owner.kind not in ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"):
        return
    yield from _same_name(pod, world)
    if owner.kind not in ("ReplicaSet", "ReplicationController"):
        return
    siblings = _siblings(pod, owner, world)
    mine = text_at(pod, "metadata", "creationTimestamp")
    before = [
        s for s in siblings if (s.gone or s.ending) and s.created <= mine and s.ended <= mine and s.name != name_of(pod)
    ]
    actor = CONTROLLERS[owner.kind]
    if not before:
        return
    proved = _replaced(pod, before, siblings, _wanted(owner, world))
    if proved is not None:
        told = say("trace.lineage.instead", name=proved.name)
        yield Step("instead", actor, told, _source(owner, proved), proved.ended)
        return
    names = ", ".join(s.name for s in before[:_LIMIT])
    told = say("trace.lineage.before", names=names, count=len(before))
    yield Step("before", actor, told, f"events of {owner.kind} {owner.name}")


def successors(pod: Object, world: World) -> Iterator[Step]:
    """Steps about the pods that came after this one began to go.

    Raises:
        NotKnown: as above.
    """
    owner, ending = owner_of(pod), end_of(pod)
    if owner is None or not ending or owner.kind not in ("ReplicaSet", "ReplicationController"):
        return
    siblings = _siblings(pod, owner, world)
    after = [s for s in siblings if s.created >= ending and s.name != name_of(pod)]
    actor = CONTROLLERS[owner.kind]
    others_ending = [s for s in siblings if (s.gone or s.ending) and s.name != name_of(pod)]
    if len(after) == 1 and not others_ending:
        yield Step(
            "successor", actor, say("trace.lineage.successor", name=after[0].name), "ownerReferences", after[0].created
        )
    elif after:
        names = ", ".join(s.name for s in after[:_LIMIT])
        told = say("trace.lineage.after", names=names, count=len(after))
        yield Step("after", actor, told, "ownerReferences", after[0].created)


def end_of(pod: Object) -> str:
    """When the pod began to go: its deletion was asked for, or it failed. Empty when it did neither."""
    if asked := deletion_asked(pod):
        return asked
    if text_at(pod, "status", "phase") != "Failed":
        return ""
    ends = [text_at(s, "state", "terminated", "finishedAt") for s in maps_at(pod, "status", "containerStatuses")]
    disrupted = [
        text_at(c, "lastTransitionTime")
        for c in maps_at(pod, "status", "conditions")
        if c.get("type") == "DisruptionTarget"
    ]
    return max([*ends, *disrupted], default="")


def deletion_asked(pod: Object) -> str:
    """When its deletion was asked for: deletionTimestamp is that plus the grace period (ObjectMeta)."""
    due = parse_time(text_at(pod, "metadata", "deletionTimestamp"))
    grace = dig(pod, "metadata", "deletionGracePeriodSeconds")
    if due is None:
        return ""
    seconds = grace if isinstance(grace, int) else 0
    return (due - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _same_name(pod: Object, world: World) -> Iterator[Step]:
    """StatefulSets give a new pod the old name; its events stay, under another uid."""
    uid = text_at(pod, "metadata", "uid")
    ref = Ref("Pod", name_of(pod), namespace_of(pod))
    others = [e for e in world.events(ref) if e.uid not in ("", uid, ref.name)]
    owner = owner_of(pod)
    if others and owner is not None:
        last = max(others, key=lambda e: e.last)
        told = say("trace.lineage.same_name", uid=last.uid, reason=last.reason)
        yield Step("same_name", CONTROLLERS.get(owner.kind, owner.kind), told, f"event {last.reason}", last.last)


def _siblings(pod: Object, owner: Ref, world: World) -> list[Sibling]:
    uid = next(
        (text_at(x, "uid") for x in maps_at(pod, "metadata", "ownerReferences") if x.get("controller") is True), ""
    )
    there = {}
    for other in world.all(r.PODS, namespace_of(pod)):
        if any(text_at(x, "uid") == uid for x in maps_at(other, "metadata", "ownerReferences")):
            ended = end_of(other)
            created = text_at(other, "metadata", "creationTimestamp")
            there[name_of(other)] = Sibling(name_of(other), created, False, bool(ended), ended)
    events = world.events(owner, uid)
    told = [(found[1], event) for event in events if (found := _CREATED.match(event.message))]
    removed = {found[1] for event in events if (found := _DELETED.match(event.message))}  # too many, not lost
    told = [(name, event) for name, event in told if name not in removed]
    gone = {name: Sibling(name, event.first, True, False) for name, event in told if name not in there}
    return sorted([*there.values(), *gone.values()], key=lambda s: (s.created, s.name))


def _wanted(owner: Ref, world: World) -> int | None:
    resource = r.REPLICASETS if owner.kind == "ReplicaSet" else r.REPLICATIONCONTROLLERS
    count = map_at(world.get(resource, owner.name, owner.namespace) or {}, "spec").get("replicas")
    return count if isinstance(count, int) else None


def _replaced(
    pod: Object, before: Sequence[Sibling], siblings: Sequence[Sibling], wanted: int | None
) -> Sibling | None:
    """The one pod that this one stands in for, where it can be no other."""
    mine = text_at(pod, "metadata", "creationTimestamp")
    if wanted == 1:
        last = before[-1]
        return last if last.created < mine else None
    if len(before) != 1:
        return None
    if before[0].gone:
        # as many pods as wanted and one more were ever made: the newest made up for the one that was lost
        newest = all(s.created < mine for s in siblings if s.name != name_of(pod))
        return before[0] if newest and len(siblings) == (wanted or 0) + 1 else None
    new = [s for s in siblings if s.created >= before[0].ended and s.name != before[0].name]
    return before[0] if len(new) == 1 and new[0].name == name_of(pod) else None


def _source(owner: Ref, other: Sibling) -> str:
    return f"Pod {other.name}" if not other.gone else f"events of {owner.kind} {owner.name}"


def about_deletion(events: Sequence[Event]) -> Event | None:
    """The latest event that tells why a pod has to go."""
    reasons = ("TaintManagerEviction", "Evicted", "Preempted", "Preempting", "NodeNotReady")
    return max((e for e in events if e.reason in reasons), key=lambda e: e.last, default=None)
