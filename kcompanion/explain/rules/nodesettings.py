"""What was done to a node on purpose, or is left of it: 120 to 122 of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.controlplane.conditions import WORK_IN_PROGRESS
from kcompanion.explain.evidence import change, inspect, low_risk, seen
from kcompanion.explain.nodelife import taint_text
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model.fields import condition, dig, maps_at, text_at
from kcompanion.model.finding import Severity
from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World

BOOK = RuleBook("rule_node")
SETTLED = 30  # seconds in which a fresh node gets its network, and taints follow conditions


@BOOK.rule(
    "KC5120",
    numbers=(120,),
    kind="Node",
    severity=Severity.INFO,
    rank=Rank.ADVICE,
    read="https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/",
)
def work_in_progress(node: Object, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """Somebody works on the node or shuts it down in good order; that is no failure."""
    ref = ref_of(node, "Node")
    for type_ in WORK_IN_PROGRESS:
        found = condition(node, type_)
        if found.get("status") == "True":
            value = f"True {text_at(found, 'reason')}: {text_at(found, 'message')}"
            evidence = seen(ref, f"status.conditions[{type_}]", value, text_at(found, "lastTransitionTime"))
            yield Cause({"node": ref.name, "type": type_}, (evidence,), (inspect(f"kubectl describe node {ref.name}"),))


_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
_UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"
# Taints that the control plane sets and takes away: the condition each follows, and the status that calls for it.
_FOLLOWS = {
    "node.kubernetes.io/not-ready": ("Ready", "False"),
    "node.kubernetes.io/unreachable": ("Ready", "Unknown"),
    "node.kubernetes.io/memory-pressure": ("MemoryPressure", "True"),
    "node.kubernetes.io/disk-pressure": ("DiskPressure", "True"),
    "node.kubernetes.io/pid-pressure": ("PIDPressure", "True"),
    "node.kubernetes.io/network-unavailable": ("NetworkUnavailable", "True"),
}


@BOOK.rule(
    "KC5121",
    numbers=(121,),
    kind="Node",
    rank=Rank.NODE,
    read="https://kubernetes.io/docs/reference/labels-annotations-taints/",
)
def tainted(node: Object, world: World) -> Iterator[Cause]:
    """Taints of the system that are the trouble themselves; those that only follow a condition are told with it."""
    ref = ref_of(node, "Node")
    for taint in maps_at(node, "spec", "taints"):
        variant = _taint_variant(node, taint, world)
        if variant:
            follows, _ = _FOLLOWS.get(text_at(taint, "key"), ("", ""))
            evidence = [seen(ref, "spec.taints", taint_text(taint), text_at(taint, "timeAdded"))]
            if follows:
                found = condition(node, follows)
                since = text_at(found, "lastTransitionTime")
                evidence.append(seen(ref, f"status.conditions[{follows}]", text_at(found, "status"), since))
            steps = {
                "cause": (inspect("kcompanion addons"), change(text=say("rule_node.kc5121.do", node=ref.name))),
                "cause_out": (change(f"kubectl taint nodes {ref.name} {taint_text(taint)}-", _say_out(ref)),),
                "cause_stale": (
                    inspect("kcompanion controlplane"),
                    low_risk(f"kubectl taint nodes {ref.name} {taint_text(taint)}-"),
                ),
            }[variant]
            values = {"node": ref.name, "taint": taint_text(taint), "type": follows}
            yield Cause(values, tuple(evidence), steps, variant, root=ref)


def _say_out(ref: Ref) -> Message:
    return say("rule_node.kc5121.do_out", node=ref.name)


def _taint_variant(node: Object, taint: Mapping[str, Any], world: World) -> str:
    key = text_at(taint, "key")
    if key == _OUT_OF_SERVICE:
        return "cause_out"
    if key == _UNINITIALIZED:
        age = world.since(text_at(node, "metadata", "creationTimestamp")) or 0
        return "cause" if age >= SETTLED else ""
    if key not in _FOLLOWS:
        return ""
    follows, status = _FOLLOWS[key]
    found = condition(node, follows)
    settled = (world.since(text_at(found, "lastTransitionTime")) or 0) >= 2 * SETTLED
    calls = {status, "Unknown"} if follows == "Ready" else {status}
    wanted = text_at(found, "status") in calls or (follows == "Ready" and found.get("status") == "False")
    return "cause_stale" if found and settled and not wanted else ""


@BOOK.rule(
    "KC5122",
    numbers=(122,),
    kind="Node",
    severity=Severity.INFO,
    rank=Rank.ADVICE,
    read="https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/",
)
def cordoned(node: Object, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """Somebody keeps new pods from the node; what runs there goes on."""
    if dig(node, "spec", "unschedulable") is not True:
        return
    ref = ref_of(node, "Node")
    marks = [t for t in maps_at(node, "spec", "taints") if t.get("key") == "node.kubernetes.io/unschedulable"]
    at = text_at(marks[0], "timeAdded") if marks else ""
    yield Cause(
        {"node": ref.name},
        (seen(ref, "spec.unschedulable", "true", at),),
        (low_risk(f"kubectl uncordon {ref.name}"),),
    )
