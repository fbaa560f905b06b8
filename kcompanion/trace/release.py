"""A pod that no controller owns though one made it: which one did, and how the tie was cut."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.model.fields import labels_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.resources import PODS
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.orphans import Orphan, Sort, orphans
from kcompanion.ownership.owners import Entity
from kcompanion.trace.creation import Creator, actor_of, owner_of, program
from kcompanion.trace.steps import State, Step

_ORDINAL = "statefulset.kubernetes.io/pod-name"  # StatefulSets give names themselves; all others have them generated


def lost_makers(pod: Object, world: World) -> Iterator[Orphan]:
    """The controller that made a pod and does not own it, if there is one; of a pod made by hand nothing is read.

    Raises:
        NotKnown: the controllers of its namespace could not be read.
    """
    if owner_of(pod) is not None or not (text_at(pod, "metadata", "generateName") or _ORDINAL in labels_of(pod)):
        return
    found, gaps = orphans([Entity(PODS, pod)], world)
    if gaps:
        raise NotKnown(gaps[0])
    yield from (one for one in found if one.maker is not None)


def creator(lost: Orphan) -> Creator:
    """Who asked for the pod."""
    word = "let_go" if lost.maker_exists else "left"
    kind = lost.maker.kind if lost.maker else ""
    return Creator(actor_of(kind), say(f"trace.created.{word}", owner=str(lost.maker)), "name, labels")


def release(lost: Orphan, world: World) -> Iterator[Step]:
    """When it was let go, whose write led to that, and what its controller has made since.

    The time is that of the manager's last write, which is a hint: it may have written something else since.

    Raises:
        NotKnown: the newer pod could not be read.
    """
    if lost.sort is not Sort.RELEASED or lost.maker is None:
        return
    actor, write = actor_of(lost.maker.kind), lost.write
    told, source, at = say("trace.released.told", labels=_labels(lost)), "labels", ""
    if write is not None:
        told = say("trace.released.written", told=told, manager=program(write.manager))
        source, at = "labels, managedFields", write.time
    yield Step("released", actor, told, source, at, state=State.DONE if at else State.MISSING)
    if lost.replacement is not None:
        newer = world.get(PODS, lost.replacement.name, lost.replacement.namespace) or {}
        made = text_at(newer, "metadata", "creationTimestamp")
        if made >= at:
            told = say("trace.lineage.newest", name=lost.replacement.name)
            yield Step("successor", actor, told, "ownerReferences", made)


def _labels(lost: Orphan) -> Message:
    told: Message | None = None
    for key, wanted, found in reversed(lost.differing):
        one = say(f"trace.released.{'differs' if found else 'lacks'}", key=key, wanted=wanted, found=found)
        told = say("trace.released.also", first=one, rest=told) if told else one
    return told or say("trace.released.unlike")
