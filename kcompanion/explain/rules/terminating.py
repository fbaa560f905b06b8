"""Pods that were deleted and do not go, and programs that end although their pod should run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from kcompanion.explain.evidence import change, destroy, inspect, seen, told
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.endings import node_evidence
from kcompanion.explain.rules.probing import asks_of
from kcompanion.model.fields import dig, map_at, text_at, texts_at
from kcompanion.model.finding import Evidence, Severity, Step
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import Ref
from kcompanion.model.times import human_age, parse_time
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_phase")

TERMINATION = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
LATE = 15  # seconds after the end of the grace period until which a pod is normally gone
NOTED = 30  # seconds an orderly end may take before it is worth a word


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
    lost = node_evidence(pod, world)
    if lost:
        yield Cause(
            values,
            (*evidence, *lost),
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
