"""The components of a cluster, as a table, and their instances as found in the snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.health import Check, Health, of_parts, unread
from kcompanion.controlplane.leaders import Leader
from kcompanion.controlplane.lifesigns import heartbeat_check, identity_check
from kcompanion.model.fields import condition, labels_of, map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Object, Snapshot


@dataclass(frozen=True, slots=True)
class Kind:
    """How one component is recognised.

    `labels` are (key, value) pairs, any of which marks its pods in kube-system: kubeadm (kind, minikube) labels
    `component=…`, OpenShift, kops and others `k8s-app=…` or `app=…`.
    """

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    hidden_when_hosted: bool = False  # part of what a provider runs out of sight


def _labelled(name: str, *others: tuple[str, str], hosted: bool = False) -> Kind:
    keys = ("component", "k8s-app", "app", "app.kubernetes.io/name")
    return Kind(name, tuple((key, name) for key in keys) + others, hosted)


KINDS: tuple[Kind, ...] = (
    _labelled("kube-apiserver", ("k8s-app", "openshift-kube-apiserver"), hosted=True),
    _labelled("etcd", ("k8s-app", "etcd-manager-main"), hosted=True),
    _labelled("kube-scheduler", hosted=True),
    _labelled("kube-controller-manager", hosted=True),
    _labelled("cloud-controller-manager", ("k8s-app", "aws-cloud-controller-manager"), hosted=True),
    Kind("kubelet"),
    _labelled("kube-proxy"),
    Kind("container-runtime"),
    _labelled("dns", ("k8s-app", "kube-dns"), ("k8s-app", "coredns")),
    Kind("cni"),
)
BY_NAME = {kind.name: kind for kind in KINDS}
STATIC = ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager")


@dataclass(frozen=True, slots=True)
class Instance:
    """One running (or missing) copy of a component on a node."""

    node: str
    pod: str
    version: str
    health: Health
    static_pod: bool = False
    role: str = ""  # leader, standby, active, member
    image: str = ""
    restarts: int | None = None
    age: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "node": self.node or None,
            "pod": self.pod or None,
            "version": self.version or None,
            "staticPod": self.static_pod,
            "role": self.role or None,
            "image": self.image or None,
            "restarts": self.restarts,
            "ageSeconds": self.age,
            "health": self.health.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Component:
    """A component with its instances; `note` says why there are none, where that is known."""

    name: str
    status: Status
    instances: tuple[Instance, ...] = ()
    leader: Leader | None = None
    note: Message | None = None
    checks: tuple[Check, ...] = ()  # about the component as a whole

    @property
    def missing(self) -> bool:
        return not self.instances

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status.value,
            "instances": [instance.to_json() for instance in self.instances],
            "leader": self.leader.to_json() if self.leader else None,
            "note": self.note.to_json() if self.note else None,
            "evidence": [check.to_json() for check in self.checks],
        }


def component_pods(snapshot: Snapshot, name: str) -> list[Object]:
    """The pods of a component in kube-system, by node and name."""
    marks = BY_NAME[name].labels
    found = [
        pod
        for pod in snapshot.items(asks.PODS)
        if any(labels_of(pod).get(key) == value for key, value in marks) and not _left_behind(pod)
    ]
    return sorted(found, key=lambda pod: (pods.node_of(pod), name_of(pod)))


def _left_behind(pod: Object) -> bool:
    """A pod that ended and stays as a record (evicted, or its node was shut down); its ReplicaSet has made another."""
    ended = text_at(pod, "status", "phase") in ("Failed", "Succeeded")
    return ended and any(owner.get("kind") == "ReplicaSet" for owner in maps_at(pod, "metadata", "ownerReferences"))


def pod_instance(
    snapshot: Snapshot, pod: Object, component: str, extra: Sequence[Check] = (), role: str = ""
) -> Instance:
    """An instance from its pod: ready by its kubelet, and that kubelet still heard of."""
    node = pods.node_of(pod)
    container = pods.main_container(pod, component)
    image = text_at(container, "image")
    fresh = unread(snapshot, asks.PODS)
    checks = [*extra, fresh or pods.ready_check(pod), heartbeat_check(snapshot, node)]
    return Instance(
        node=node,
        pod=name_of(pod),
        version=pods.image_version(image),
        health=Health(tuple(checks)),
        static_pod=pods.is_static(pod),
        role=role,
        image=image,
        restarts=pods.restarts(pod),
        age=pods.age(pod, snapshot),
    )


def static_component(
    snapshot: Snapshot,
    name: str,
    *,
    hidden: Message | None,
    leader: Leader | None = None,
    checks: Sequence[Check] = (),
) -> Component:
    """A control-plane component from its pods, or the reason why no pods can be seen.

    `hidden` is that reason where the control plane runs out of sight, None where its pods ought to be seen.
    """
    found = component_pods(snapshot, name)
    if not found:
        return without_pods(snapshot, name, hidden=hidden, leader=leader, checks=checks)
    instances = tuple(
        pod_instance(snapshot, pod, name, _own_checks(snapshot, pod, name), _role(pod, name, leader)) for pod in found
    )
    parts = of_parts(instance.health.status for instance in instances)
    status = worst([parts, *(check.status for check in checks)])
    return Component(name, status, instances, leader, checks=tuple(checks))


def _own_checks(snapshot: Snapshot, pod: Object, name: str) -> list[Check]:
    check = identity_check(snapshot, pods.node_of(pod)) if name == "kube-apiserver" else None
    return [check] if check else []


def _role(pod: Object, name: str, leader: Leader | None) -> str:
    if name == "etcd":
        return "member"
    if leader is None or not leader.pod:  # nobody, or somebody whose pod cannot be told
        return "active" if name == "kube-apiserver" else ""
    return "leader" if name_of(pod) == leader.pod else "standby"


def without_pods(
    snapshot: Snapshot,
    name: str,
    *,
    hidden: Message | None,
    leader: Leader | None = None,
    checks: Sequence[Check] = (),
) -> Component:
    """A component none of whose pods was found: hidden by the provider, unreadable, or really absent."""
    missing = unread(snapshot, asks.PODS)
    if missing is not None:
        return Component(name, Status.UNKNOWN, (), leader, missing.message, (*checks, missing))
    if hidden and BY_NAME[name].hidden_when_hosted:
        # a Lease that a hidden component renews, or stops renewing, still tells of it
        told = worst([Status.NOT_VISIBLE, *(c.status for c in checks if c.status is not Status.OK)])
        return Component(name, told, (), leader, hidden, tuple(checks))
    evidence = Evidence(f"Pods {asks.SYSTEM}", f"labels[component]={name}", "none")
    absent = Check(Status.UNKNOWN, say("controlplane.check.no_pods"), evidence)
    return Component(name, Status.UNKNOWN, (), leader, say("controlplane.note.no_pods"), (*checks, absent))


def kubelets(snapshot: Snapshot) -> Component:
    """The kubelet of every node: not a pod, known by its Node object and its heartbeat."""
    return _per_node(snapshot, "kubelet", _kubelet)


def runtimes(snapshot: Snapshot) -> Component:
    """The container runtime of every node, as its kubelet reports it."""
    return _per_node(snapshot, "container-runtime", _runtime)


def _per_node(snapshot: Snapshot, name: str, make: Callable[[Snapshot, Object], Instance]) -> Component:
    missing = unread(snapshot, asks.NODES)
    nodes = sorted(snapshot.items(asks.NODES), key=name_of)
    instances = tuple(make(snapshot, node) for node in nodes)
    if missing is not None:
        return Component(name, Status.UNKNOWN, instances, None, missing.message, (missing,))
    if not instances:
        return Component(name, Status.UNKNOWN, (), None, say("controlplane.note.no_nodes"))
    return Component(name, of_parts(i.health.status for i in instances), instances)


def _kubelet(snapshot: Snapshot, node: Object) -> Instance:
    info = map_at(node, "status", "nodeInfo")
    health = Health((heartbeat_check(snapshot, name_of(node)), node_ready_check(node)))
    return Instance(name_of(node), "", str(info.get("kubeletVersion") or ""), health)


def _runtime(snapshot: Snapshot, node: Object) -> Instance:
    runtime, _, version = text_at(node, "status", "nodeInfo", "containerRuntimeVersion").partition("://")
    health = Health((node_ready_check(node), heartbeat_check(snapshot, name_of(node))))
    return Instance(name_of(node), "", version.removesuffix("+unknown"), health, image=runtime)


def node_ready_check(node: Object) -> Check:
    """The Ready condition of a node. Unknown means the control plane stopped hearing of it."""
    ready = condition(node, "Ready")
    value = str(ready.get("status") or "")
    reason = str(ready.get("reason") or "")
    evidence = Evidence(f"Node {name_of(node)}", "status.conditions[Ready]", f"{value} {reason}".strip())
    if value == "True":
        return Check(Status.OK, say("controlplane.check.node_ready"), evidence)
    if value in ("False", "Unknown"):
        return Check(Status.FAIL, say("controlplane.check.node_not_ready", reason=reason), evidence)
    return Check(Status.UNKNOWN, say("controlplane.check.node_unsure"), evidence)
