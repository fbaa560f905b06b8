"""What a control-plane pod tells: is it a static pod, which version, is it ready, how often did it restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kcompanion.controlplane.health import Check
from kcompanion.model.fields import (
    annotations_of,
    condition,
    dig,
    maps_at,
    name_of,
    namespace_of,
    text_at,
    texts_at,
)
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import seconds_between

MIRROR = "kubernetes.io/config.mirror"
SOURCE = "kubernetes.io/config.source"
# Only pre-releases belong to the version: `-0`, `-amd64` or `-minimal-eksbuild.2` tell how the image was built.
_TAG = re.compile(r":(v?\d+\.\d+(?:\.\d+)?(?:-(?:alpha|beta|rc)\.\d+)?)(?:[-+_.].*)?$")


def node_of(pod: Object) -> str:
    return text_at(pod, "spec", "nodeName")


def is_static(pod: Object) -> bool:
    """A mirror pod: the API's picture of a pod that a kubelet reads from a file (or URL) of its node."""
    owned_by_node = any(owner.get("kind") == "Node" for owner in maps_at(pod, "metadata", "ownerReferences"))
    return MIRROR in annotations_of(pod) or (owned_by_node and annotations_of(pod).get(SOURCE) in ("file", "http"))


def image_version(image: str) -> str:
    """`v1.36.3` of `registry.k8s.io/kube-apiserver:v1.36.3`, empty when the tag is not a version."""
    found = _TAG.search(image.partition("@")[0].rpartition("/")[2])
    return found[1] if found else ""


def main_container(pod: Object, component: str) -> Any:  # noqa: ANN401 - JSON
    """The container that runs the component: the one of its name, else the first."""
    containers = list(maps_at(pod, "spec", "containers"))
    named = next((c for c in containers if c.get("name") == component), None)
    return named or (containers[0] if containers else {})


def arguments(pod: Object, component: str) -> tuple[str, ...]:
    """Command and arguments of the component's container, in order."""
    container = main_container(pod, component)
    return texts_at(container, "command") + texts_at(container, "args")


def restarts(pod: Object) -> int:
    return sum(
        status["restartCount"]
        for status in maps_at(pod, "status", "containerStatuses")
        if isinstance(status.get("restartCount"), int)
    )


def ready_check(pod: Object) -> Check:
    """Whether the pod's kubelet says it is ready; for static pods it probes ports that only its node can reach."""
    ready = condition(pod, "Ready")
    source = f"Pod {namespace_of(pod)}/{name_of(pod)}"
    value = str(ready.get("status") or "")
    reason = str(ready.get("reason") or "")
    evidence = Evidence(source, "status.conditions[Ready]", f"{value} {reason}".strip())
    if value == "True":
        return Check(Status.OK, say("controlplane.check.pod_ready"), evidence)
    waiting = next(_waiting_reasons(pod), "")
    if value == "False":
        told = waiting or reason or text_at(pod, "status", "phase")
        return Check(Status.FAIL, say("controlplane.check.pod_not_ready", reason=told), evidence)
    return Check(Status.UNKNOWN, say("controlplane.check.pod_unsure"), evidence)


def _waiting_reasons(pod: Object) -> Iterator[str]:
    for status in maps_at(pod, "status", "containerStatuses"):
        for state in ("waiting", "terminated"):
            reason = dig(status, "state", state, "reason")
            if isinstance(reason, str) and reason:
                yield reason


def age(pod: Object, snapshot: Snapshot) -> int | None:
    """Seconds since the kubelet started the pod."""
    return seconds_between(dig(pod, "status", "startTime"), snapshot.now)
