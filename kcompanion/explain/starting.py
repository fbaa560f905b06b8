"""Pods that have a node but no running container yet, and what was lately reported about them."""

from __future__ import annotations

from kcompanion.explain.pod import Pod
from kcompanion.model.events import Event
from kcompanion.model.fields import text_at
from kcompanion.model.world import World

# The kubelet tries mounts and sandboxes again after at most about two minutes; older events tell of the past.
FRESH = 300
SOON = 10  # seconds in which a pod may just be starting


def not_started(pod: Pod) -> bool:
    """Whether the kubelet still prepares it: volumes, sandbox, network."""
    if not pod.node or pod.phase != "Pending" or pod.deleted_at:
        return False
    return not pod.is_true("PodReadyToStartContainers") or not any(
        c.state in ("running", "terminated") for c in pod.containers
    )


def overdue(pod: Pod, world: World, seconds: int = SOON) -> bool:
    """Whether it was bound to its node more than a moment ago."""
    bound = text_at(pod.raw, "status", "startTime") or text_at(pod.condition("PodScheduled"), "lastTransitionTime")
    return (world.since(bound or text_at(pod.raw, "metadata", "creationTimestamp")) or 0) >= seconds


def reported(pod: Pod, world: World, *reasons: str, within: int = FRESH) -> list[Event]:
    """The events of these reasons about a pod in the last `within` seconds, the latest last.

    Raises:
        NotKnown: the events could not be read.
    """
    found = [event for event in world.events(pod.ref, pod.uid) if event.reason in reasons]
    return [event for event in found if (world.since(event.last) or 0) <= within]
