"""Taints and tolerations, and the cordon: the plugins TaintToleration and NodeUnschedulable.

Facts from Toleration.ToleratesTaint in k8s.io/api/core/v1: an empty effect means all effects, an empty key with Exists
means all taints, no operator is Equal, and Lt and Gt (TaintTolerationComparisonOperators, alpha in 1.35) compare the
taint's number with the toleration's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kcompanion.model.fields import dig, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.result import MET, Miss, Result, missed
from kcompanion.scheduling.state import State

HARD = ("NoSchedule", "NoExecute")
CORDONED: Mapping[str, Any] = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
# Nodes that are kept for the control plane on purpose.
RESERVED = frozenset({"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"})
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Whether one toleration tolerates one taint."""
    effect, key = text_at(toleration, "effect"), text_at(toleration, "key")
    if effect and effect != taint.get("effect"):
        return False
    if key and key != taint.get("key"):
        return False
    mine, theirs = text_at(toleration, "value"), text_at(taint, "value")
    operator = text_at(toleration, "operator") or "Equal"
    if operator in ("Gt", "Lt"):
        if not (_INTEGER.fullmatch(mine) and _INTEGER.fullmatch(theirs)):
            return False
        return int(theirs) > int(mine) if operator == "Gt" else int(theirs) < int(mine)
    return operator == "Exists" or (operator == "Equal" and mine == theirs)


def untolerated(pod: Object, node: Object, effects: Iterable[str] = HARD) -> list[Mapping[str, Any]]:
    """The taints of a node with one of the effects that no toleration of the pod tolerates."""
    tolerations = list(maps_at(pod, "spec", "tolerations"))
    taints = (taint for taint in maps_at(node, "spec", "taints") if text_at(taint, "effect") in effects)
    return [taint for taint in taints if not any(tolerates(one, taint) for one in tolerations)]


def taint_text(taint: Mapping[str, Any]) -> str:
    """`dedicated=gpu:NoSchedule`, as kubectl writes it."""
    key, value = text_at(taint, "key"), text_at(taint, "value")
    return f"{key}={value}:{text_at(taint, 'effect')}" if value else f"{key}:{text_at(taint, 'effect')}"


def taint_toleration(pod: Object, state: State) -> Callable[[Object], Result]:  # noqa: ARG001 - every predicate gets it
    """TaintToleration."""

    def on(node: Object) -> Result:
        found = untolerated(pod, node)
        if not found:
            taints = [taint for taint in maps_at(node, "spec", "taints") if text_at(taint, "effect") in HARD]
            return Result(note=say("why.note.tolerated" if taints else "why.note.no_taint"))
        return missed(*(_miss(taint, node) for taint in found))

    return on


def unschedulable(pod: Object, state: State) -> Callable[[Object], Result]:  # noqa: ARG001 - as above
    """NodeUnschedulable: cordoned nodes take only pods that tolerate the taint of the cordon."""
    immune = any(tolerates(one, CORDONED) for one in maps_at(pod, "spec", "tolerations"))

    def on(node: Object) -> Result:
        if dig(node, "spec", "unschedulable") is not True:
            return Result(note=say("why.note.not_cordoned"))
        if immune:
            return MET
        name = name_of(node)
        evidence = Evidence(str(Ref("Node", name)), "spec.unschedulable", "true")
        command = f"kubectl uncordon {name}"
        return missed(Miss("cordoned", 67, {"node": name}, (evidence,), Ref("Node", name), command=command))

    return on


def _miss(taint: Mapping[str, Any], node: Object) -> Miss:
    name, text = name_of(node), taint_text(taint)
    evidence = Evidence(str(Ref("Node", name)), "spec.taints", text, text_at(taint, "timeAdded"))
    key = text_at(taint, "key")
    kind = "reserved" if key in RESERVED else "sick" if key.startswith("node.kubernetes.io/") else "taint"
    return Miss(kind, 62, {"taint": text, "key": key, "effect": text_at(taint, "effect"), "node": name}, (evidence,))
