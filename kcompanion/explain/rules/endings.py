"""Pods that were ended, or are being ended: the last part of group A of the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from kcompanion.explain.evidence import change, destroy, inspect, seen, told
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.probing import asks_of
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, map_at, text_at, texts_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import Ref
from kcompanion.model.times import human_age, parse_time
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_phase")

TERMINATION = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
LATE = 15  # seconds after the end of the grace period until which a pod is normally gone
NOTED = 30  # seconds an orderly end may take before it is worth a word
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
    evidence += _node_evidence(pod, world)
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
        (seen(pod.ref, "status.reason", f"{pod.reason}: {pod.message}"), *_node_evidence(pod, world)),
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


# Whose finalizers these are; of any other the part before the slash names its owner.
_FINALIZERS: Mapping[str, str] = {
    "batch.kubernetes.io/job-tracking": "job",
    "foregroundDeletion": "collector",
    "orphan": "collector",
}


@BOOK.rule("KC5027", numbers=(27,), severity=Severity.WARNING, rank=Rank.TERMINATING, read=TERMINATION)
def terminating(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod was deleted and does not go.

    The deletion timestamp of a pod is when its grace period ends, not when somebody deleted it
    (pkg/apis BeforeDelete in k8s.io/apiserver/pkg/registry/rest/delete.go).
    """
    ends = parse_time(pod.deleted_at)
    if ends is None:
        return
    over = int((world.now - ends).total_seconds())
    grace = dig(pod.raw, "metadata", "deletionGracePeriodSeconds")
    grace = grace if isinstance(grace, int) else 30
    finalizers = texts_at(pod.raw, "metadata", "finalizers")
    running = [c for c in pod.containers if c.running]
    values: dict[str, Any] = {
        "age": human_age(max(0, over)),
        "since": human_age(max(0, over + grace)),
        "left": human_age(max(0, -over)),
        "grace": grace,
        "node": pod.node or "-",
        "containers": ", ".join(c.name for c in running) or "-",
        "finalizers": ", ".join(finalizers),
        "owner": _finalizer_owner(finalizers[0]) if finalizers else "",
    }
    evidence = [seen(pod.ref, "metadata.deletionTimestamp", pod.deleted_at)]
    if finalizers and not running and over > 0:
        evidence.append(seen(pod.ref, "metadata.finalizers", ", ".join(finalizers)))
        yield Cause(values, tuple(evidence), _finalizer_steps(pod), one_or_many("cause", len(finalizers)))
        return
    if over < LATE:
        if over + grace > NOTED:
            yield Cause(values, (*evidence, *_ending(running, pod)), (), "cause_grace", Severity.INFO)
        return
    node_evidence = _node_evidence(pod, world)
    if node_evidence:
        yield Cause(
            values,
            (*evidence, *node_evidence),
            (
                inspect(f"kubectl describe node {pod.node}"),
                destroy(f"kubectl delete pod {pod.name} -n {pod.namespace} --force", say("rule_phase.kc5027.do_force")),
            ),
            "cause_node",
            root=Ref("Node", pod.node),
        )
        return
    with suppress(NotKnown):  # that it is late stands without them
        events = [e for e in world.events(pod.ref, pod.uid) if e.reason in ("FailedKillPod", "FailedPreStopHook")]
        evidence += [told(e) for e in events[-2:]]
    yield Cause(
        values,
        (*evidence, *_ending(running, pod)),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o yaml"),
            change(text=say("rule_phase.kc5027.do_late", node=pod.node or "-")),
        ),
        "cause_late" if running else "cause_unmount",
    )


@BOOK.rule(
    "KC5028",
    numbers=(28,),
    severity=Severity.WARNING,
    rank=Rank.START,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy",
)
def ends_well_and_restarts(pod: Pod, world: World) -> Iterator[Cause]:
    """A program does its work and ends with 0, while the pod's restart policy takes it for one that never ends."""
    if pod.restart_policy != "Always" or pod.deleted_at or pod.phase != "Running":
        return
    for container in pod.containers:
        ended = container.ended
        idle = container.waiting == "CrashLoopBackOff" or bool(container.terminated)
        keeps = container.spec.get("restartPolicy", "Always") == "Always"
        if container.sort is not Sort.APP or not idle or not keeps or not container.restarts:
            continue
        if ended.get("exitCode") != 0 or ended.get("reason") != "Completed" or _was_killed(pod, container, world):
            continue
        ran = world.since(text_at(ended, "startedAt")) or 0
        lasted = max(0, ran - (world.since(text_at(ended, "finishedAt")) or 0))
        yield Cause(
            {"container": container.name, "restarts": container.restarts, "lasted": human_age(lasted)},
            (
                seen(pod.ref, f"{container.ended_path}.exitCode", "0 Completed", text_at(ended, "finishedAt")),
                seen(pod.ref, "spec.restartPolicy", "Always"),
                seen(pod.ref, f"{container.path}.restartCount", container.restarts),
            ),
            (
                inspect(f"kubectl logs {pod.name} -n {pod.namespace} -c {container.name} --previous"),
                change(text=say("rule_phase.kc5028.do", container=container.name)),
            ),
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


def _node_evidence(pod: Pod, world: World) -> tuple[Evidence, ...]:
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


def _finalizer_owner(finalizer: str) -> Message:
    known = _FINALIZERS.get(finalizer, "other")
    return say(f"rule_phase.finalizer.{known}", domain=finalizer.partition("/")[0])


def _finalizer_steps(pod: Pod) -> tuple[Step, ...]:
    drop = '{"metadata":{"finalizers":null}}'
    return (
        inspect(f"kubectl get pod {pod.name} -n {pod.namespace} -o jsonpath='{{.metadata.finalizers}}'"),
        change(text=say("rule_phase.kc5027.do")),
        destroy(
            f"kubectl patch pod {pod.name} -n {pod.namespace} --type=merge -p '{drop}'",
            say("rule_phase.kc5027.do_drop"),
        ),
    )


def _ending(running: list[Container], pod: Pod) -> Iterator[Evidence]:
    """What still runs, and what its end has to wait for."""
    for container in running:
        hook = map_at(container.spec, "lifecycle", "preStop")
        yield seen(
            pod.ref,
            f"{container.path}.state.running.startedAt",
            text_at(container.status, "state", "running", "startedAt"),
        )
        if hook:
            yield seen(pod.ref, f"spec.containers[{container.name}].lifecycle.preStop", asks_of(hook))


def _was_killed(pod: Pod, container: Container, world: World) -> bool:
    """Whether the kubelet ended the container (a probe, a hook), so that its exit code 0 is only good manners."""
    return any(
        e.path.endswith(f"{{{container.name}}}") for e in world.events(pod.ref, pod.uid) if e.reason == "Killing"
    )


def _short(message: str) -> str:
    return " ".join(message.split())[:_LONGEST].rstrip(". ")
