from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.network import network
from kcompanion.model.ask import Ask, Outcome
from kcompanion.model.finding import Status
from tests.controlplane.build import cluster, cni_daemonset, configmap, node, proxy_daemonset, recorded, snap


def with_cni(*daemonsets: Any, nodes: Any = None) -> dict[Ask, Any]:
    bodies = cluster("m")
    bodies[asks.DAEMONSETS] = [proxy_daemonset(1), *daemonsets]
    if nodes is not None:
        bodies[asks.NODES] = nodes
    return bodies


def manager_flags(bodies: dict[Ask, Any], *flags: str) -> dict[Ask, Any]:
    for made in bodies[asks.PODS]:
        container = made["spec"]["containers"][0]
        if container["name"] == "kube-controller-manager":
            container["command"] += list(flags)
    return bodies


def test_the_lab_of_a_real_cluster() -> None:
    found = network(recorded("three-nodes"))
    assert (found.cni.name, found.cni.confidence, found.cni.enforces_policy) == ("kcompanion-lab-cni", "high", False)
    assert found.kube_proxy.mode == "iptables"
    assert found.kube_proxy.source is not None
    assert found.kube_proxy.source.source == "ConfigMap kube-system/kube-proxy"
    assert found.ranges.pod_cidrs == ("10.244.0.0/16",)
    assert found.ranges.service_cidrs == ("10.96.0.0/16",)
    (capacity,) = found.capacity
    assert (capacity.mask, capacity.total, capacity.used, capacity.left) == (24, 256, 3, 253)


@pytest.mark.parametrize(
    ("name", "image", "plugin", "policy"),
    [
        ("kindnet", "docker.io/kindest/kindnetd:v20250214-acbabc1a", "kindnet", True),
        ("kindnet", "docker.io/kindest/kindnetd:v20230511-dc714da8", "kindnet", False),
        ("calico-node", "quay.io/calico/node:v3.30.0", "calico", True),
        ("cilium", "quay.io/cilium/cilium:v1.18.0", "cilium", True),
        ("kube-flannel-ds", "ghcr.io/flannel-io/flannel:v0.27.0", "flannel", False),
        ("weave-net", "weaveworks/weave-kube:2.8.1", "weave", True),
        ("antrea-agent", "antrea/antrea-agent-ubuntu:v2.3.0", "antrea", True),
        ("ovnkube-node", "ghcr.io/ovn-kubernetes/ovn-kubernetes/ovn-kube-ubuntu:master", "ovn-kubernetes", True),
        ("aws-node", "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.20.0", "aws-node", False),
        ("azure-cns", "mcr.microsoft.com/containernetworking/azure-cns:v1.6", "azure-cni", None),
    ],
)
def test_plugins_are_known_by_name_and_image(name: str, image: str, plugin: str, policy: bool | None) -> None:
    found = network(snap(with_cni(cni_daemonset(1, name, image)))).cni
    assert (found.name, found.confidence, found.enforces_policy) == (plugin, "high", policy)
    assert found.status is Status.OK


def test_a_name_alone_is_only_a_suspicion() -> None:
    found = network(snap(with_cni(cni_daemonset(1, "calico-node", "example.com/own:1")))).cni
    assert (found.name, found.suspected, found.confidence) == ("", "calico", "low")


def test_an_image_under_another_name_is_enough() -> None:
    found = network(snap(with_cni(cni_daemonset(1, "net", "quay.io/calico/node:v3.30.0")))).cni
    assert (found.name, found.confidence) == ("calico", "medium")


def test_marks_on_nodes_count_without_a_workload() -> None:
    made = node("m", annotations={"flannel.alpha.coreos.com/public-ip": "10.0.0.1"})
    found = network(snap(with_cni(nodes=[made]))).cni
    assert (found.name, found.confidence, found.enforces_policy, found.status) == (
        "flannel",
        "medium",
        None,
        Status.NOT_VISIBLE,
    )


def test_canal_is_one_plugin_made_of_two() -> None:
    made = cni_daemonset(1, "canal", "docker.io/calico/node:v3.30.0")
    made["spec"]["template"]["spec"]["containers"].append({"image": "docker.io/flannel/flannel:v0.24.4"})
    marks = {"flannel.alpha.coreos.com/public-ip": "10.0.0.1", "projectcalico.org/IPv4Address": "10.0.0.1/24"}
    found = network(snap(with_cni(made, nodes=[node("m", annotations=marks)]))).cni
    assert (found.name, found.others, found.enforces_policy) == ("canal", (), True)


def test_two_plugins_are_told() -> None:
    flannel = cni_daemonset(1, "kube-flannel-ds", "ghcr.io/flannel-io/flannel:v0.27.0")
    weave = cni_daemonset(1, "weave-net", "weaveworks/weave-kube:2.8.1")
    found = network(snap(with_cni(flannel, weave))).cni
    assert {found.name, *found.others} == {"flannel", "weave"}


def test_a_plugin_with_pods_missing_is_not_well() -> None:
    made = cni_daemonset(3)
    made["status"]["numberReady"] = 2
    assert network(snap(with_cni(made))).cni.status is Status.WARN
    made["status"]["numberReady"] = 0
    assert network(snap(with_cni(made))).cni.status is Status.FAIL


@pytest.mark.parametrize("outcome", [Outcome.FORBIDDEN, Outcome.TIMEOUT])
def test_unread_daemonsets_leave_everything_open(outcome: Outcome) -> None:
    bodies = cluster("m")
    del bodies[asks.DAEMONSETS]
    found = network(snap(bodies, outcomes={asks.DAEMONSETS: outcome}))
    assert (found.cni.name, found.cni.status) == ("", Status.UNKNOWN)
    assert found.kube_proxy.status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("text", "mode", "defaulted"),
    [("mode: nftables", "nftables", False), ("mode: ipvs", "ipvs", False), ('mode: ""', "iptables", True)],
)
def test_with_a_config_file_the_mode_is_the_files(text: str, mode: str, defaulted: bool) -> None:
    bodies = cluster("m")
    container = bodies[asks.DAEMONSETS][0]["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["kube-proxy", "--config=/c", "--proxy-mode=userspace"]
    bodies[asks.CONFIGMAPS].append({"metadata": {"name": "kube-proxy"}, "data": {"config.conf": text}})
    found = network(snap(bodies)).kube_proxy
    assert (found.mode, found.defaulted) == (mode, defaulted)


def test_a_config_file_that_cannot_be_read_leaves_the_mode_open() -> None:
    bodies = cluster("m")
    bodies[asks.DAEMONSETS][0]["spec"]["template"]["spec"]["containers"][0]["command"] = ["kube-proxy", "--config=/c"]
    found = network(snap(bodies)).kube_proxy
    assert (found.mode, found.status) == ("", Status.UNKNOWN)


def test_without_a_config_file_the_flag_counts() -> None:
    bodies = cluster("m")
    bodies[asks.DAEMONSETS][0]["spec"]["template"]["spec"]["containers"][0]["command"] = [
        "kube-proxy",
        "--proxy-mode=nftables",
    ]
    assert network(snap(bodies)).kube_proxy.mode == "nftables"


def test_cilium_without_kube_proxy_replaces_it() -> None:
    bodies = cluster("m")
    bodies[asks.DAEMONSETS] = [cni_daemonset(1, "cilium", "quay.io/cilium/cilium:v1.18.0")]
    bodies[asks.PODS] = []
    found = network(snap(bodies)).kube_proxy
    assert (found.mode, found.replaced_by) == ("replaced", "cilium")


def test_no_kube_proxy_and_nobody_in_its_place_is_not_visible() -> None:
    bodies = cluster("m")
    bodies[asks.DAEMONSETS], bodies[asks.PODS] = [], []
    assert network(snap(bodies)).kube_proxy.status is Status.NOT_VISIBLE


@pytest.mark.parametrize(
    ("cidr", "block", "total"),
    [("10.0.0.0/24", "10.0.0.0/24", 1), ("10.0.0.0/16", "10.0.3.0/24", 256), ("fd00::/56", "fd00::/64", 256)],
)
def test_how_many_nodes_a_range_can_serve(cidr: str, block: str, total: int) -> None:
    bodies = manager_flags(cluster("m"), f"--cluster-cidr={cidr}", "--allocate-node-cidrs=true")
    bodies[asks.NODES][0]["spec"] = {"podCIDR": block, "podCIDRs": [block]}
    (capacity,) = network(snap(bodies)).capacity
    assert (capacity.total, capacity.used, capacity.left) == (total, 1, total - 1)


def test_two_stacks_have_two_capacities() -> None:
    bodies = manager_flags(cluster("m"), "--cluster-cidr=10.0.0.0/16,fd00::/56")
    bodies[asks.NODES][0]["spec"] = {"podCIDRs": ["10.0.0.0/24", "fd00::/64"]}
    assert [c.mask for c in network(snap(bodies)).capacity] == [24, 64]


def test_odd_ranges_are_passed_over() -> None:
    bodies = manager_flags(cluster("m"), "--cluster-cidr=nonsense,10.0.0.0/28")
    bodies[asks.NODES][0]["spec"] = {"podCIDRs": ["10.0.0.0/24"]}
    assert network(snap(bodies)).capacity == ()


def test_the_kubeadm_configuration_stands_in_for_flags() -> None:
    bodies = cluster("m")
    text = "networking: {podSubnet: 10.1.0.0/16, serviceSubnet: 10.2.0.0/16}"
    bodies[asks.CONFIGMAPS] = [configmap("kubeadm-config", ClusterConfiguration=text)]
    found = network(snap(bodies)).ranges
    assert (found.pod_cidrs, found.service_cidrs) == (("10.1.0.0/16",), ("10.2.0.0/16",))
