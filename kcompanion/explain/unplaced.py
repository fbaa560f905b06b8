"""Why a pod has no node: the scheduler's own words taken apart, beside the predicates recomputed for every node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause
from kcompanion.model.fields import dig, text_at
from kcompanion.model.finding import Evidence, Step
from kcompanion.model.message import Message, say
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.world import NotKnown, World
from kcompanion.scheduling.messages import Told, parse
from kcompanion.scheduling.placement import Placement, place
from kcompanion.scheduling.result import Miss
from kcompanion.scheduling.telling import Telling, telling, told_reason

# What only the scheduler can tell: added affinity, a node by name, unknown conditions, free devices, gates, binding.
ONLY_TOLD = (64, 65, 68, 76, 82, 84, 85)
SETTLING = 15  # seconds in which claims are made and bound, so that waiting for one is no fault yet
_WAITING = (78, 79)
_SHOWN = 3  # nodes that are cited
_GROUPS = 4  # of other nodes that are told apart
_NEAREST = ("room", "pods", "too_big", "no_resource")  # which lack of room is the least


@dataclass(frozen=True)
class Unplaced:
    """The scheduler's message, what was recomputed, and the number of the taxonomy that tells the story."""

    told: Told
    placement: Placement
    telling: Telling | None
    broken: bool = False  # the scheduler failed on it, so what it says is no judgement of the nodes

    @property
    def number(self) -> int:
        """The taxonomy's number; 0 when a node fits by all that can be seen, or nothing is known."""
        if self.broken:
            return 85 if self.told.has(85) else 0
        if self.telling is not None:
            return self.telling.number
        only = next((r.number for r in self.told.reasons if r.number in ONLY_TOLD), 0)
        if only or self.placement.fitting:
            return only
        if self.placement.gap is None and not self.placement.verdicts:
            return 86
        reason = told_reason(self.told)
        return reason.number if reason else 0


def unplaced(pod: Pod, world: World) -> Unplaced | None:
    """What is known of a pod that the scheduler found no node for; None for any other pod."""
    condition = pod.condition("PodScheduled")
    if pod.node or pod.phase != "Pending" or condition.get("status") == "True":
        return None
    if text_at(condition, "reason") not in ("Unschedulable", "SchedulerError") and not _held_by_devices(pod, world):
        return None
    memo = world.once(_Memo)
    if pod.ref.subject not in memo.found:
        placement = place(pod.raw, world)
        told = parse(text_at(condition, "message"))
        broken = text_at(condition, "reason") == "SchedulerError"
        memo.found[pod.ref.subject] = Unplaced(told, placement, telling(placement), broken)
    return memo.found[pod.ref.subject]


def _held_by_devices(pod: Pod, world: World) -> bool:
    """Whether a claim for devices is missing: the scheduler then leaves the pod out of its queue and says nothing."""
    if pod.condition("PodScheduled") or not dig(pod.raw, "spec", "resourceClaims"):
        return False
    old = (world.since(text_at(pod.raw, "metadata", "creationTimestamp")) or 0) >= SETTLING
    found = telling(place(pod.raw, world)) if old else None
    return found is not None and found.number == 82


class _Memo:
    def __init__(self, world: World) -> None:  # noqa: ARG002 - World.once calls with the World
        self.found: dict[str, Unplaced] = {}


def causes(pod: Pod, world: World, number: int) -> Iterator[Cause]:
    """The cause of a pod without a node, when `number` of the taxonomy is what tells it."""
    found = unplaced(pod, world)
    if found is None or found.number != number:
        return
    if number in _WAITING and (world.since(text_at(pod.raw, "metadata", "creationTimestamp")) or 0) < SETTLING:
        return
    if found.telling is None or found.broken:
        yield _told(pod, found)
        return
    miss = _nearest(found.telling) if number == 61 else found.telling.miss
    nodes = list(dict.fromkeys(node for node, _ in found.telling.misses))
    values = {
        **miss.values,
        "node_seen": nodes[0],
        "count": len(nodes),
        "nodes": len(found.placement.verdicts),
        "names": _named(nodes),
        "others": others(found.telling),
    }
    yield Cause(
        values,
        evidence=(*_words(pod), *_evidence(miss, found.telling)),
        steps=_steps(pod, miss),
        variant=f"cause_{miss.kind}",
        root=miss.root if miss.whole or len(nodes) == 1 else None,
    )


def others(found: Telling) -> Message | str:
    """` Other nodes: 1 tainted …, 2 cordoned.`, to be put after a sentence; or nothing."""
    if not found.others:
        return ""
    more = sum(count for count, _ in found.others[_GROUPS:])
    told: Message | None = say("why.more_nodes", count=more) if more else None
    for count, miss in reversed(found.others[:_GROUPS]):
        one = say("why.counted", count=count, short=miss.short)
        told = say("why.listed", first=one, rest=told) if told else one
    return say("why.others", list=told, space=" ")  # texts do not begin with a space themselves


def fits_now(pod: Pod, world: World) -> tuple[str, Told] | None:
    """A node that would take the pod by all that can be seen, with what the scheduler said; None when there is none.

    Raises:
        NotKnown: something that matters could not be read, and the scheduler's message tells nothing either.
    """
    found = unplaced(pod, world)
    if found is None or found.number or found.broken:
        return None
    if found.placement.fitting:
        return found.placement.fitting[0].node, found.told
    gap = found.placement.gap or next((x.gap for v in found.placement.undecided for x in v.unknown if x.gap), None)
    if gap is not None:
        raise NotKnown(gap)
    return None


def _told(pod: Pod, found: Unplaced) -> Cause:
    """The cause by the scheduler's word alone."""
    number = found.number
    reason = next((r for r in found.told.reasons if r.number == number), None)
    text = reason.text if reason else text_at(pod.condition("PodScheduled"), "message") or "-"
    values = {"told": text, "count": reason.count if reason else 0, "nodes": found.told.nodes or 0}
    return Cause(values, evidence=_words(pod), steps=(_look(pod),))


def _words(pod: Pod) -> tuple[Evidence, ...]:
    condition = pod.condition("PodScheduled")
    at = text_at(condition, "lastTransitionTime")
    return (seen(pod.ref, "status.conditions[PodScheduled].message", text_at(condition, "message") or "-", at),)


def _look(pod: Pod) -> Step:
    return inspect(f"kcompanion why {pod.name} -n {pod.namespace}", say("why.step.look"))


def _steps(pod: Pod, miss: Miss) -> tuple[Step, ...]:
    return (_look(pod), change(miss.command, miss.remedy))


def _evidence(miss: Miss, found: Telling) -> Iterator[Evidence]:
    cited = dict.fromkeys(miss.evidence)
    for _, other in found.misses:
        if other.kind == miss.kind and len(cited) < _SHOWN + 1:
            cited.update(dict.fromkeys(other.evidence))
    yield from cited


def _named(nodes: list[str]) -> str:
    more = len(nodes) - _SHOWN
    return ", ".join(nodes[:_SHOWN]) + (f" +{more}" if more > 0 else "")


def _nearest(found: Telling) -> Miss:
    """The lack of room that is the least: of the resource that most nodes lack, on the node with the most of it."""
    resources = Counter(str(miss.values["resource"]) for _, miss in found.misses)
    scarce = min(resources, key=lambda name: (-resources[name], name))
    short = [miss for _, miss in found.misses if miss.values["resource"] == scarce]
    kind = min((miss.kind for miss in short), key=_NEAREST.index)
    field = "total" if kind == "too_big" else "free"
    most: Callable[[Any], Decimal] = lambda miss: parse_quantity(miss.values[field]) or Decimal(0)  # noqa: E731 - short
    return max((miss for miss in short if miss.kind == kind), key=most)
