"""How a cluster was made, from marks that installers and providers leave. Each answer names its marks.

Several marks of one maker make it surer; a single one is called likely. A control plane without pods, although pods
can be read, is out of sight: inside services of the cluster's own nodes (k3s), else hosted by a provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.components import STATIC, component_pods
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.versions import server_version
from kcompanion.model.fields import annotations_of, labels_of, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made the cluster: `name` is empty when no mark was found."""

    name: str
    sure: bool
    evidence: tuple[Evidence, ...]
    also: tuple[str, ...] = ()  # what it is built with: kind and minikube use kubeadm

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name or None,
            "confidence": "high" if self.sure else "low" if self.name else None,
            "with": list(self.also),
            "evidence": [item.to_json() for item in self.evidence],
        }


Mark = Callable[[Snapshot], Evidence | None]


def _node_label(key: str) -> Mark:
    def find(snapshot: Snapshot) -> Evidence | None:
        for node in snapshot.items(asks.NODES):
            if key in labels_of(node):
                return Evidence(f"Node {name_of(node)}", f"labels[{key}]", str(labels_of(node)[key]))
        return None

    return find


def _provider(prefix: str) -> Mark:
    def find(snapshot: Snapshot) -> Evidence | None:
        for node in snapshot.items(asks.NODES):
            given = text_at(node, "spec", "providerID")
            if given.startswith(prefix):
                return Evidence(f"Node {name_of(node)}", "spec.providerID", given)
        return None

    return find


def _version(pattern: str) -> Mark:
    def find(snapshot: Snapshot) -> Evidence | None:
        found = server_version(snapshot)
        return Evidence("/version", "gitVersion", found) if re.search(pattern, found) else None

    return find


def _configmap(name: str) -> Mark:
    def find(snapshot: Snapshot) -> Evidence | None:
        held = any(name_of(item) == name for item in snapshot.items(asks.CONFIGMAPS))
        return Evidence(f"ConfigMap {asks.SYSTEM}/{name}") if held else None

    return find


def _workload(pattern: str) -> Mark:
    def find(snapshot: Snapshot) -> Evidence | None:
        for ask, kind in ((asks.PODS, "Pod"), (asks.DAEMONSETS, "DaemonSet")):
            for item in snapshot.items(ask):
                if re.search(pattern, name_of(item)):
                    return Evidence(f"{kind} {namespace_of(item)}/{name_of(item)}")
        return None

    return find


def _annotation(key: str) -> Mark:
    def find(snapshot: Snapshot) -> Evidence | None:
        for node in snapshot.items(asks.NODES):
            if key in annotations_of(node):
                return Evidence(f"Node {name_of(node)}", f"annotations[{key}]")
        return None

    return find


# In order: what is built on kubeadm comes before kubeadm, so that the nearer answer wins.
MAKERS: tuple[tuple[str, tuple[Mark, ...]], ...] = (
    ("kind", (_provider("kind://"),)),
    ("minikube", (_node_label("minikube.k8s.io/name"), _workload(r"^storage-provisioner$"))),
    ("k3d", (_provider("k3s://k3d"),)),
    ("k3s", (_version(r"\+k3s"), _provider("k3s://"))),
    ("rke2", (_version(r"\+rke2"), _annotation("rke2.io/node-args"))),
    ("k0s", (_version(r"\+k0s"),)),
    ("microk8s", (_node_label("microk8s.io/cluster"),)),
    (
        "EKS",
        (
            _version(r"-eks-"),
            _node_label("eks.amazonaws.com/nodegroup"),
            _node_label("alpha.eksctl.io/cluster-name"),
        ),
    ),
    ("GKE", (_version(r"-gke\."), _node_label("cloud.google.com/gke-nodepool"))),
    ("AKS", (_node_label("kubernetes.azure.com/cluster"), _node_label("kubernetes.azure.com/mode"))),
    ("OpenShift", (_node_label("node.openshift.io/os_id"),)),
    ("kops", (_node_label("kops.k8s.io/instancegroup"), _workload(r"^kops-controller"))),
    ("kubeadm", (_configmap("kubeadm-config"), _annotation("kubeadm.alpha.kubernetes.io/cri-socket"))),
)
_ON_KUBEADM = ("kind", "minikube")
_AS_SERVICES = ("k3d", "k3s", "k0s", "microk8s")
CONTROL_PLANE_LABELS = ("node-role.kubernetes.io/control-plane", "node.kubernetes.io/microk8s-controlplane")


def maker(snapshot: Snapshot) -> Maker:
    """The first maker of the table that left a mark."""
    for name, marks in MAKERS:
        found = tuple(item for mark in marks if (item := mark(snapshot)) is not None)
        if found:
            also = ("kubeadm",) if name in _ON_KUBEADM and _configmap("kubeadm-config")(snapshot) else ()
            return Maker(name, len(found) > 1 or name in ("kind", "kubeadm"), found, also)
    return Maker("", False, ())


def out_of_sight(snapshot: Snapshot) -> bool:
    """Whether pods could be read and none of the control plane's components is among them."""
    if not readable(snapshot, asks.PODS):
        return False
    return not any(component_pods(snapshot, name) for name in STATIC)


def as_services(snapshot: Snapshot) -> bool:
    """Whether a control plane out of sight runs on nodes of the cluster, inside a service: their role says so."""
    if not out_of_sight(snapshot):
        return False
    marked = any(label in labels_of(node) for node in snapshot.items(asks.NODES) for label in CONTROL_PLANE_LABELS)
    return marked or maker(snapshot).name in _AS_SERVICES
