"""Resizing pods in place, and restarting all their containers: numbers 20 to 23 of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.probing import running_for
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, map_at, maps_at, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.refs import Ref
from kcompanion.model.times import human_age
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_phase")

RESIZE = "https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/"
SETTLED = 60  # seconds in which a resize may be under way
RECENT = 600  # seconds after which a restart is history
_LONGEST = 200  # characters of a message that a sentence cites


@BOOK.rule("KC5020", numbers=(20,), severity=Severity.WARNING, rank=Rank.SYMPTOM, read=RESIZE)
def deferred(pod: Pod, world: World) -> Iterator[Cause]:
    """The node could hold the resized pod, but not beside what runs there now."""
    yield from _pending(pod, world, "Deferred", "kc5020")


@BOOK.rule("KC5021", numbers=(21,), severity=Severity.WARNING, rank=Rank.SYMPTOM, read=RESIZE)
def infeasible(pod: Pod, world: World) -> Iterator[Cause]:
    """The node can never hold the resized pod."""
    yield from _pending(pod, world, "Infeasible", "kc5021")


@BOOK.rule("KC5022", numbers=(22,), severity=Severity.WARNING, rank=Rank.SYMPTOM, read=RESIZE)
def in_progress(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet has granted a resize and cannot bring it about, or is slow about it."""
    state = condition(pod.raw, "PodResizeInProgress")
    age = world.since(state.get("lastTransitionTime")) or 0
    error = state.get("reason") == "Error"
    if state.get("status") != "True" or pod.deleted_at or not (error or age >= SETTLED):
        return
    yield Cause(
        {"message": _message(state), "change": _differences(pod, actual=True), "age": human_age(age)},
        (_condition(pod, state), *_sizes(pod, actual=True)),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            inspect(f"kubectl get events -n {pod.namespace} --field-selector involvedObject.name={pod.name}"),
            change(text=say("rule_phase.kc5022.do")),
        ),
        "cause_error" if error else "cause",
    )


@BOOK.rule(
    "KC5023",
    numbers=(23,),
    severity=Severity.WARNING,
    rank=Rank.START,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-all-containers",
)
def all_restarting(pod: Pod, world: World) -> Iterator[Cause]:
    """A container ended in a way for which a rule of the pod says: begin again with everything."""
    state = condition(pod.raw, "AllContainersRestarting")
    rules = {c.name: c for c in pod.containers if _restarts_all(c.spec)}
    if not rules or pod.deleted_at:
        return
    by = max(rules.values(), key=lambda c: c.restarts)
    # the condition is true only for a moment; a pod that goes round and round shows it by its restarts
    recent = min((running_for(c, world) for c in pod.containers), default=0) < RECENT
    if state.get("status") != "True" and (by.restarts < 2 or (pod.is_true("Ready") and not recent)):
        return
    yield Cause(
        {"container": by.name, "restarts": by.restarts, "codes": _codes(by.spec)},
        (
            _condition(pod, state) if state else seen(pod.ref, "status.conditions[AllContainersRestarting]", "-"),
            seen(pod.ref, f"spec.containers[{by.name}].restartPolicyRules", _codes(by.spec)),
            seen(pod.ref, f"{by.path}.restartCount", by.restarts),
        ),
        (
            inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {by.name} --previous"),
            change(text=say("rule_phase.kc5023.do", container=by.name)),
        ),
    )


# ----------------------------------------------------------------------------------------------- parts


def _pending(pod: Pod, world: World, reason: str, code: str) -> Iterator[Cause]:
    state = condition(pod.raw, "PodResizePending")
    if state.get("status") != "True" or state.get("reason") != reason or pod.deleted_at:
        return
    evidence = [_condition(pod, state), *_sizes(pod, actual=False)]
    try:
        node = world.get(r.NODES, pod.node) if pod.node else None
    except NotKnown:
        node = None  # its size is only more detail
    if node is not None:
        room = map_at(node, "status", "allocatable")
        said = ", ".join(f"{name} {room[name]}" for name in ("cpu", "memory") if name in room)
        evidence.append(seen(Ref("Node", pod.node), "status.allocatable", said))
    yield Cause(
        {
            "change": _differences(pod, actual=False),
            "message": _message(state),
            "node": pod.node,
            "age": human_age(world.since(state.get("lastTransitionTime")) or 0),
        },
        tuple(evidence),
        (
            inspect(f"kubectl describe node {pod.node}"),
            inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o yaml"),
            change(text=say(f"rule_phase.{code}.do")),
        ),
    )


def _differences(pod: Pod, *, actual: bool) -> str:
    """`app: cpu 100m → 3`: what the containers have, and what the spec wants for them."""
    found = []
    for container in pod.containers:
        wanted = map_at(container.spec, "resources")
        has = map_at(container.status, "resources")
        granted = map_at(container.status, "allocatedResources")
        for kind in ("requests", "limits"):
            for name, value in map_at(wanted, kind).items():
                old = map_at(has, kind).get(name) if actual or kind == "limits" else granted.get(name)
                if old is not None and parse_quantity(old) != parse_quantity(value):
                    found.append(f"{container.name}: {kind}.{name} {old} → {value}")
    return ", ".join(found[:4]) or "?"


def _sizes(pod: Pod, *, actual: bool) -> Iterator[Evidence]:
    for container in pod.containers:
        given = map_at(container.status, "resources") if actual else map_at(container.status, "allocatedResources")
        if given:
            path = f"{container.path}.{'resources' if actual else 'allocatedResources'}"
            yield seen(pod.ref, path, _flat(given))
            yield seen(
                pod.ref, f"spec.containers[{container.name}].resources", _flat(map_at(container.spec, "resources"))
            )


def _flat(sizes: Mapping[str, Any]) -> str:
    parts = []
    for name, value in sizes.items():
        parts += [f"{name}.{k} {v}" for k, v in value.items()] if isinstance(value, Mapping) else [f"{name} {value}"]
    return ", ".join(parts)


def _condition(pod: Pod, state: Mapping[str, Any]) -> Evidence:
    words = " ".join(filter(None, (text_at(state, "status"), text_at(state, "reason"), text_at(state, "message"))))
    return seen(pod.ref, f"status.conditions[{state.get('type')}]", words, text_at(state, "lastTransitionTime"))


def _message(state: Mapping[str, Any]) -> str:
    return " ".join(text_at(state, "message").split())[:_LONGEST].rstrip(".")


def _restarts_all(spec: Mapping[str, Any]) -> bool:
    return any(rule.get("action") == "RestartAllContainers" for rule in maps_at(spec, "restartPolicyRules"))


def _codes(spec: Mapping[str, Any]) -> str:
    """The exit codes of the rules in the API's words: `In 42, 43`."""
    rules = [map_at(rule, "exitCodes") for rule in maps_at(spec, "restartPolicyRules")]
    return "; ".join(f"{rule.get('operator')} {_listed(rule.get('values'))}" for rule in rules)


def _listed(codes: object) -> str:
    return ", ".join(map(str, codes)) if isinstance(codes, list) else ""
