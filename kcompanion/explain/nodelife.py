"""Whether a node lives: what its Ready condition says, and what its heartbeat says before that.

The kubelet renews a Lease every ten seconds. Ready turns Unknown only when that has stopped for the node-monitor
grace period, so for most of a minute a dead node still looks ready; then the Lease alone tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kcompanion.controlplane.asks import NODE_LEASES
from kcompanion.controlplane.lifesigns import SILENT_AFTER
from kcompanion.controlplane.nodes import is_fake
from kcompanion.explain.evidence import seen
from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


class State(StrEnum):
    """Alive is also what a node is whose kubelet never reported: nothing is known against it."""

    ALIVE = "alive"
    SILENT = "silent"  # no heartbeat, but still called Ready
    UNKNOWN = "unknown"  # no heartbeat, and the node controller has noticed
    NOT_READY = "not ready"  # its kubelet speaks, and says so


@dataclass(frozen=True)
class Life:
    """What the signs of life of one node say."""

    node: Object
    state: State
    ready: Mapping[str, Any]  # the condition
    renewed: str  # when the heartbeat came last; empty when there is no Lease, or it could not be read
    age: int | None  # seconds since then, or since the condition changed

    @property
    def name(self) -> str:
        return name_of(self.node)

    @property
    def ref(self) -> Ref:
        return Ref("Node", self.name)

    @property
    def unheard(self) -> bool:
        """Whether its kubelet is silent, so that whatever is said of its pods is old."""
        return self.state in (State.SILENT, State.UNKNOWN)

    @property
    def told_age(self) -> str:
        return "?" if self.age is None else human_age(self.age)

    def evidence(self) -> tuple[Evidence, ...]:
        """The condition, the Lease, and the taint that drives pods away."""
        ready = self.ready
        value = f"{text_at(ready, 'status')} {text_at(ready, 'reason')}: {text_at(ready, 'message')}"
        found = [seen(self.ref, "status.conditions[Ready]", value, text_at(ready, "lastTransitionTime"))]
        if self.renewed:
            lease = Ref("Lease", self.name, NODE_LEASES)
            found.append(seen(lease, "spec.renewTime", self.renewed, self.renewed))
        found += [
            seen(self.ref, "spec.taints", taint_text(taint), text_at(taint, "timeAdded"))
            for taint in evicting_taints(self.node)
        ]
        return tuple(found)


def life(node: Object, world: World) -> Life:
    """The signs of life of a node.

    Raises:
        NotKnown: it is called Ready, and its Lease could not be read.
    """
    ready = condition(node, "Ready")
    status = text_at(ready, "status")
    if status == "False":
        return Life(node, State.NOT_READY, ready, "", world.since(text_at(ready, "lastTransitionTime")))
    if status == "Unknown":
        try:
            renewed = _renewed(node, world)
        except NotKnown:
            renewed = ""
        return Life(node, State.UNKNOWN, ready, renewed, world.since(renewed or text_at(ready, "lastTransitionTime")))
    if status != "True" or is_fake(node):
        return Life(node, State.ALIVE, ready, "", None)
    renewed = _renewed(node, world)
    age = world.since(renewed)
    state = State.SILENT if age is not None and age > SILENT_AFTER else State.ALIVE
    return Life(node, state, ready, renewed, age)


def life_for(item: Pod | Object, world: World) -> Life | None:
    """The life of a node, or of the node that carries a pod; None for pods that ended or have no node.

    Raises:
        NotKnown: the node or its Lease could not be read.
    """
    if not isinstance(item, Pod):
        return life(item, world)
    if not item.node or item.phase in ("Succeeded", "Failed"):
        return None
    return life_of(item.node, world)


def life_of(name: str, world: World) -> Life | None:
    """The life of the node with this name; None where there is no such node.

    Raises:
        NotKnown: the node or its Lease could not be read.
    """
    known = world.once(_lives)
    if name not in known and (node := world.get(r.NODES, name)) is not None:
        known[name] = life(node, world)
    return known.get(name)


def _lives(_: World) -> dict[str, Life]:
    """The lives of nodes that were told already: many pods ask about one."""
    return {}


def evicting_taints(node: Object) -> Iterator[Mapping[str, Any]]:
    """The taints by which the node controller drives pods from a node that is not well."""
    for taint in maps_at(node, "spec", "taints"):
        if taint.get("effect") == "NoExecute" and taint.get("key") in (NOT_READY, UNREACHABLE):
            yield taint


def taint_text(taint: Mapping[str, Any]) -> str:
    """`key=value:Effect`, as kubectl writes a taint."""
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key', '')}{value}:{taint.get('effect', '')}"


def _renewed(node: Object, world: World) -> str:
    lease = world.get(r.LEASES, name_of(node), NODE_LEASES)
    return "" if lease is None else text_at(lease, "spec", "renewTime")
