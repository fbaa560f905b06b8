"""What controllers, scheduler and kubelets did in kube-system: an example of each one's work, told by what it left.

An owner reference with `controller: true`, a managed-by label or a well-known name says which controller made an
object. Nothing here is proof of who wrote a field; it is the object that only this controller makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.configfile import KUBELET, embedded
from kcompanion.model.fields import (
    annotations_of,
    condition,
    dig,
    labels_of,
    maps_at,
    name_of,
    namespace_of,
    text_at,
    texts_at,
)
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import parse_time, seconds_between

# controller reference's kind: the controller that makes objects owned so
_BY_OWNER = {
    "ReplicaSet": "replicaset-controller",
    "DaemonSet": "daemonset-controller",
    "StatefulSet": "statefulset-controller",
    "Job": "job-controller",
}
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
DEFAULT_SCHEDULER = "default-scheduler"
DEFAULT_MANIFESTS = "/etc/kubernetes/manifests"


@dataclass(frozen=True, slots=True)
class Work:
    """One object that a controller made, for whom, and how many seconds ago."""

    controller: str
    made: str
    owner: str
    age: int | None

    def to_json(self) -> dict[str, Any]:
        return {"controller": self.controller, "made": self.made, "for": self.owner, "ageSeconds": self.age}


def examples(snapshot: Snapshot) -> tuple[Work, ...]:
    """The youngest example of each controller's work, by controller."""
    newest: dict[str, Work] = {}
    for work in (*_pods(snapshot), *_slices(snapshot), *_ranges(snapshot), *_root_ca(snapshot)):
        known = newest.get(work.controller)
        if known is None or _younger(work, known):
            newest[work.controller] = work
    return tuple(newest[name] for name in sorted(newest))


def _younger(one: Work, other: Work) -> bool:
    return (one.age if one.age is not None else 1 << 62, one.made) < (
        other.age if other.age is not None else 1 << 62,
        other.made,
    )


def _age(obj: Object, snapshot: Snapshot) -> int | None:
    return seconds_between(dig(obj, "metadata", "creationTimestamp"), snapshot.now)


def _owner(obj: Object) -> tuple[str, str]:
    """Kind and name of the controlling owner."""
    for owner in maps_at(obj, "metadata", "ownerReferences"):
        if owner.get("controller") is True:
            return str(owner.get("kind")), str(owner.get("name"))
    return "", ""


def _pods(snapshot: Snapshot) -> Iterator[Work]:
    for pod in snapshot.items(asks.PODS):
        kind, name = _owner(pod)
        if kind in _BY_OWNER:
            yield Work(_BY_OWNER[kind], f"Pod {name_of(pod)}", f"{kind} {name}", _age(pod, snapshot))


def _slices(snapshot: Snapshot) -> Iterator[Work]:
    for item in snapshot.items(asks.SYSTEM_SLICES):
        manager = str(labels_of(item).get(_MANAGED_BY) or "").partition(".")[0]
        kind, name = _owner(item)
        if manager and kind:
            changed = annotations_of(item).get("endpoints.kubernetes.io/last-change-trigger-time")
            age = seconds_between(changed, snapshot.now)
            made = f"EndpointSlice {name_of(item)}"
            yield Work(manager, made, f"{kind} {name}", _age(item, snapshot) if age is None else age)


def _ranges(snapshot: Snapshot) -> Iterator[Work]:
    for node in snapshot.items(asks.NODES):
        for cidr in texts_at(node, "spec", "podCIDRs"):
            yield Work("node-ipam-controller", f"podCIDR {cidr}", f"Node {name_of(node)}", _age(node, snapshot))


def _root_ca(snapshot: Snapshot) -> Iterator[Work]:
    for item in snapshot.items(asks.CONFIGMAPS):
        if name_of(item) == "kube-root-ca.crt":
            where = f"Namespace {namespace_of(item) or asks.SYSTEM}"
            made = "ConfigMap kube-root-ca.crt"
            yield Work("root-ca-certificate-publisher-controller", made, where, _age(item, snapshot))


@dataclass(frozen=True, slots=True)
class Placement:
    """How a pod came to its node: `how` is static, scheduler or waiting; seconds from creation to binding."""

    pod: str
    node: str
    scheduler: str
    how: str
    took: int | None
    age: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "pod": self.pod,
            "node": self.node or None,
            "scheduler": self.scheduler or None,
            "how": self.how,
            "seconds": self.took,
            "ageSeconds": self.age,
        }


def placements(snapshot: Snapshot) -> tuple[Placement, ...]:
    """Every pod of kube-system, the youngest first."""
    found = [_placement(pod, snapshot) for pod in snapshot.items(asks.PODS)]
    return tuple(sorted(found, key=lambda p: (p.age if p.age is not None else 1 << 62, p.pod)))


def _placement(pod: Object, snapshot: Snapshot) -> Placement:
    node, age = pods.node_of(pod), _age(pod, snapshot)
    if pods.is_static(pod):
        return Placement(name_of(pod), node, "", "static", None, age)
    scheduler = text_at(pod, "spec", "schedulerName") or DEFAULT_SCHEDULER
    if not node:
        return Placement(name_of(pod), "", scheduler, "waiting", None, age)
    bound = parse_time(condition(pod, "PodScheduled").get("lastTransitionTime"))
    created = parse_time(dig(pod, "metadata", "creationTimestamp"))
    took = max(0, int((bound - created).total_seconds())) if bound and created else None
    return Placement(name_of(pod), node, scheduler, "scheduler", took, age)


@dataclass(frozen=True, slots=True)
class StaticPod:
    """A static pod: the file its kubelet reads (by the configured folder) and the hash of what it read."""

    pod: str
    node: str
    manifest: str
    digest: str
    seen: str  # when the kubelet first saw the file, as it says

    def to_json(self) -> dict[str, Any]:
        return {
            "pod": self.pod,
            "node": self.node,
            "manifest": self.manifest,
            "configHash": self.digest,
            "seen": self.seen or None,
        }


def static_pods(snapshot: Snapshot) -> tuple[StaticPod, ...]:
    """The static pods of kube-system, by node and name. The file's name is the one kubeadm gives it."""
    folder = str((embedded(snapshot, *KUBELET) or {}).get("staticPodPath") or DEFAULT_MANIFESTS)
    found = []
    for pod in snapshot.items(asks.PODS):
        if pods.is_static(pod):
            node = pods.node_of(pod)
            told = annotations_of(pod)
            file = f"{folder}/{name_of(pod).removesuffix(f'-{node}')}.yaml"
            digest = str(told.get(pods.MIRROR) or "")
            found.append(
                StaticPod(name_of(pod), node, file, digest, str(told.get("kubernetes.io/config.seen") or "")[:19])
            )
    return tuple(sorted(found, key=lambda p: (p.node, p.pod)))
