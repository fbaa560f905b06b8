"""Sandboxes that cannot be made: 134 to 137 of the taxonomy.

A pod's sandbox holds its network; containers come into it. While it cannot be made, the pod is ContainerCreating and
only events tell why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen, told
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.kubelets import CODE, SANDBOX_FAILED
from kcompanion.explain.starting import not_started, overdue, reported
from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import condition, dig, map_at, maps_at, text_at
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_runtime")
_HANDLER = re.compile(r'no runtime for "(?P<handler>[^"]*)" is configured|runtime handler "?(?P<other>[\w.-]+)"? not')
_ID = re.compile(r'"?\b[0-9a-f]{32,64}\b"?')
# A word in the message of a failed sandbox, and the sentence for it; the first that fits.
_SANDBOXES = (
    (
        ("no available ip", "no ip addresses available", "failed to allocate for range", "ip pool", "exhausted"),
        "cause_ip",
    ),
    (("failed to get sandbox image", "failed to pull image", "pause"), "cause_pause"),
    (("memory limit too low", "oom-killed"), "cause_memory"),
    (("plugin type", "failed to setup network", "cni", "network for sandbox"), "cause_network"),
    (("no space left",), "cause_disk"),
)


@BOOK.rule(
    "KC5134",
    numbers=(134,),
    severity=Severity.CRITICAL,
    rank=Rank.SANDBOX,
    read="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-has-network",
)
def sandbox_failed(pod: Pod, world: World) -> Iterator[Cause]:
    """The runtime cannot make the pod's sandbox."""
    failures = _failures(pod, world)
    if not failures or _HANDLER.search(failures[-1].message):
        return
    # One fault shows in several messages, some of them empty words; the latest that says something counts.
    telling = [(event, variant) for event in failures if (variant := _sandbox_variant(event)) != "cause"]
    for event, variant in telling[-1:] or [(failures[-1], "cause")]:
        limit = _memory_limits(pod)
        values = {"node": pod.node, "message": _plain(event.message), "limit": limit or "-"}
        evidence = [told(event), *_no_sandbox(pod)]
        if variant == "cause_memory" and limit:
            evidence.append(seen(pod.ref, "spec.containers[].resources.limits.memory", limit))
        yield Cause(
            values,
            tuple(evidence),
            (
                inspect(f"kubectl describe pod {pod.name} -n {pod.namespace}"),
                change(text=say(f"rule_runtime.kc5134.do{variant.removeprefix('cause')}", node=pod.node)),
            ),
            variant,
            root=Ref("Node", pod.node)
            if variant in ("cause_ip", "cause_network", "cause_pause", "cause_disk")
            else None,
        )


def _failures(pod: Pod, world: World) -> list[Event]:
    """The latest failures to make its sandbox, as long as it has none."""
    if not not_started(pod) or pod.is_true("PodReadyToStartContainers"):
        return []
    return reported(pod, world, SANDBOX_FAILED)


def _sandbox_variant(event: Event) -> str:
    lower = event.message.lower()
    return next((variant for words, variant in _SANDBOXES if any(word in lower for word in words)), "cause")


def _no_sandbox(pod: Pod) -> Iterator[Evidence]:
    found = pod.condition("PodReadyToStartContainers")
    if found.get("status") == "False":
        at = text_at(found, "lastTransitionTime")
        yield seen(pod.ref, "status.conditions[PodReadyToStartContainers]", "False", at)


def _memory_limits(pod: Pod) -> str:
    limits = [text_at(container.spec, "resources", "limits", "memory") for container in pod.containers]
    return ", ".join(filter(None, limits))


def _plain(message: str) -> str:
    """A runtime's message without gRPC's words and without ids that differ at every try."""
    short = _ID.sub("…", CODE.sub("", message)).partition("Failed to create pod sandbox: ")[2]
    return (short or message)[:240]


@BOOK.rule(
    "KC5137",
    numbers=(137,),
    severity=Severity.CRITICAL,
    rank=Rank.SANDBOX,
    read="https://kubernetes.io/docs/concepts/containers/runtime-class/",
)
def handler_missing(pod: Pod, world: World) -> Iterator[Cause]:
    """The pod's RuntimeClass names a handler that the node's runtime does not have."""
    wanted = text_at(pod.raw, "spec", "runtimeClassName")
    if not wanted or not not_started(pod) or pod.is_true("PodReadyToStartContainers"):
        return
    found = world.get(r.RUNTIMECLASSES, wanted)
    handler = text_at(found, "handler")
    if not handler or not overdue(pod, world):
        return
    node = world.get(r.NODES, pod.node)
    has = [text_at(one, "name") for one in maps_at(node, "status", "runtimeHandlers")]
    events = [event for event in _failures(pod, world) if _HANDLER.search(event.message)][-1:]
    if handler in has or not (has or events):  # older runtimes do not list their handlers
        return
    ref = Ref("RuntimeClass", wanted)
    evidence = [
        seen(pod.ref, "spec.runtimeClassName", wanted),
        seen(ref, "handler", handler),
        seen(Ref("Node", pod.node), "status.runtimeHandlers[].name", ", ".join(filter(None, has)) or "-"),
    ]
    yield Cause(
        {"class": wanted, "handler": handler, "node": pod.node},
        (*evidence, *map(told, events)),
        (
            inspect("kubectl get nodes -o custom-columns=NODE:.metadata.name,HANDLERS:.status.runtimeHandlers[*].name"),
            change(text=say("rule_runtime.kc5137.do", handler=handler)),
        ),
        root=ref,
    )


@BOOK.rule(
    "KC5135",
    numbers=(135,),
    severity=Severity.CRITICAL,
    rank=Rank.SANDBOX,
    read="https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/",
)
def network_not_ready(pod: Pod, world: World) -> Iterator[Cause]:
    """The node has no working pod network, so the kubelet starts no pod that needs one."""
    if not not_started(pod) or pod.is_true("PodReadyToStartContainers"):
        return
    for event in reported(pod, world, "NetworkNotReady")[-1:]:
        evidence = [told(event)]
        try:
            ready = condition(world.get(r.NODES, pod.node), "Ready")
        except NotKnown:
            ready = {}
        if ready and ready.get("status") != "True":
            value = f"{text_at(ready, 'status')} {text_at(ready, 'reason')}: {text_at(ready, 'message')}"
            at = text_at(ready, "lastTransitionTime")
            evidence.append(seen(Ref("Node", pod.node), "status.conditions[Ready]", value, at))
        yield Cause(
            {"node": pod.node},
            tuple(evidence),
            (
                inspect(f"kubectl get pods -n kube-system -o wide --field-selector spec.nodeName={pod.node}"),
                change(text=say("rule_runtime.kc5135.do", node=pod.node)),
            ),
            root=Ref("Node", pod.node),
        )


@BOOK.rule(
    "KC5136",
    numbers=(136,),
    severity=Severity.CRITICAL,
    rank=Rank.SANDBOX,
    read="https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/",
)
def devices_not_prepared(pod: Pod, world: World) -> Iterator[Cause]:
    """Devices that a ResourceClaim stands for were not allocated, not reserved, or not prepared on the node."""
    if not not_started(pod):
        return
    for event in reported(pod, world, "FailedPrepareDynamicResources")[-1:]:
        claim, found = _device_claim(pod, world)
        values: dict[str, Any] = {"claim": claim or "-", "node": pod.node, "message": _dra(event.message)}
        evidence = [told(event)]
        variant = "cause"
        ref = Ref("ResourceClaim", claim, pod.namespace)
        if found is not None:
            reserved = [text_at(user, "name") for user in maps_at(found, "status", "reservedFor")]
            allocated = dig(found, "status", "allocation") is not None
            evidence.append(seen(ref, "status.allocation", "set" if allocated else "-"))
            evidence.append(seen(ref, "status.reservedFor", ", ".join(reserved) or "-"))
            variant = "cause" if allocated and pod.name in reserved else "cause_unallocated"
        yield Cause(
            values,
            tuple(evidence),
            (
                inspect(f"kubectl get resourceclaims -n {pod.namespace} -o wide"),
                change(text=say(f"rule_runtime.kc5136.do{variant.removeprefix('cause')}")),
            ),
            variant,
            root=ref if claim else None,
        )


def _device_claim(pod: Pod, world: World) -> tuple[str, Object | None]:
    """The first of the pod's claims that is not ready for it, else its last one."""
    made = {
        text_at(s, "name"): text_at(s, "resourceClaimName") for s in maps_at(pod.raw, "status", "resourceClaimStatuses")
    }
    name, found = "", None
    for one in maps_at(pod.raw, "spec", "resourceClaims"):
        name = text_at(one, "resourceClaimName") or made.get(text_at(one, "name"), "")
        try:
            found = world.get(r.RESOURCECLAIMS, name, pod.namespace) if name else None
        except NotKnown:
            found = None
        reserved = [text_at(user, "uid") for user in maps_at(found, "status", "reservedFor")]
        if found is not None and (not map_at(found, "status", "allocation") or pod.uid not in reserved):
            return name, found
    return name, found


def _dra(message: str) -> str:
    return message.rpartition("prepare dynamic resources: ")[2][:200]
