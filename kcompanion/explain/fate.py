"""What becomes of a pod whose node is not well: whether and when it is deleted, and whether another takes its place.

The node controller taints such a node with NoExecute; the taint eviction controller deletes each pod when its own
toleration runs out (pkg/controller/tainteviction). Every pod without one gets 300 s at admission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.nodelife import Life, State, evicting_taints
from kcompanion.explain.pod import Pod
from kcompanion.model.fields import annotations_of, maps_at, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.times import human_age
from kcompanion.model.world import World

MIRROR = "kubernetes.io/config.mirror"
FOREVER = None


def fate(pod: Pod, life: Life, world: World) -> Message:
    """Whether it will be deleted, and when."""
    if MIRROR in annotations_of(pod.raw):
        return say("rule_node.fate.mirror")
    if pod.deleted_at:
        return say("rule_node.fate.ending" if life.state is State.NOT_READY else "rule_node.fate.going")
    left = _seconds_left(pod, life, world)
    if left is FOREVER:
        return say("rule_node.fate.stays")
    return say("rule_node.fate.later", left=human_age(left)) if left > 0 else say("rule_node.fate.now")


def afterwards(pod: Pod, life: Life, world: World) -> Message:
    """Whether another pod takes its place."""
    owner = controller_of(pod)
    kind, name = text_at(owner, "kind"), text_at(owner, "name")
    stays = not pod.deleted_at and _seconds_left(pod, life, world) is FOREVER
    if stays or MIRROR in annotations_of(pod.raw) or kind == "DaemonSet":
        return say("rule_node.after.returns")
    if not kind:
        return say("rule_node.after.naked")
    if kind == "StatefulSet":
        return say("rule_node.after.stateful", owner=name, pod=pod.name)
    return say("rule_node.after.replaced", kind=kind, owner=name)


def controller_of(pod: Pod) -> Mapping[str, Any]:
    """The owner reference of its controller, empty when it has none."""
    owners = maps_at(pod.raw, "metadata", "ownerReferences")
    return next((owner for owner in owners if owner.get("controller") is True), {})


def toleration_seconds(pod: Pod, taint: Mapping[str, Any]) -> int | None:
    """How long the pod stays with a NoExecute taint: 0 when it does not tolerate it, None for ever."""
    limits = [toleration.get("tolerationSeconds") for toleration in tolerations(pod, taint)]
    if not limits:
        return 0
    bounded = [limit for limit in limits if isinstance(limit, int)]
    return max(0, min(bounded)) if bounded else FOREVER


def tolerations(pod: Pod, taint: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The pod's tolerations of a taint."""
    for toleration in maps_at(pod.raw, "spec", "tolerations"):
        if toleration.get("effect") not in (None, "", taint.get("effect")):
            continue
        key = toleration.get("key") or ""
        exists = toleration.get("operator") == "Exists"
        if key not in ("", taint.get("key")) or not (key or exists):
            continue
        if exists or (toleration.get("value") or "") == (taint.get("value") or ""):
            yield toleration


def _seconds_left(pod: Pod, life: Life, world: World) -> int | None:
    """Seconds until it is deleted, None for never; the time the node was tainted counts from."""
    taints = list(evicting_taints(life.node))
    if not taints:  # the taint follows within seconds
        return toleration_seconds(pod, {"key": _coming(life), "effect": "NoExecute"})
    left: list[int] = []
    for taint in taints:
        seconds = toleration_seconds(pod, taint)
        if seconds is not FOREVER:
            left.append(seconds - (world.since(text_at(taint, "timeAdded")) or 0))
    return min(left) if left else FOREVER


def _coming(life: Life) -> str:
    return f"node.kubernetes.io/{'not-ready' if life.state is State.NOT_READY else 'unreachable'}"
