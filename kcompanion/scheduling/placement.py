"""One pod against every node: all predicates, in the order in which the scheduler asks its plugins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from kcompanion.model.fields import dig, labels_of, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.scheduling.affinity import node_affinity, node_name
from kcompanion.scheduling.devices import declared_features, dynamic_resources, volume_limits
from kcompanion.scheduling.neighbours import inter_pod_affinity
from kcompanion.scheduling.result import MET, NOTHING_ASKED, Fit, Miss, Result
from kcompanion.scheduling.room import ports_free, resources_fit
from kcompanion.scheduling.spread import topology_spread
from kcompanion.scheduling.state import State, state_of
from kcompanion.scheduling.taints import taint_toleration, unschedulable
from kcompanion.scheduling.volumes import volume_binding, volume_restrictions, volume_zone

OnNode = Callable[[Object], Result]
# The default plugins with a Filter, in the order of getDefaultPlugins (pkg/scheduler/apis/config/v1, 1.36).
PREDICATES: tuple[tuple[str, Callable[[Object, State], OnNode]], ...] = (
    ("NodeUnschedulable", unschedulable),
    ("NodeName", node_name),
    ("TaintToleration", taint_toleration),
    ("NodeAffinity", node_affinity),
    ("NodePorts", ports_free),
    ("NodeResourcesFit", resources_fit),
    ("VolumeRestrictions", volume_restrictions),
    ("NodeVolumeLimits", volume_limits),
    ("VolumeBinding", volume_binding),
    ("VolumeZone", volume_zone),
    ("PodTopologySpread", topology_spread),
    ("InterPodAffinity", inter_pod_affinity),
    ("DynamicResources", dynamic_resources),
    ("NodeDeclaredFeatures", declared_features),
)


# The two results that most predicates give, under each name: made once, not for every node.
_USUAL = {(name, id(one)): replace(one, predicate=name) for name, _ in PREDICATES for one in (NOTHING_ASKED, MET)}


@dataclass(frozen=True)
class Verdict:
    """What every predicate says of one node."""

    node: str
    results: tuple[Result, ...]

    @cached_property
    def misses(self) -> tuple[Miss, ...]:
        """What keeps the pod off. A cordon also is a taint, which is not told twice."""
        found = [miss for result in self.results for miss in result.misses]
        cordoned = any(miss.kind == "cordoned" for miss in found)
        own_taint = "node.kubernetes.io/unschedulable"
        return tuple(m for m in found if not (cordoned and m.kind == "sick" and m.values["key"] == own_taint))

    @property
    def unknown(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.fit is Fit.UNKNOWN)

    @property
    def fit(self) -> Fit:
        """A proven miss decides, whatever else is not known."""
        if self.misses:
            return Fit.NOT
        return Fit.UNKNOWN if self.unknown else Fit.FITS


@dataclass(frozen=True)
class Placement:
    """The verdicts on all nodes, in the order of their names; `gap` when the nodes are not known."""

    verdicts: tuple[Verdict, ...] = ()
    gap: Gap | None = None

    @property
    def fitting(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.fit is Fit.FITS)

    @property
    def undecided(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.fit is Fit.UNKNOWN)

    @property
    def refusing(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.fit is Fit.NOT)


def on_node(pod: Object, node: Object, world: World) -> Verdict:
    """Every predicate for one pod on one node; what cannot be read makes a predicate unknown, and no more."""
    return _verdict(node, _prepared(pod, state_of(world)))


def place(pod: Object, world: World) -> Placement:
    """One pod against every node, as if it were to be placed now. Pods that ask for the same are judged once."""
    memo = world.once(_Memo)
    key = _signature(pod)
    if key not in memo.placements:
        state = state_of(world)
        try:
            nodes = [state.nodes[name] for name in sorted(state.nodes)]
        except NotKnown as unknown:
            memo.placements[key] = Placement(gap=unknown.gap)
        else:
            prepared = _prepared(pod, state)
            memo.placements[key] = Placement(tuple(_verdict(node, prepared) for node in nodes))
    return memo.placements[key]


class _Memo:
    """Placements that were worked out in a World."""

    def __init__(self, world: World) -> None:  # noqa: ARG002 - World.once calls with the World
        self.placements: dict[str, Placement] = {}


def _prepared(pod: Object, state: State) -> Sequence[tuple[str, OnNode]]:
    return [(name, prepare(pod, state)) for name, prepare in PREDICATES]


def _verdict(node: Object, prepared: Iterable[tuple[str, OnNode]]) -> Verdict:
    return Verdict(name_of(node), tuple(_answer(name, check, node) for name, check in prepared))


def _answer(name: str, check: OnNode, node: Object) -> Result:
    try:
        result = check(node)
    except NotKnown as unknown:
        return Result(name, gap=unknown.gap)
    return _USUAL.get((name, id(result))) or replace(result, predicate=name)


_TELLING = ("nodeName", "nodeSelector", "affinity", "tolerations", "overhead", "resources", "priority")
_MORE = ("topologySpreadConstraints", "resourceClaims", "hostNetwork", "hostUsers")


def _signature(pod: Object) -> str:
    """What of a pod matters to the predicates: replicas of one template have the same."""
    spec = map_at(pod, "spec")
    volumes = [v for v in maps_at(spec, "volumes") if not {"projected", "emptyDir", "configMap", "secret"} & set(v)]
    own = text_at(spec, "nodeName") or text_at(pod, "status", "nominatedNodeName")
    named = own or any("ephemeral" in volume for volume in volumes) or dig(spec, "resourceClaims")
    told: Mapping[str, Any] = {
        "namespace": namespace_of(pod),
        "self": name_of(pod) if named else "",
        "labels": labels_of(pod),
        "spec": {key: spec[key] for key in (*_TELLING, *_MORE) if key in spec},
        "containers": [_container(c) for c in maps_at(spec, "containers")],
        "init": [_container(c) for c in maps_at(spec, "initContainers")],
        "volumes": volumes,
    }
    return json.dumps(told, sort_keys=True, default=str)


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("resources", "ports", "restartPolicy", "restartPolicyRules")
    return {key: container[key] for key in kept if key in container}
