"""Nodes that are not well, and what is on them: group G of the taxonomy.

A rule for both kinds tells the node's trouble at the node, and at each pod what becomes of that pod; its root is the
node in both cases, so that forty pods on one dead node are one entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kcompanion.controlplane.grace import grace_period
from kcompanion.controlplane.nodes import is_fake
from kcompanion.explain.evidence import change, destroy, inspect, seen
from kcompanion.explain.fate import afterwards, fate
from kcompanion.explain.nodelife import Life, State, life_for
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.nodesettings import SETTLED
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, name_of, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_node")
_NODES = "https://kubernetes.io/docs/concepts/architecture/nodes/"


@BOOK.rule(
    "KC5114",
    numbers=(114,),
    kind=("Node", "Pod"),
    severity=Severity.CRITICAL,
    rank=Rank.NODE,
    read=f"{_NODES}#condition",
    every=True,
)
def not_ready(item: Any, world: World) -> Iterator[Cause]:  # noqa: ANN401 - a Pod or a raw Node
    """The kubelet lives and says itself that its node is not ready."""
    life = life_for(item, world)
    if life is None or life.state is not State.NOT_READY or (life.age or 0) < SETTLED:
        return
    message = text_at(life.ready, "message")
    values: dict[str, Any] = {
        "node": life.name,
        "age": life.told_age,
        "message": message or text_at(life.ready, "reason"),
    }
    look = (inspect(f"kubectl describe node {life.name}"), change(text=say("rule_node.kc5114.do", node=life.name)))
    where = _fake_steps(life.name) if is_fake(life.node) else look
    if isinstance(item, Pod):
        values["fate"] = fate(item, life, world)
        yield Cause(values, life.evidence(), where, "cause_pod", root=life.ref)
        return
    yield Cause(values, life.evidence(), where, _why_not_ready(message), root=life.ref)


def _why_not_ready(message: str) -> str:
    """Messages of pkg/kubelet/kubelet.go, runtime.go and of the runtime's network status."""
    lower = message.lower()
    known = {"cause_pleg": ("pleg",), "cause_network": ("cni", "networkready=false", "networkpluginnotready")}
    known["cause_runtime"] = ("container runtime is down", "runtime not ready", "runtimeready=false")
    return next((variant for variant, words in known.items() if any(word in lower for word in words)), "cause")


@BOOK.rule(
    "KC5115",
    numbers=(115,),
    kind=("Node", "Pod"),
    severity=Severity.CRITICAL,
    rank=Rank.NODE,
    read=f"{_NODES}#node-heartbeats",
    every=True,
)
def unknown(item: Any, world: World) -> Iterator[Cause]:  # noqa: ANN401 - a Pod or a raw Node
    """The node controller has not heard of the kubelet for the grace period."""
    life = life_for(item, world)
    if life is None or life.state is not State.UNKNOWN:
        return
    if isinstance(item, Pod):
        values = {
            "node": life.name,
            "age": life.told_age,
            "fate": fate(item, life, world),
            "after": afterwards(item, life, world),
        }
        yield Cause(values, _pod_evidence(item, life), _lost_steps(life), "cause_pod", root=life.ref)
        return
    try:
        pods = len([pod for pod in world.pods_on(life.name) if dig(pod, "status", "phase") in ("Running", "Pending")])
    except NotKnown:
        yield Cause({"node": life.name, "age": life.told_age}, life.evidence(), _lost_steps(life), "cause_alone")
        return
    values = {"node": life.name, "age": life.told_age, "pods": pods}
    yield Cause(values, life.evidence(), _lost_steps(life), root=life.ref)


def _pod_evidence(pod: Pod, life: Life) -> tuple[Evidence, ...]:
    found = [*life.evidence(), seen(pod.ref, "spec.nodeName", pod.node)]
    ready = pod.condition("Ready")
    if text_at(ready, "status") == "False":
        found.append(seen(pod.ref, "status.conditions[Ready]", "False", text_at(ready, "lastTransitionTime")))
    if pod.deleted_at:
        found.append(seen(pod.ref, "metadata.deletionTimestamp", pod.deleted_at, pod.deleted_at))
    return tuple(found)


def _lost_steps(life: Life) -> tuple[Step, ...]:
    node = life.name
    if is_fake(life.node):
        return _fake_steps(node)
    return (
        inspect(f"kubectl describe node {node}"),
        change(text=say("rule_node.kc5115.do", node=node)),
        destroy(
            f"kubectl taint nodes {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
            say("rule_node.kc5115.do_off", node=node),
        ),
    )


def _fake_steps(node: str) -> tuple[Step, ...]:
    """There is no machine to look at, and none whose containers might still run."""
    return inspect(f"kubectl describe node {node}"), change(text=say("rule_node.kc5115.do_fake", node=node))


@BOOK.rule(
    "KC5123",
    numbers=(123,),
    kind=("Node", "Pod"),
    rank=Rank.NODE,
    read=f"{_NODES}#node-heartbeats",
    every=True,
)
def silent(item: Any, world: World) -> Iterator[Cause]:  # noqa: ANN401 - a Pod or a raw Node
    """The heartbeat has stopped, and nobody but its Lease shows it yet."""
    life = life_for(item, world)
    if life is None or life.state is not State.SILENT:
        return
    grace = grace_period(world.snapshot).seconds
    values = {"node": life.name, "age": life.told_age, "grace": grace}
    steps = (
        inspect(f"kubectl get lease {life.name} -n kube-node-lease"),
        change(text=say("rule_node.kc5115.do", node=life.name)),
    )
    variant = "cause_pod" if isinstance(item, Pod) else "cause"
    overdue = "_overdue" if (life.age or 0) > grace else ""
    yield Cause(values, life.evidence(), steps, f"{variant}{overdue}", root=life.ref)


_PRESSURES = {
    "MemoryPressure": "cause",
    "DiskPressure": "cause_disk",
    "PIDPressure": "cause_pid",
}


@BOOK.rule(
    "KC5116",
    numbers=(116, 117, 118),
    kind="Node",
    rank=Rank.NODE,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
)
def pressure(node: Object, world: World) -> Iterator[Cause]:
    """The kubelet runs short of memory, disk or process ids, and says so."""
    ref = ref_of(node, "Node")
    for type_, variant in _PRESSURES.items():
        found = condition(node, type_)
        if found.get("status") == "True":
            value = f"True {text_at(found, 'reason')}: {text_at(found, 'message')}"
            evidence = [seen(ref, f"status.conditions[{type_}]", value, text_at(found, "lastTransitionTime"))]
            evidence += _evicted(ref, world)
            steps = (
                inspect(f"kubectl get pods -A -o wide --field-selector spec.nodeName={ref.name}"),
                change(text=say(f"rule_node.kc5116.do_{type_.removesuffix('Pressure').lower()}", node=ref.name)),
            )
            yield Cause({"node": ref.name}, tuple(evidence), steps, variant, root=ref)


def _evicted(ref: Ref, world: World) -> Iterator[Evidence]:
    try:
        pods = world.pods_on(ref.name)
    except NotKnown:
        return
    for pod in [pod for pod in pods if dig(pod, "status", "reason") == "Evicted"][:3]:
        yield seen(ref_of(pod, "Pod"), "status.message", text_at(pod, "status", "message"))


@BOOK.rule(
    "KC5119",
    numbers=(119,),
    kind=("Node", "Pod"),
    severity=Severity.CRITICAL,
    rank=Rank.NODE,
    read=f"{_NODES}#condition",
)
def no_network(item: Any, world: World) -> Iterator[Cause]:  # noqa: ANN401 - a Pod or a raw Node
    """Routes or the CNI plugin of the node were never set up; its pods get no address."""
    pod = item if isinstance(item, Pod) else None
    if pod is not None and (pod.phase != "Pending" or not pod.node or text_at(pod.raw, "status", "podIP")):
        return
    node = item if pod is None else world.get(r.NODES, pod.node)
    found = {} if node is None else condition(node, "NetworkUnavailable")
    if found.get("status") != "True" or (world.since(text_at(found, "lastTransitionTime")) or 0) < SETTLED:
        return
    ref = Ref("Node", name_of(node))
    value = f"True {text_at(found, 'reason')}: {text_at(found, 'message')}"
    yield Cause(
        {"node": ref.name, "reason": text_at(found, "reason") or "-"},
        (seen(ref, "status.conditions[NetworkUnavailable]", value, text_at(found, "lastTransitionTime")),),
        (
            inspect(f"kubectl get pods -n kube-system -o wide --field-selector spec.nodeName={ref.name}"),
            change(text=say("rule_node.kc5119.do", node=ref.name)),
        ),
        "cause_pod" if pod is not None else "cause",
        root=ref,
    )


@BOOK.rule(
    "KC5243",
    severity=Severity.CRITICAL,
    rank=Rank.NODE,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection",
    every=True,
)
def node_gone(pod: Pod, world: World) -> Iterator[Cause]:
    """The Node object itself was deleted under the pod; the pod garbage collector will follow."""
    started = text_at(pod.raw, "status", "startTime")
    if not pod.node or not started or pod.phase in ("Succeeded", "Failed") or world.get(r.NODES, pod.node) is not None:
        return
    yield Cause(
        {"node": pod.node},
        (seen(pod.ref, "spec.nodeName", pod.node), seen(Ref("Node", pod.node), "", "404 not found")),
        (inspect("kubectl get nodes"), change(text=say("rule_node.kc5243.do", node=pod.node))),
        root=Ref("Node", pod.node),
    )
