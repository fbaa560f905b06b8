from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.origin import MAKERS, maker
from tests.controlplane.build import configmap, meta, node, snap, version

KUBEADM = configmap("kubeadm-config", ClusterConfiguration="x")
SOCKET = {"kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock"}


def workload(name: str) -> dict[str, Any]:
    return {"metadata": meta(name)}


CASES = [
    ("kind", True, {asks.NODES: [node("a", spec={"providerID": "kind://docker/x/a"})], asks.CONFIGMAPS: [KUBEADM]}),
    ("minikube", False, {asks.NODES: [node("minikube", labels={"minikube.k8s.io/name": "minikube"})]}),
    (
        "minikube",
        True,
        {
            asks.NODES: [node("m", labels={"minikube.k8s.io/name": "m"}, annotations=SOCKET)],
            asks.PODS: [workload("storage-provisioner")],
            asks.CONFIGMAPS: [KUBEADM],
        },
    ),
    ("k3s", False, {asks.VERSION: version("v1.33.5+k3s1")}),
    ("k3s", True, {asks.VERSION: version("v1.33.5+k3s1"), asks.NODES: [node("a", spec={"providerID": "k3s://a"})]}),
    (
        "k3d",
        False,
        {
            asks.VERSION: version("v1.33.5+k3s1"),
            asks.NODES: [node("k3d-x-server-0", spec={"providerID": "k3s://k3d-x-server-0"})],
        },
    ),
    ("rke2", False, {asks.VERSION: version("v1.33.5+rke2r1")}),
    ("k0s", False, {asks.VERSION: version("v1.33.5+k0s")}),
    ("microk8s", False, {asks.NODES: [node("a", labels={"microk8s.io/cluster": "true"})]}),
    ("EKS", False, {asks.VERSION: version("v1.33.13-eks-cb19647")}),
    (
        "EKS",
        True,
        {
            asks.VERSION: version("v1.33.13-eks-cb19647"),
            asks.NODES: [node("a", labels={"eks.amazonaws.com/nodegroup": "ng"})],
        },
    ),
    ("GKE", False, {asks.VERSION: version("v1.32.4-gke.1415000")}),
    (
        "AKS",
        True,
        {asks.NODES: [node("a", labels={"kubernetes.azure.com/cluster": "x", "kubernetes.azure.com/mode": "system"})]},
    ),
    ("OpenShift", False, {asks.NODES: [node("a", labels={"node.openshift.io/os_id": "rhel"})]}),
    ("kops", False, {asks.NODES: [node("a", labels={"kops.k8s.io/instancegroup": "nodes"})]}),
    ("kubeadm", True, {asks.CONFIGMAPS: [KUBEADM]}),
    ("kubeadm", True, {asks.NODES: [node("a", annotations=SOCKET)]}),
    ("", False, {asks.NODES: [node("a")], asks.VERSION: version(), asks.PODS: [workload("my-storage-provisioner-0")]}),
    ("", False, {}),
]


@pytest.mark.parametrize(("name", "sure", "answers"), CASES)
def test_makers_by_their_marks(name: str, sure: bool, answers: dict[Any, Any]) -> None:
    found = maker(snap(answers))
    assert (found.name, found.sure) == (name, sure)
    assert bool(found.evidence) is bool(name)
    assert all(item.source for item in found.evidence)
    expected = ("kubeadm",) if name in ("kind", "minikube") and asks.CONFIGMAPS in answers else ()
    assert found.also == expected
    assert found.to_json()["confidence"] == ("high" if sure else "low" if name else None)


def test_every_maker_of_the_table_has_a_case() -> None:
    assert {name for name, _, _ in CASES} - {""} == {name for name, _ in MAKERS}
