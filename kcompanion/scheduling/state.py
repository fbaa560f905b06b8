"""The cluster as the scheduler sees it: nodes, the pods that count on each, and what they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.podresources import Amounts, add_up, amounts, held, is_running, requests
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World


@dataclass(frozen=True)
class AntiTerm:
    """A required anti-affinity term of a pod that is on a node."""

    pod: Object
    node: str
    term: Mapping[str, Any]


class State:
    """What many predicates need, worked out once per World. Attributes raise NotKnown when it was not read."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._held: dict[str, Amounts] = {}
        self._room: dict[str, Amounts] = {}

    @cached_property
    def nodes(self) -> Mapping[str, Object]:
        return {name_of(node): node for node in self.world.all(r.NODES)}

    @cached_property
    def _pods(self) -> Mapping[str, list[Object]]:
        """The pods on each node that have not ended: the scheduler's informer knows no others."""
        made: dict[str, list[Object]] = defaultdict(list)
        for pod in self.world.all(r.PODS):
            node = text_at(pod, "spec", "nodeName")
            if node and is_running(pod):
                made[node].append(pod)
        return made

    @cached_property
    def _nominated(self) -> Mapping[str, list[Object]]:
        """Pods that wait for room which preemption makes on a node."""
        made: dict[str, list[Object]] = defaultdict(list)
        for pod in self.world.all(r.PODS):
            node = text_at(pod, "status", "nominatedNodeName")
            if node and not text_at(pod, "spec", "nodeName") and is_running(pod):
                made[node].append(pod)
        return made

    def pods_on(self, node: str, pod: Object) -> Sequence[Object]:
        """The pods that count on a node when `pod` is to be placed; it does not count itself."""
        there = self._pods.get(node, ())
        if text_at(pod, "spec", "nodeName") != node:
            return there  # it cannot be among them
        return [other for other in there if not same(other, pod)]

    def waiting_for(self, node: str, pod: Object) -> Sequence[Object]:
        """Nominated pods that go before `pod`: those of its priority or a higher one (as the scheduler counts)."""
        if not self._nominated:
            return ()
        mine = priority(pod)
        return [o for o in self._nominated.get(node, ()) if not same(o, pod) and priority(o) >= mine]

    def used(self, node: str, pod: Object) -> tuple[Amounts, int]:
        """What the pods on a node hold, and how many they are, without `pod`."""
        others = self.pods_on(node, pod)
        if others is not self._pods.get(node, ()):
            base = add_up(held(other) for other in others)
        else:
            if node not in self._held:
                self._held[node] = add_up(held(other) for other in others)
            base = self._held[node]
        nominated = self.waiting_for(node, pod)
        if not nominated:
            return base, len(others)
        return add_up([base, *(requests(other) for other in nominated)]), len(others) + len(nominated)

    def room(self, node: Object) -> Amounts:
        """What a node has for pods."""
        name = name_of(node)
        if name not in self._room:
            self._room[name] = amounts(map_at(node, "status", "allocatable"))
        return self._room[name]

    @cached_property
    def bound(self) -> Sequence[tuple[Object, str]]:
        """Every pod that counts, with its node."""
        return [(pod, node) for node, pods in self._pods.items() for pod in pods]

    @cached_property
    def anti_terms(self) -> Sequence[AntiTerm]:
        """The required anti-affinity of the pods that are on nodes."""
        return [
            AntiTerm(pod, node, term)
            for pod, node in self.bound
            for term in maps_at(pod, "spec", "affinity", "podAntiAffinity", REQUIRED)
        ]


T = TypeVar("T")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def lazily(make: Callable[[], T]) -> Callable[[], T]:
    """A function that makes its result at the first call and keeps it; what raises is tried again."""
    made: list[T] = []

    def get() -> T:
        if not made:
            made.append(make())
        return made[0]

    return get


def state_of(world: World) -> State:
    """The State of a World, the same at every call."""
    return world.once(State)


def same(one: Object, other: Object) -> bool:
    """Whether both are one pod."""
    mine, theirs = text_at(one, "metadata", "uid"), text_at(other, "metadata", "uid")
    if mine and theirs:
        return mine == theirs
    return (namespace_of(one), name_of(one)) == (namespace_of(other), name_of(other))


def priority(pod: Object) -> int:
    value = dig(pod, "spec", "priority")
    return value if isinstance(value, int) else 0


def claim_names(pod: Object) -> Iterable[tuple[str, bool]]:
    """The claims behind a pod's volumes, and whether each is made for the pod (a generic ephemeral volume)."""
    for volume in maps_at(pod, "spec", "volumes"):
        if name := text_at(volume, "persistentVolumeClaim", "claimName"):
            yield name, False
        elif "ephemeral" in volume:
            yield f"{name_of(pod)}-{text_at(volume, 'name')}", True
