"""The life of a pod, step by step: from whoever asked for it to the Services that send it traffic, and its end.

Sources are timestamps, conditions, events and ownership. Conditions keep only their last change, events live about an
hour; what neither holds any more is said to be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from kcompanion.model.events import Event
from kcompanion.model.fields import annotations_of, condition, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.model.resources import PODS
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.times import parse_time
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.orphans import Orphan
from kcompanion.trace import containers, lineage, placing, release, serving
from kcompanion.trace.containers import Box
from kcompanion.trace.creation import MIRROR, creation
from kcompanion.trace.steps import State, Step, Story, timed

EVENTS_LIVE = 3600  # seconds: --event-ttl of kube-apiserver, unless it is set
KUBELET = "kubelet"
_SEEN = "kubernetes.io/config.seen"
T = TypeVar("T")


def life(pod: Object, world: World, prefix: str = "/registry") -> Story:
    """The story of a pod. What could not be read is a gap and a step whose state says so."""
    gaps: dict[str, Gap] = {}
    ref = Ref("Pod", name_of(pod), namespace_of(pod))
    uid = text_at(pod, "metadata", "uid")
    events = _told(lambda: world.events(ref, uid), gaps)
    unread = bool(gaps)  # then a missing event proves nothing
    lost = _told(lambda: release.lost_makers(pod, world), gaps)
    boxes = containers.boxes(pod, events)
    steps = [*_told(lambda: lineage.predecessors(pod, world), gaps), *_start(pod, boxes, events, prefix, lost)]
    if not any(step.state is State.OPEN for step in steps) and not _over(pod):
        steps += [*_ready(pod, boxes, events, KUBELET), *_told(lambda: serving.endpoints(pod, world), gaps)]
    if _over(pod) or text_at(pod, "metadata", "deletionTimestamp"):
        steps = [step for step in steps if step.state is not State.OPEN]  # nobody waits for these any more
    if unread:
        steps = [replace(s, state=State.NOT_KNOWN) if s.state is State.MISSING else s for s in steps]
    later = [
        *_told(lambda: [step for one in lost for step in release.release(one, world)], gaps),
        *_node_failed(pod, events, world, gaps),
        *_later(pod, boxes, events, KUBELET),
        *_told(lambda: lineage.successors(pod, world), gaps),
    ]
    told = timed(_one_wait(steps), world.now)
    return Story(
        told,
        timed(sorted(later, key=lambda s: (s.state is State.OPEN, s.at or s.since)), world.now),
        tuple(_notes(pod, told, world)),
        tuple(gaps.values()),
    )


def _told(read: Callable[[], Iterable[T]], gaps: dict[str, Gap]) -> list[T]:
    try:
        return list(read())
    except NotKnown as unknown:
        gaps[unknown.gap.what] = unknown.gap
        return []


def _one_wait(steps: Iterable[Step]) -> Iterator[Step]:
    """Several containers may wait at once, all of them for the same reason of the pod's: each is told, none twice."""
    seen = set()
    for step in steps:
        mark = (step.id, step.part, step.state)
        if step.state is not State.OPEN or mark not in seen:
            yield step
        seen.add(mark)


def _over(pod: Object) -> bool:
    return text_at(pod, "status", "phase") in ("Succeeded", "Failed")


# ----------------------------------------------------------------------------- created, stored, bound


def _start(
    pod: Object, boxes: Sequence[Box], events: Sequence[Event], prefix: str, lost: Sequence[Orphan]
) -> list[Step]:
    """From whoever asked for it to its last container's start."""
    made = creation(pod, PODS, prefix, release.creator(lost[0]) if lost else None)
    placed = [*placing.bound(pod, events), *_on_node(pod, boxes, events, KUBELET)]
    if MIRROR not in annotations_of(pod):
        return [*made, *placed]
    seen = str(annotations_of(pod).get(_SEEN) or "")
    read = [Step("seen", KUBELET, say("trace.static.seen"), f"annotation {_SEEN}", seen)] if seen else []
    # its kubelet starts a static pod before the API server hears of it: the mirror is made meanwhile
    moment = parse_time(made[0].at)
    after = (i for i, s in enumerate(placed) if s.state is State.OPEN or _is_later(s, moment))
    place = next(after, len(placed))
    return [*read, *placed[:place], *made, *placed[place:]]


def _is_later(step: Step, moment: datetime | None) -> bool:
    done = parse_time(step.at)
    return done is not None and moment is not None and done > moment


# ------------------------------------------------------------------------------------- on the node


def _on_node(pod: Object, boxes: Sequence[Box], events: Sequence[Event], kubelet: str) -> Iterator[Step]:
    node = text_at(pod, "spec", "nodeName")
    if not node:
        return
    noticed = text_at(pod, "status", "startTime")
    if not noticed:
        since = text_at(condition(pod, "PodScheduled"), "lastTransitionTime")
        told = say("trace.waits.kubelet", node=node)
        yield Step("noticed", kubelet, told, "status.startTime", since=since, state=State.OPEN)
        return
    # a static pod is noticed before its mirror exists; the API's startTime says the same
    if MIRROR not in annotations_of(pod):
        yield Step("noticed", kubelet, say("trace.noticed"), "status.startTime", noticed)
    first = [box for box in boxes if box.sort != "app"]
    last = [box for box in boxes if box.sort == "app"]
    started = any(box.state in ("running", "terminated") or box.restarts for box in boxes)
    earliest = min((box.began[0] for box in boxes if box.began[0]), default="")
    sandbox = _sandbox(pod, events, kubelet, noticed, earliest, started=started)
    yield sandbox
    if sandbox.state is State.OPEN:
        return
    for index, box in enumerate(first):
        turn = all(_passed(before) for before in first[:index])
        made = list(containers.startup(box, kubelet, turn=turn))
        yield from made
        if any(step.state is State.OPEN for step in made):
            return
    for box in last:
        yield from containers.startup(box, kubelet, turn=True)


def _passed(box: Box) -> bool:
    if box.sort == "sidecar":
        return box.status.get("started") is True
    return map_at(box.status, "state", "terminated").get("exitCode") == 0


def _sandbox(pod: Object, events: Sequence[Event], kubelet: str, noticed: str, earliest: str, *, started: bool) -> Step:
    ready = condition(pod, "PodReadyToStartContainers")
    address = text_at(pod, "status", "podIP")
    if ready.get("status") == "True":
        told = say("trace.sandbox.host" if pod_on_host(pod) else "trace.sandbox.done", address=address or "-")
        source, at = "condition PodReadyToStartContainers", text_at(ready, "lastTransitionTime")
        if earliest and at > earliest:  # of a later sandbox, or told after the fact (static pods)
            return Step("sandbox", kubelet, told, source, state=State.MISSING)
        return Step("sandbox", kubelet, told, source, at)
    if started:
        word = "ended" if ready else "gone"  # once a sandbox is gone, the condition tells when that was
        return Step("sandbox", kubelet, say(f"trace.sandbox.{word}"), state=State.MISSING)
    trouble = [e for e in events if e.type == "Warning" and e.reporter == "kubelet" and not e.path]
    told = say("trace.waits.sandbox")
    if trouble:
        told = say("trace.waits.sandbox_failing", reason=trouble[-1].reason, message=trouble[-1].message)
    source = f"event {trouble[-1].reason}" if trouble else "condition PodReadyToStartContainers"
    return Step("sandbox", kubelet, told, source, since=noticed, state=State.OPEN)


def pod_on_host(pod: Object) -> bool:
    """Whether it lives in its node's network."""
    return map_at(pod, "spec").get("hostNetwork") is True


def _ready(pod: Object, boxes: Sequence[Box], events: Sequence[Event], kubelet: str) -> Iterator[Step]:
    ready = condition(pod, "Ready")
    if ready.get("status") == "True":
        probed = [box.name for box in boxes if box.spec.get("readinessProbe") or box.spec.get("startupProbe")]
        told = say("trace.ready.probed", containers=", ".join(probed)) if probed else say("trace.ready.unprobed")
        at = text_at(ready, "lastTransitionTime")
        if any(box.restarts for box in boxes):
            told = say("trace.ready.again", told=told)
        yield Step("ready", kubelet, told, "condition Ready", at)
        return
    since = text_at(ready, "lastTransitionTime")
    if gates := [text_at(g, "conditionType") for g in maps_at(pod, "spec", "readinessGates")]:
        open_gates = [gate for gate in gates if condition(pod, gate).get("status") != "True"]
        if open_gates and condition(pod, "ContainersReady").get("status") == "True":
            told = say("trace.waits.readiness_gate", gates=", ".join(open_gates))
            yield Step("ready", "-", told, "spec.readinessGates", since=since, state=State.OPEN)
            return
    for box in boxes:
        if box.sort != "init" and box.status.get("ready") is not True and box.state == "running":
            kind = "startupProbe" if box.status.get("started") is not True else "readinessProbe"
            begun = text_at(box.status, "state", "running", "startedAt")
            failed = serving.probe_failures(list(events), box.name)
            values: dict[str, Message | str] = {"container": box.name, "probe": kind}
            told = say("trace.waits.probe", **values)
            if failed is not None:
                told = say("trace.waits.probe_failing", count=failed.count, message=failed.message, **values)
            source = "event Unhealthy" if failed else "containerStatuses.ready"
            yield Step("ready", kubelet, told, source, since=begun, state=State.OPEN, part=box.name)


# ------------------------------------------------------------------------------------- afterwards


def _later(pod: Object, boxes: Sequence[Box], events: Sequence[Event], kubelet: str) -> Iterator[Step]:
    for box in boxes:
        yield from containers.afterwards(box, kubelet)
    unready = condition(pod, "Ready")
    if unready.get("status") == "False" and _was_up(boxes) and not _over(pod) and _node_down(events) is None:
        told = say("trace.unready", reason=text_at(unready, "reason") or "-")
        yield Step("unready", kubelet, told, "condition Ready", text_at(unready, "lastTransitionTime"))
    target = condition(pod, "DisruptionTarget")
    if target.get("status") == "True":
        told = say("trace.disrupted", reason=text_at(target, "reason"), message=text_at(target, "message"))
        actor = _manager_of(pod, "DisruptionTarget")
        yield Step("disrupted", actor, told, "condition DisruptionTarget", text_at(target, "lastTransitionTime"))
    yield from _deletion(pod, kubelet, events)
    if _over(pod):
        ends = [text_at(box.status, "state", "terminated", "finishedAt") for box in boxes]
        told = say(
            f"trace.over.{text_at(pod, 'status', 'phase').lower()}", reason=text_at(pod, "status", "reason") or "-"
        )
        yield Step("over", kubelet, told, "status.phase", max(ends, default=""))


def _node_down(events: Sequence[Event]) -> Event | None:
    return next((e for e in events if e.reason == "NodeNotReady"), None)


def _node_failed(pod: Object, events: Sequence[Event], world: World, gaps: dict[str, Gap]) -> list[Step]:
    if (down := _node_down(events)) is None:
        return []
    return _told(lambda: [placing.node_failed(pod, down, world)], gaps) or [placing.node_unready(pod, down)]


def _was_up(boxes: Sequence[Box]) -> bool:
    return any(box.restarts for box in boxes)


def _manager_of(pod: Object, type_: str) -> str:
    """Who wrote a condition last."""
    for entry in maps_at(pod, "metadata", "managedFields"):
        if f'k:{{"type":"{type_}"}}' in map_at(entry, "fieldsV1", "f:status", "f:conditions"):
            return text_at(entry, "manager")
    return "?"


def _deletion(pod: Object, kubelet: str, events: Sequence[Event]) -> Iterator[Step]:
    asked = lineage.deletion_asked(pod)
    if not asked:
        return
    grace = map_at(pod, "metadata").get("deletionGracePeriodSeconds")
    why = lineage.about_deletion(events)
    actor = why.reporter if why is not None and why.reason != "NodeNotReady" else "?"
    told = say("trace.deleted", grace=str(grace))
    yield Step("deleted", actor, told, "deletionTimestamp", asked)
    finalizers = ", ".join(x for x in pod["metadata"].get("finalizers") or () if isinstance(x, str))
    if finalizers:
        told, source, actor = say("trace.waits.finalizers", finalizers=finalizers), "metadata.finalizers", "-"
    else:
        told, source, actor = say("trace.waits.deletion"), "deletionTimestamp", kubelet
    yield Step("gone", actor, told, source, since=asked, state=State.OPEN)


def _notes(pod: Object, steps: Sequence[Step], world: World) -> Iterator[Message]:
    age = world.since(text_at(pod, "metadata", "creationTimestamp")) or 0
    if any(step.state is State.MISSING for step in steps) and age > EVENTS_LIVE:
        yield say("trace.note.events_gone")
    if any(step.at_most and step.state is State.DONE and (step.took or 0) >= 1 for step in steps):
        yield say("trace.note.at_most")
    if not map_at(pod, "metadata").get("managedFields"):
        yield say("trace.note.no_managed_fields")
    yield say("trace.note.seconds")
