"""Pods that somebody or something ended: numbers 12 to 19 of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from kcompanion.explain.evidence import change, destroy, inspect, seen, told
from kcompanion.explain.pod import Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, text_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_phase")

_LONGEST = 200  # characters of a message that a sentence cites


@BOOK.rule(
    "KC5012",
    numbers=(12, 15),
    severity=Severity.CRITICAL,
    rank=Rank.NODE,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase",
)
def unknown(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod's state cannot be told because its node does not answer; hardly any Kubernetes still writes that."""
    lost = pod.reason == "NodeLost"
    if not lost and pod.phase != "Unknown":
        return
    evidence = [seen(pod.ref, "status.reason", f"NodeLost: {pod.message}")] if lost else []
    evidence.append(seen(pod.ref, "status.phase", pod.phase))
    evidence += node_evidence(pod, world)
    yield Cause(
        {"node": pod.node or "-"},
        tuple(evidence),
        (
            inspect(f"kubectl describe node {pod.node}"),
            change(text=say("rule_phase.kc5012.do", node=pod.node or "-")),
        ),
        root=Ref("Node", pod.node) if pod.node else None,
    )


@BOOK.rule(
    "KC5013",
    numbers=(13,),
    severity=Severity.CRITICAL,
    rank=Rank.LAST_RESORT,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
)
def evicted(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The kubelet evicted the pod, in words that no rule of the evictions knows."""
    if pod.reason == "Evicted":
        yield _failed_by(pod, "kc5013", inspect(f"kubectl describe node {pod.node}"))


@BOOK.rule(
    "KC5014",
    numbers=(14,),
    severity=Severity.CRITICAL,
    rank=Rank.EVICTED,
    read="https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#detailed-behavior",
)
def deadline(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The pod ran longer than its own activeDeadlineSeconds allows."""
    if pod.reason != "DeadlineExceeded":
        return
    limit = dig(pod.raw, "spec", "activeDeadlineSeconds")
    started = text_at(pod.raw, "status", "startTime")
    running = [c.name for c in pod.containers if c.sort is Sort.APP and not c.status]
    yield Cause(
        {"seconds": limit if limit is not None else "?", "started": started or "-", "node": pod.node},
        (
            seen(pod.ref, "status.reason", f"DeadlineExceeded: {pod.message}"),
            seen(pod.ref, "spec.activeDeadlineSeconds", limit if limit is not None else "-"),
            seen(pod.ref, "status.startTime", started or "-", started),
        ),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            change(text=say("rule_phase.kc5014.do")),
        ),
        "cause_early" if running else "cause",
    )


@BOOK.rule(
    "KC5016",
    numbers=(16,),
    severity=Severity.WARNING,
    rank=Rank.NODE,
    read="https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/",
)
def node_shut_down(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod ended because its node was shut down in an orderly way, or came while it was."""
    rejected = pod.reason == "NodeShutdown"
    # Shutdown up to 1.21, Terminated since (pkg/kubelet/nodeshutdown)
    if not rejected and not (pod.reason in ("Terminated", "Shutdown") and "shutdown" in pod.message.lower()):
        return
    yield Cause(
        {"node": pod.node},
        (seen(pod.ref, "status.reason", f"{pod.reason}: {pod.message}"), *node_evidence(pod, world)),
        (
            inspect(f"kubectl describe node {pod.node}"),
            destroy(f"kubectl delete pod {pod.name} -n {pod.namespace}", say("rule_phase.kc5016.do")),
        ),
        "cause_rejected" if rejected else "cause",
        root=Ref("Node", pod.node),
    )


@BOOK.rule(
    "KC5017",
    numbers=(17,),
    severity=Severity.WARNING,
    rank=Rank.REJECTED,
    read="https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/",
)
def preempted_by_kubelet(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet ended the pod so that a critical one could run on its node."""
    if not _preempted_by_kubelet(pod):
        return
    state = pod.condition("DisruptionTarget")
    said = f"{text_at(state, 'reason')}: {text_at(state, 'message')}"
    evidence = [
        seen(pod.ref, "status.reason", f"{pod.reason}: {pod.message}")
        if pod.reason
        else seen(pod.ref, "status.conditions[DisruptionTarget]", said, text_at(state, "lastTransitionTime"))
    ]
    evidence.append(seen(pod.ref, "spec.priority", dig(pod.raw, "spec", "priority") or 0))
    with suppress(NotKnown):  # the status says it already
        evidence += [told(e) for e in world.events(pod.ref, pod.uid) if e.reason == "Preempting"][-1:]
    yield Cause(
        {"node": pod.node},
        tuple(evidence),
        (
            inspect(f"kubectl get pods -A -o wide --field-selector spec.nodeName={pod.node}"),
            inspect(f"kubectl describe node {pod.node}"),
            change(text=say("rule_phase.kc5017.do", node=pod.node)),
        ),
    )


@BOOK.rule(
    "KC5018",
    numbers=(18,),
    severity=Severity.CRITICAL,
    rank=Rank.REJECTED,
    read="https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/",
)
def admission_error(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """The kubelet failed while it admitted the pod; mostly a device plugin gave no device."""
    if pod.reason == "UnexpectedAdmissionError":
        yield _failed_by(pod, "kc5018", inspect(f"kubectl describe node {pod.node}"))


# The reasons of the DisruptionTarget condition: which sentence says it.
_DISRUPTIONS: Mapping[str, str] = {
    "PreemptionByScheduler": "cause_preempted",
    "EvictionByEvictionAPI": "cause_evicted",
    "DeletionByDeviceTaintManager": "cause_device",
    "DeletionByPodGC": "cause_gc",
    "TerminationByKubelet": "cause_kubelet",
}


@BOOK.rule(
    "KC5019",
    numbers=(19,),
    severity=Severity.WARNING,
    rank=Rank.EVICTED,
    read="https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions",
)
def disrupted(pod: Pod, world: World) -> Iterator[Cause]:  # noqa: ARG001 - every rule is given the World
    """Somebody other than its program ends the pod: preemption, the eviction API, a taint, the garbage collector."""
    state = pod.condition("DisruptionTarget")
    reason = text_at(state, "reason")
    # taints are told by KC5111, and with a reason of its own the kubelet has ended the pod: told by its rule
    if state.get("status") != "True" or pod.reason or _preempted_by_kubelet(pod) or reason == "DeletionByTaintManager":
        return
    steps = {
        "PreemptionByScheduler": inspect("kubectl get pods -A --sort-by=.spec.priority -o wide"),
        "EvictionByEvictionAPI": inspect(f"kubectl get node {pod.node} -o wide"),
    }
    yield Cause(
        {"node": pod.node or "-", "message": _short(text_at(state, "message")), "reason": reason or "-"},
        (
            seen(
                pod.ref,
                "status.conditions[DisruptionTarget]",
                f"True {reason}: {text_at(state, 'message')}",
                text_at(state, "lastTransitionTime"),
            ),
            *((seen(pod.ref, "metadata.deletionTimestamp", pod.deleted_at),) if pod.deleted_at else ()),
        ),
        (
            steps.get(reason, inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}")),
            change(text=say("rule_phase.kc5019.do")),
        ),
        _DISRUPTIONS.get(reason, "cause"),
        root=Ref("Node", pod.node) if reason == "DeletionByPodGC" and pod.node else None,  # one node, many pods
    )


# ----------------------------------------------------------------------------------------------- parts


def _preempted_by_kubelet(pod: Pod) -> bool:
    """Whether the pod had to go for a critical one; if its program then ended with 0 only a condition says so."""
    state = pod.condition("DisruptionTarget")
    told_so = state.get("reason") == "TerminationByKubelet" and "preempted" in text_at(state, "message").lower()
    return pod.reason == "Preempting" or (state.get("status") == "True" and told_so)


def _failed_by(pod: Pod, code: str, look: Step) -> Cause:
    """The cause of a pod that the kubelet failed with a reason and a message."""
    return Cause(
        {"node": pod.node or "-", "message": _short(pod.message) or "-"},
        (seen(pod.ref, "status.reason", f"{pod.reason}: {pod.message}"), seen(pod.ref, "spec.nodeName", pod.node)),
        (
            look,
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            change(text=say(f"rule_phase.{code}.do", node=pod.node or "-")),
        ),
    )


def node_evidence(pod: Pod, world: World) -> tuple[Evidence, ...]:
    """That the pod's node is gone or not ready; nothing when it is ready, or cannot be looked up."""
    if not pod.node:
        return ()
    try:
        node = world.get(r.NODES, pod.node)
    except NotKnown:
        return ()
    ref = Ref("Node", pod.node)
    if node is None:
        return (seen(ref, "", "404 not found"),)
    ready = condition(node, "Ready")
    if ready.get("status") == "True":
        return ()
    said = f"{ready.get('status')} {text_at(ready, 'reason')}: {text_at(ready, 'message')}"
    return (seen(ref, "status.conditions[Ready]", said, text_at(ready, "lastTransitionTime")),)


def _short(message: str) -> str:
    return " ".join(message.split())[:_LONGEST].rstrip(". ")
