"""Controllers in each other's way: selectors that overlap, two that set one number, one that undoes itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, listing
from kcompanion.model.events import Event, event_of
from kcompanion.model.fields import map_at, namespace_of, text_at
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.selectors import selects
from kcompanion.model.snapshot import Gap
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.claim import COUNTING, Controller, controllers_in
from kcompanion.ownership.owners import controller_of
from kcompanion.ownership.written import writers

# Making and deleting by turns: this often each within this many seconds is no scaling by hand.
_TURNS, _WITHIN = 3, 600
_MAKES, _DELETES = "SuccessfulCreate", "SuccessfulDelete"
_SCALER = "kube-controller-manager"  # writes for HorizontalPodAutoscalers, through the scale subresource


class Clash(StrEnum):
    """How two controllers, or one and another hand, get into each other's way."""

    OVERLAP = "overlap"  # the selector of one fits what the other makes
    SCALERS = "scalers"  # two HorizontalPodAutoscalers set one number of replicas
    SCALED_AND_APPLIED = "scaledAndApplied"  # an autoscaler and whoever applies the manifest both set it
    BY_TURNS = "byTurns"  # it makes and deletes by turns


@dataclass(frozen=True)
class Conflict:
    """A clash, the objects in it, and what shows it."""

    clash: Clash
    parties: tuple[Ref, ...]
    detail: str = ""
    count: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "clash": self.clash.value,
            "parties": [ref.subject for ref in self.parties],
            "detail": self.detail,
            "count": self.count,
        }


def conflicts(namespace: str, world: World) -> tuple[tuple[Conflict, ...], tuple[Gap, ...]]:
    """The clashes of a namespace (or of all), and what could not be read to tell."""
    found: list[Conflict] = []
    gaps: dict[str, Gap] = {}
    for look in (_pod_overlaps, _replicaset_overlaps, _scalers, _by_turns):
        try:
            found += look(namespace, world)
        except NotKnown as unknown:
            gaps[unknown.gap.what] = unknown.gap
    return tuple(found), tuple(gaps[key] for key in sorted(gaps))


def _pod_overlaps(namespace: str, world: World) -> Iterator[Conflict]:
    yield from _overlaps(namespace, r.PODS, world)


def _replicaset_overlaps(namespace: str, world: World) -> Iterator[Conflict]:
    yield from _overlaps(namespace, r.REPLICASETS, world)


def _overlaps(namespace: str, claimed: Resource, world: World) -> Iterator[Conflict]:
    """Pairs of which one selects what the other makes, by the labels in the template."""
    by_space: dict[str, list[Controller]] = {}
    for one in controllers_in(namespace, claimed, world):
        if one.at_work and not one.deleting:
            by_space.setdefault(one.ref.namespace, []).append(one)
    for those in by_space.values():
        for first, second in _candidates(those):
            if not _same_owner(first, second) and (_fits(first, second) or _fits(second, first)):
                fitting = first if _fits(first, second) else second
                yield Conflict(Clash.OVERLAP, (first.ref, second.ref), fitting.selector_text)


def _candidates(controllers: Sequence[Controller]) -> Iterator[tuple[Controller, Controller]]:
    """Pairs that may overlap: one selects by a label that the other's template has. Not every pair of thousands."""
    by_label: dict[tuple[str, Any], list[int]] = {}
    for index, one in enumerate(controllers):
        for label in one.template_labels.items():
            by_label.setdefault(label, []).append(index)
    pairs: set[tuple[int, int]] = set()
    for index, one in enumerate(controllers):
        required = list(map_at(one.selector, "matchLabels").items())
        if required:
            near = min((by_label.get(label, []) for label in required), key=len)
        else:  # expressions only
            near = list(range(len(controllers)))
        pairs |= {(min(index, other), max(index, other)) for other in near if other != index}
    return ((controllers[first], controllers[second]) for first, second in sorted(pairs))


def _fits(controller: Controller, other: Controller) -> bool:
    return selects(controller.selector, other.template_labels)


def _same_owner(first: Controller, second: Controller) -> bool:
    """Two ReplicaSets of one Deployment are told apart by their hash; whoever made both knows what it does."""
    owners = controller_of(first.item), controller_of(second.item)
    return owners[0] is not None and owners[1] is not None and owners[0].uid == owners[1].uid


def _scalers(namespace: str, world: World) -> Iterator[Conflict]:
    targets: dict[tuple[str, str, str, str], list[Ref]] = {}
    for scaler in world.all(r.HPAS, namespace):
        aim = map_at(scaler, "spec", "scaleTargetRef")
        group = text_at(aim, "apiVersion").rpartition("/")[0]
        key = namespace_of(scaler), group, text_at(aim, "kind"), text_at(aim, "name")
        targets.setdefault(key, []).append(ref_of(scaler, "HorizontalPodAutoscaler"))
    for (space, group, kind, name), scalers in sorted(targets.items()):
        target = Ref(kind, name, space)
        if len(scalers) > 1:
            yield Conflict(Clash.SCALERS, (*sorted(scalers), target), count=len(scalers))
        elif group == "apps" and (resource := _SCALED.get(kind)) is not None:
            yield from _also_applied(resource, target, scalers[0], world)


_SCALED = {"Deployment": r.DEPLOYMENTS, "ReplicaSet": r.REPLICASETS, "StatefulSet": r.STATEFULSETS}


def _also_applied(resource: Resource, target: Ref, scaler: Ref, world: World) -> Iterator[Conflict]:
    """Whoever applies the manifest with `replicas` sets the number back at every apply."""
    item = world.get(resource, target.name, target.namespace, managed=True)
    hands = [write.manager for write in writers(item or {}, "spec", "replicas")]
    others = sorted({hand for hand in hands if hand != _SCALER})
    if _SCALER in hands and others:
        yield Conflict(Clash.SCALED_AND_APPLIED, (scaler, target), ", ".join(others))


def events_asked(namespace: str) -> tuple[Ask, Ask]:
    """The events that tell of pods made and deleted; all events of a large cluster would be too many."""
    made, deleted = (listing(r.EVENTS, namespace or None, fields=f"reason={word}") for word in (_MAKES, _DELETES))
    return made, deleted


def _by_turns(namespace: str, world: World) -> Iterator[Conflict]:
    """A controller that makes pods again and again after it deleted some; a roll-out does first one, then the other."""
    made, deleted = (_recent_events(ask, world) for ask in events_asked(namespace))
    for ref in sorted(made.keys() & deleted.keys()):
        turns = _turns(made[ref], deleted[ref], world)
        if turns >= _TURNS:
            counts = (sum(event.count for event in events) for events in (made[ref], deleted[ref]))
            yield Conflict(Clash.BY_TURNS, (ref,), "/".join(map(str, counts)), turns)


def _recent_events(ask: Ask, world: World) -> dict[Ref, list[Event]]:
    """What recent events tell of each controller that counts pods."""
    found: dict[Ref, list[Event]] = {}
    for event in map(event_of, world.ask(ask).body or ()):
        if event.kind in COUNTING and _recent(event, world):
            found.setdefault(Ref(event.kind, event.name, event.namespace), []).append(event)
    return found


def _turns(made: Sequence[Event], deleted: Sequence[Event], world: World) -> int:
    """How often something was deleted and then something made."""
    moments = [(-ago, True) for ago in _moments(made, world)] + [(-ago, False) for ago in _moments(deleted, world)]
    return sum(makes and not before for (_, before), (_, makes) in pairwise(sorted(moments)))


def _moments(events: Sequence[Event], world: World) -> Iterator[float]:
    """How long ago each thing happened; those counted in one event are taken to be evenly spread."""
    for event in events:
        last = world.since(event.last) or 0.0
        first = world.since(event.first) or last
        steps = max(event.count - 1, 1)
        yield from (last + (first - last) * step / steps for step in range(event.count))


def _recent(event: Event, world: World) -> bool:
    seconds = world.since(event.last)
    return seconds is not None and seconds <= _WITHIN
