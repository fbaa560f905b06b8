"""What the kubelet reports of its runtime and its machine: 138 to 141 of the taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.evidence import change, inspect, told
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.starting import reported
from kcompanion.model.events import Event
from kcompanion.model.finding import Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World

BOOK = RuleBook("rule_runtime")
CODE = re.compile(r"rpc error: code = \w+ desc = ")
SANDBOX_FAILED = "FailedCreatePodSandBox"
_HOUR = 3600  # seconds that events live
_OFTEN = 3  # a sandbox made anew once or twice is what a restart of the runtime or the node looks like


@BOOK.rule(
    "KC5138",
    numbers=(138,),
    rank=Rank.SYMPTOM,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/",
)
def sandbox_changed(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod's sandbox ended under it; the kubelet made another, and all containers anew."""
    if pod.phase in ("Succeeded", "Failed") or pod.deleted_at:
        return
    events = reported(pod, world, "SandboxChanged", within=_HOUR)
    if not events or reported(pod, world, SANDBOX_FAILED):
        return
    count = sum(event.count for event in events)
    often = count >= _OFTEN and not pod.is_true("Ready")
    yield Cause(
        {"count": count, "node": pod.node},
        (told(events[-1]),),
        (
            inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
            inspect(f"kubectl get events -n default --field-selector involvedObject.name={pod.node}"),
        ),
        "cause_often" if often else "cause",
        None if often else Severity.INFO,
    )


@BOOK.rule(
    "KC5139",
    numbers=(139,),
    rank=Rank.PULL,
    read="https://kubernetes.io/docs/concepts/containers/images/",
)
def inspect_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The runtime cannot say whether it has an image. A name that is no image name is told by the rules for images."""
    waiting = {container.waiting for container in pod.containers}
    if pod.phase != "Pending" or "InvalidImageName" in waiting:
        return
    for event in reported(pod, world, "InspectFailed")[-1:]:
        yield Cause(
            {"node": pod.node, "message": CODE.sub("", event.message)[:200]},
            (told(event),),
            (
                inspect(f"kubectl describe node {pod.node}"),
                change(text=say("rule_runtime.kc5139.do", node=pod.node)),
            ),
            root=Ref("Node", pod.node),
        )


@BOOK.rule(
    "KC5140",
    numbers=(140,),
    rank=Rank.SANDBOX,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/",
)
def sync_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The kubelet cannot learn from the runtime what state the pod is in, or cannot end it."""
    if pod.phase in ("Succeeded", "Failed"):
        return
    events = reported(pod, world, "FailedSync", "FailedKillPod", "FailedPodSandBoxStatus")
    for event in events[-1:]:
        variant = "cause_kill" if event.reason == "FailedKillPod" else "cause"
        yield Cause(
            {"node": pod.node, "message": CODE.sub("", event.message)[:200]},
            (told(event),),
            (
                inspect(f"kubectl describe node {pod.node}"),
                change(text=say("rule_runtime.kc5140.do", node=pod.node)),
            ),
            variant,
            root=Ref("Node", pod.node),
        )


# Reasons of events about nodes (pkg/kubelet/events): the sentence, and how bad it is.
_MACHINE: dict[str, tuple[str, Severity]] = {
    "SystemOOM": ("cause", Severity.CRITICAL),
    "FreeDiskSpaceFailed": ("cause_disk", Severity.WARNING),
    "ImageGCFailed": ("cause_disk", Severity.WARNING),
    "ContainerGCFailed": ("cause_gc", Severity.WARNING),
    "Rebooted": ("cause_rebooted", Severity.INFO),
}


@BOOK.rule(
    "KC5141",
    numbers=(141,),
    kind="Node",
    rank=Rank.NODE,
    read="https://kubernetes.io/docs/concepts/architecture/garbage-collection/#containers-images",
)
def machine_events(node: Object, world: World) -> Iterator[Cause]:
    """What the kubelet reported about its machine in the last hour."""
    ref = ref_of(node, "Node")
    latest: dict[str, Event] = {}
    for event in world.events(ref):  # the kubelet gives the node's name as its uid
        if event.reason in _MACHINE and (world.since(event.last) or 0) <= _HOUR:
            latest[_MACHINE[event.reason][0]] = event
    for variant, event in latest.items():
        severity = _MACHINE[event.reason][1]
        message = CODE.sub("", event.message)[:200]
        yield Cause(
            {"node": ref.name, "message": message, "count": event.count},
            (told(event),),
            (
                inspect(f"kubectl describe node {ref.name}"),
                change(text=say(f"rule_runtime.kc5141.do{variant.removeprefix('cause')}", node=ref.name)),
            ),
            variant,
            severity,
            ref,
        )
