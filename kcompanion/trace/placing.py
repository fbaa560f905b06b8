"""A pod and its node: how it came there, and the moment the node was not ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import annotations_of, condition, maps_at, text_at
from kcompanion.model.message import one_or_many, say
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.ownership.written import writers
from kcompanion.trace.creation import MIRROR, program
from kcompanion.trace.steps import State, Step


def bound(pod: Object, events: Sequence[Event]) -> Iterator[Step]:
    """How it came to its node, or what it waits for on the way there."""
    node = text_at(pod, "spec", "nodeName")
    if MIRROR in annotations_of(pod):
        yield Step("bound", "-", say("trace.static.bound", node=node), "annotation config.mirror")
    elif node:
        yield _on(node, pod, events)
    else:
        yield _waiting(pod)


def _on(node: str, pod: Object, events: Sequence[Event]) -> Step:
    scheduled = condition(pod, "PodScheduled")
    event = next((e for e in events if e.reason == "Scheduled"), None)
    named = writers(pod, "spec", "nodeName")  # a binding leaves no entry: whoever has one put the name there himself
    if event is None and named:
        actor = program(named[0].manager)
        return Step("bound", actor, say("trace.bound_by_hand", node=node), "spec.nodeName, managedFields")
    if event is None and not scheduled:
        return Step("bound", "-", say("trace.bound_unseen", node=node), "spec.nodeName", state=State.MISSING)
    told = say("trace.bound", node=node)
    if tries := [e for e in events if e.reason == "FailedScheduling"]:
        count = sum(e.count for e in tries)
        told = say(one_or_many("trace.bound_after", count), node=node, count=count, message=tries[-1].message)
    at = text_at(scheduled, "lastTransitionTime") or (event.first if event else "")
    sources = ["condition PodScheduled"] * bool(scheduled) + ["event Scheduled"] * bool(event)
    actor = event.reporter if event and event.reporter else _scheduler(pod)
    return Step("bound", actor, told, ", ".join(sources), at, state=State.DONE if at else State.MISSING)


def _waiting(pod: Object) -> Step:
    scheduler, scheduled = _scheduler(pod), condition(pod, "PodScheduled")
    since = text_at(scheduled, "lastTransitionTime") or text_at(pod, "metadata", "creationTimestamp")
    if gates := ", ".join(text_at(gate, "name") for gate in maps_at(pod, "spec", "schedulingGates")):
        told = say("trace.waits.gates", gates=gates)
        return Step("gates", "-", told, "spec.schedulingGates", since=since, state=State.OPEN)
    if scheduled:
        told = say("trace.waits.node", scheduler=scheduler, reason=text_at(scheduled, "message"))
        return Step("bound", scheduler, told, "condition PodScheduled", since=since, state=State.OPEN)
    told = say("trace.waits.scheduler", scheduler=scheduler)
    return Step("bound", scheduler, told, "spec.schedulerName", since=since, state=State.OPEN)


def _scheduler(pod: Object) -> str:
    return text_at(pod, "spec", "schedulerName") or "default-scheduler"


def node_unready(pod: Object, down: Event) -> Step:
    """The node was not ready, and its controller said so of the pod: all that the event itself tells."""
    told = say("trace.node_unready", node=text_at(pod, "spec", "nodeName"))
    return Step("node_lost", down.reporter, told, "event NodeNotReady", down.last)


def node_failed(pod: Object, down: Event, world: World) -> Step:
    """The same with what has become of the node.

    The event is the same for a kubelet that went silent and for one that says itself that it is not ready, as each
    does while its node is new. Silence is told only while it lasts.

    Raises:
        NotKnown: the node could not be read.
    """
    bare = node_unready(pod, down)
    name = text_at(pod, "spec", "nodeName")
    node = world.get(r.NODES, name)
    ready = condition(node or {}, "Ready")
    status, since = ready.get("status"), text_at(ready, "lastTransitionTime")
    told = bare.told
    if node is None:
        told = say("trace.node_gone", told=told)
    elif status == "Unknown":
        told = say("trace.node_lost", node=name)
    elif status == "False":
        told = say("trace.node_still", told=told, reason=text_at(ready, "reason") or "-")
    elif status == "True" and since >= down.first:
        told = say("trace.node_well", told=told, at=since)
    return replace(bare, told=told, source="event NodeNotReady, Node")
