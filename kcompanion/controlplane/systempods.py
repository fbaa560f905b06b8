"""The pods of kube-system by node, with what each is for: the picture of a cluster's parts at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.components import KINDS, STATIC
from kcompanion.controlplane.lifesigns import silent_nodes
from kcompanion.model.fields import labels_of, maps_at, name_of, text_at
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import seconds_between

# The roles: "control-plane" decides, "node-agent" runs on every node, "add-on" serves the others.
_CLOUD = "cloud-controller-manager"
_NAME_LABELS = ("k8s-app", "app.kubernetes.io/name", "component", "app", "name")


@dataclass(frozen=True, slots=True)
class SystemPod:
    """One row of the table."""

    name: str
    node: str  # empty while it waits for one
    role: str
    component: str
    phase: str
    ready: Status
    static: bool
    age: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "pod": self.name,
            "node": self.node or None,
            "role": self.role,
            "component": self.component,
            "phase": self.phase,
            "ready": self.ready.value,
            "staticPod": self.static,
            "ageSeconds": self.age,
        }


def system_pods(snapshot: Snapshot, node: str = "") -> tuple[SystemPod, ...]:
    """The pods of kube-system, by node and name; those without a node last. With `node`, only that node's."""
    rows = [_row(pod, snapshot) for pod in snapshot.items(asks.PODS)]
    kept = [row for row in rows if not node or row.node == node]
    return tuple(sorted(kept, key=lambda row: (row.node == "", row.node, row.name)))


def _row(pod: Object, snapshot: Snapshot) -> SystemPod:
    component = component_of(pod)
    return SystemPod(
        name_of(pod),
        pods.node_of(pod),
        _role(pod, component),
        component,
        text_at(pod, "status", "phase"),
        _ready(pod, snapshot),
        pods.is_static(pod),
        seconds_between(text_at(pod, "metadata", "creationTimestamp"), snapshot.now),
    )


def _ready(pod: Object, snapshot: Snapshot) -> Status:
    """What the kubelet says of it; of a kubelet that fell silent that is old news."""
    told = pods.ready_check(pod).status
    return Status.WARN if told is Status.OK and pods.node_of(pod) in silent_nodes(snapshot) else told


def component_of(pod: Object) -> str:
    """The component a pod belongs to: one of the known ones, else what its controller or its labels call it."""
    labels = labels_of(pod)
    for kind in KINDS:
        if kind.name != "dns" and any(labels.get(key) == value for key, value in kind.labels):
            return kind.name
    owner = next(maps_at(pod, "metadata", "ownerReferences"), {})
    if owner.get("kind") not in (None, "Node"):
        # a Deployment's ReplicaSet is called NAME-HASH
        return str(owner.get("name")).removesuffix(f"-{labels.get('pod-template-hash', '')}")
    return next((str(labels[key]) for key in _NAME_LABELS if labels.get(key)), name_of(pod))


def _role(pod: Object, component: str) -> str:
    if component in STATIC or component == _CLOUD:
        return "control-plane"
    kinds = {text_at(owner, "kind") for owner in maps_at(pod, "metadata", "ownerReferences")}
    return "node-agent" if "DaemonSet" in kinds or component == "kube-proxy" else "add-on"
