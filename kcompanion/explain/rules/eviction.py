"""Evicted pods: 105 to 111 of the taxonomy.

The kubelet evicts for itself (status.reason Evicted, with the sentences of pkg/kubelet/eviction/helpers.go), the taint
eviction controller deletes from tainted nodes, and the Eviction API asks PodDisruptionBudgets first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.fate import controller_of, toleration_seconds
from kcompanion.explain.nodelife import State, life, taint_text
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, maps_at, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.quantities import human_bytes
from kcompanion.model.refs import Ref
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_eviction")
_PRESSURE = "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"
_STORAGE = "https://kubernetes.io/docs/concepts/storage/ephemeral-storage/"

_LOW = re.compile(r"The node was low on resource: (?P<resource>[\w./-]+)\.")
_THRESHOLD = re.compile(r"Threshold quantity: (?P<threshold>\S+), available: (?P<available>[^\s.]+)")
_USING = re.compile(r"Container (?P<container>\S+) was using (?P<used>\S+), request is (?P<request>[^\s,]+)")
_CONDITION = re.compile(r"The node had condition: \[(?P<conditions>[^\]]*)\]")
_CONTAINER_LIMIT = re.compile(
    r'Container (?P<container>\S+) exceeded its local ephemeral storage limit "(?P<limit>[^"]+)"'
)
_POD_LIMIT = re.compile(r"exceeds the total limit of containers (?P<limit>\S+?)\. ?$")
_VOLUME_LIMIT = re.compile(r'Usage of EmptyDir volume "(?P<volume>[^"]+)" exceeds the limit "(?P<limit>[^"]+)"')


def _evicted(pod: Pod, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return pattern.search(pod.message) if pod.reason == "Evicted" else None


def _evidence(pod: Pod) -> tuple[Evidence, ...]:
    ended = text_at(pod.condition("Ready"), "lastTransitionTime")
    return (seen(pod.ref, "status.reason", pod.reason, ended), seen(pod.ref, "status.message", pod.message))


def _delete(pod: Pod) -> Step:
    """An evicted pod is a record only; no container of it is left."""
    return change(f"kubectl delete pod {pod.name} -n {pod.namespace}", say("rule_eviction.delete"))


@BOOK.rule("KC5105", numbers=(105, 107), severity=Severity.CRITICAL, rank=Rank.EVICTED, read=_PRESSURE)
def node_was_low(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet gave up this pod to save its node."""
    if not (found := _evicted(pod, _LOW)):
        return
    values = {"node": pod.node or "?", "resource": found["resource"], "threshold": "?", "available": "?"}
    if amounts := _THRESHOLD.search(pod.message):
        values |= {key: _amount(amounts[key]) for key in ("threshold", "available")}
    variant = "cause"
    if using := _USING.search(pod.message):
        values |= using.groupdict()
        variant = "cause_using"
    evidence = (*_evidence(pod), *_pressure_now(pod, world))
    steps = (
        inspect(f"kubectl describe node {pod.node}"),
        change(text=say("rule_eviction.kc5105.do", resource=found["resource"])),
        _delete(pod),
    )
    yield Cause(values, evidence, steps, variant, root=Ref("Node", pod.node) if pod.node else None)


def _amount(text: str) -> str:
    """A threshold in percent of the disk is told in bytes, which nobody can read."""
    return human_bytes(int(text)) if text.isdecimal() else text


def _pressure_now(pod: Pod, world: World) -> Iterator[Evidence]:
    """Whether the node is still under pressure."""
    try:
        node = world.get(r.NODES, pod.node) if pod.node else None
    except NotKnown:
        return
    for type_ in ("MemoryPressure", "DiskPressure", "PIDPressure"):
        found = {} if node is None else condition(node, type_)
        if found.get("status") == "True":
            at = text_at(found, "lastTransitionTime")
            yield seen(Ref("Node", pod.node), f"status.conditions[{type_}]", "True", at)


@BOOK.rule("KC5106", numbers=(106,), severity=Severity.CRITICAL, rank=Rank.EVICTED, read=_PRESSURE)
def refused_under_pressure(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod came to a node under pressure, and the kubelet turned it away before it started anything."""
    if found := _evicted(pod, _CONDITION):
        conditions = ", ".join(found["conditions"].split())
        yield Cause(
            {"node": pod.node or "?", "conditions": conditions},
            (*_evidence(pod), *_pressure_now(pod, world)),
            (
                inspect(f"kubectl describe node {pod.node}"),
                change(text=say("rule_eviction.kc5106.do")),
                _delete(pod),
            ),
            root=Ref("Node", pod.node) if pod.node else None,
        )


@BOOK.rule("KC5108", numbers=(108, 109), severity=Severity.CRITICAL, rank=Rank.EVICTED, read=_STORAGE)
def over_storage_limit(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """Logs, writable layers and emptyDir volumes outgrew the limits of the containers."""
    steps = (
        change(text=say("rule_eviction.kc5108.do")),
        inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o yaml"),
        _delete(pod),
    )
    if found := _evicted(pod, _CONTAINER_LIMIT):
        where = f"spec.containers[{found['container']}].resources.limits.ephemeral-storage"
        evidence = (*_evidence(pod), seen(pod.ref, where, found["limit"]))
        yield Cause(found.groupdict(), evidence, steps)
    elif found := _evicted(pod, _POD_LIMIT):
        yield Cause(found.groupdict(), _evidence(pod), steps, "cause_pod")


@BOOK.rule(
    "KC5110",
    numbers=(110,),
    severity=Severity.CRITICAL,
    rank=Rank.EVICTED,
    read="https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
)
def over_volume_limit(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """An emptyDir grew beyond its sizeLimit."""
    if found := _evicted(pod, _VOLUME_LIMIT):
        mounted = [
            container.name
            for container in pod.containers
            if any(m.get("name") == found["volume"] for m in maps_at(container.spec, "volumeMounts"))
        ]
        where = f"spec.volumes[{found['volume']}].emptyDir.sizeLimit"
        yield Cause(
            {**found.groupdict(), "containers": ", ".join(mounted) or "?"},
            (*_evidence(pod), seen(pod.ref, where, found["limit"])),
            (change(text=say("rule_eviction.kc5110.do", volume=found["volume"])), _delete(pod)),
        )


@BOOK.rule(
    "KC5111",
    numbers=(111,),
    rank=Rank.EVICTED,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions",
)
def driven_out_by_taint(pod: Pod, world: World) -> Iterator[Cause]:
    """Somebody put a NoExecute taint on the pod's node. On a node that is not well, that is the cause to tell."""
    target = pod.condition("DisruptionTarget")
    if target.get("reason") != "DeletionByTaintManager" or pod.phase == "Succeeded":
        return
    node = world.get(r.NODES, pod.node)
    if node is None or life(node, world).state is not State.ALIVE:
        return
    evidence = [
        seen(
            pod.ref,
            "status.conditions[DisruptionTarget]",
            f"{text_at(target, 'reason')}: {text_at(target, 'message')}",
            text_at(target, "lastTransitionTime"),
        )
    ]
    ref = Ref("Node", pod.node)
    taints = [t for t in maps_at(node, "spec", "taints") if t.get("effect") == "NoExecute"]
    not_tolerated = [taint for taint in taints if toleration_seconds(pod, taint) is not None]
    evidence += [seen(ref, "spec.taints", taint_text(t), text_at(t, "timeAdded")) for t in not_tolerated]
    variant = "cause" if not_tolerated else "cause_gone"
    values = {"node": pod.node, "taint": ", ".join(map(taint_text, not_tolerated))}
    after = "replaced" if controller_of(pod) else "naked"
    yield Cause(
        {**values, "after": say(f"rule_eviction.after.{after}")},
        tuple(evidence),
        (inspect(f"kubectl describe node {pod.node}"), change(text=say("rule_eviction.kc5111.do"))),
        variant,
        root=ref,
    )
