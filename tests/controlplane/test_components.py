from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.components import KINDS, STATIC, component_pods
from kcompanion.controlplane.inspect import inspect
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from tests.controlplane.build import cluster, daemon_pod, heartbeat, identity, lease, node, pod, slices, snap

OK, FAIL, UNKNOWN, HIDDEN = Status.OK, Status.FAIL, Status.UNKNOWN, Status.NOT_VISIBLE


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.k8s.io/kube-apiserver:v1.36.3", "v1.36.3"),
        ("registry.k8s.io/kube-apiserver:v1.36.3@sha256:0123", "v1.36.3"),
        ("registry.k8s.io/kube-apiserver@sha256:0123", ""),
        ("registry.example:5000/kube-apiserver:v1.36.3", "v1.36.3"),
        ("registry.example:5000/kube-apiserver", ""),
        ("10.0.0.1:5000/v1.2.3/kube-apiserver", ""),
        ("kube-apiserver", ""),
        ("registry.k8s.io/etcd:3.6.8-0", "3.6.8"),
        ("rancher/mirrored-coredns-coredns:1.12.3", "1.12.3"),
        ("registry.k8s.io/pause:3.10", "3.10"),
        ("registry.k8s.io/kube-proxy:v1.37.0-rc.1", "v1.37.0-rc.1"),
        ("registry.k8s.io/kube-proxy:v1.37.0-alpha.2.5-dirty", "v1.37.0-alpha.2"),
        ("eks/kube-proxy:v1.33.3-minimal-eksbuild.4", "v1.33.3"),
        ("eks/coredns:v1.12.1-eksbuild.2", "v1.12.1"),
        ("gke/kube-proxy-amd64:v1.32.4-gke.1415000", "v1.32.4"),
        ("kube-apiserver:v1.36.3_arm64", "v1.36.3"),
        ("kube-apiserver:latest", ""),
        ("kube-apiserver:1", ""),
        ("kindest/kindnetd:v20260101-abcdef", ""),
        ("", ""),
    ],
)
def test_the_version_in_an_image_tag(image: str, version: str) -> None:
    assert pods.image_version(image) == version


@pytest.mark.parametrize(
    ("metadata", "static"),
    [
        ({"annotations": {"kubernetes.io/config.mirror": "ab"}}, True),
        ({"annotations": {"kubernetes.io/config.source": "file"}, "ownerReferences": [{"kind": "Node"}]}, True),
        ({"annotations": {"kubernetes.io/config.source": "http"}, "ownerReferences": [{"kind": "Node"}]}, True),
        ({"annotations": {"kubernetes.io/config.source": "api"}, "ownerReferences": [{"kind": "Node"}]}, False),
        ({"annotations": {"kubernetes.io/config.source": "file"}}, False),
        ({"ownerReferences": [{"kind": "DaemonSet"}]}, False),
        ({}, False),
        ({"annotations": None, "ownerReferences": "odd"}, False),
    ],
)
def test_static_pods_are_told_from_others(metadata: dict[str, Any], static: bool) -> None:
    assert pods.is_static({"metadata": metadata}) is static


@pytest.mark.parametrize(
    ("status", "judged", "told"),
    [
        ({"conditions": [{"type": "Ready", "status": "True"}]}, OK, ""),
        (
            {"conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]},
            FAIL,
            "ContainersNotReady",
        ),
        (
            {
                "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
                "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
            },
            FAIL,
            "CrashLoopBackOff",
        ),
        ({"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}]}, FAIL, "Pending"),
        ({"conditions": [{"type": "Ready", "status": "Unknown"}]}, UNKNOWN, ""),
        ({"conditions": []}, UNKNOWN, ""),
        ({}, UNKNOWN, ""),
    ],
)
def test_a_pods_readiness(status: dict[str, Any], judged: Status, told: str) -> None:
    check = pods.ready_check({"metadata": {"name": "x", "namespace": "kube-system"}, "status": status})
    assert check.status is judged
    assert dict(check.message.values).get("reason", "") == told


@pytest.mark.parametrize("label", ["component", "k8s-app", "app", "app.kubernetes.io/name"])
def test_a_component_is_found_by_any_of_its_labels(label: str) -> None:
    assert component_pods(snap({asks.PODS: [pod("kube-scheduler", "a", label=label)]}), "kube-scheduler")


def test_a_pod_of_a_likely_name_is_no_component() -> None:
    made = pod("kube-scheduler", "a")
    made["metadata"]["labels"] = {"app": "my-kube-scheduler"}
    assert component_pods(snap({asks.PODS: [made]}), "kube-scheduler") == []


def test_a_healthy_cluster_is_well_in_every_part() -> None:
    plane = inspect(snap(cluster("a", "b", "c", workers=("w",))))
    assert {c.name: c.status for c in plane.components} == {
        kind.name: HIDDEN if kind.name == "cloud-controller-manager" else OK for kind in KINDS
    }
    assert plane.status is OK
    for name in STATIC:
        assert [i.node for i in plane.component(name).instances] == ["a", "b", "c"]
        assert all(i.static_pod for i in plane.component(name).instances)


def test_a_pod_that_ended_and_was_replaced_does_not_count() -> None:
    """What a node's shutdown leaves of a Deployment's pod stays until it is collected."""
    made = cluster("a")
    old = daemon_pod("kube-dns", "w", "registry.k8s.io/coredns/coredns:v1.14.2", ready="False", kind="ReplicaSet")
    old["status"]["phase"] = "Failed"
    made[asks.PODS].append(old)
    assert inspect(snap(made)).component("dns").status is OK


def test_a_static_pod_that_failed_does_count() -> None:
    made = cluster("a")
    scheduler = next(p for p in made[asks.PODS] if p["metadata"]["name"] == "kube-scheduler-a")
    scheduler["status"] = {"phase": "Failed", "conditions": [{"type": "Ready", "status": "False"}]}
    assert inspect(snap(made)).component("kube-scheduler").status is FAIL


def test_a_dead_nodes_pods_still_say_ready_and_are_not_believed() -> None:
    made = cluster("a", "b", "c")
    made[asks.HEARTBEATS] = [heartbeat("a"), heartbeat("b", 45), heartbeat("c")]
    plane = inspect(snap(made))
    for name in (*STATIC, "kubelet", "kube-proxy"):
        statuses = {i.node: i.health.status for i in plane.component(name).instances}
        assert (statuses["a"], statuses["b"], statuses["c"]) == (OK, FAIL, OK), name
    assert plane.status is Status.WARN


@pytest.mark.parametrize(
    ("ready", "status"), [("True", OK), ("False", FAIL), ("Unknown", FAIL), ("", UNKNOWN), ("odd", UNKNOWN)]
)
def test_a_kubelet_by_its_nodes_condition(ready: str, status: Status) -> None:
    made = cluster("a")
    made[asks.NODES] = [node("a", ready=ready)]
    assert inspect(snap(made)).component("kubelet").status is status


def test_runtimes_by_node() -> None:
    made = cluster("a")
    made[asks.NODES] = [node("a"), node("b")]
    made[asks.NODES][1]["status"]["nodeInfo"]["containerRuntimeVersion"] = "cri-o://1.36.0+unknown"
    found = inspect(snap(made)).component("container-runtime").instances
    assert [(i.image, i.version) for i in found] == [("containerd", "2.3.5"), ("cri-o", "1.36.0")]


def hidden(*, leases: list[Any], nodes: list[Any] | None = None) -> dict[Any, Any]:
    """A cluster without control-plane pods."""
    made = cluster("a", workers=("w",))
    made[asks.PODS] = [p for p in made[asks.PODS] if "k8s-app" in p["metadata"]["labels"]]
    made[asks.NODES] = [node("w")] if nodes is None else nodes
    made[asks.LEASES] = leases
    made[asks.API_ENDPOINTS] = slices("172.16.0.1", "172.16.0.2", port=443)
    return made


ELECTED = [lease("kube-scheduler", "ip-1_a"), lease("kube-controller-manager", "ip-1_b")]
TWO = [identity("ip-1"), identity("ip-2")]


def statuses(made: dict[Any, Any], **more: Any) -> dict[str, Status]:
    plane = inspect(snap(made, **more))
    return {name: plane.component(name).status for name in (*STATIC, "cloud-controller-manager")}


@pytest.mark.parametrize(
    ("leases", "servers", "elected"),
    [
        ([*ELECTED, *TWO], OK, HIDDEN),
        (TWO, OK, HIDDEN),  # the provider keeps the elections to itself
        ([], OK, HIDDEN),
        ([*ELECTED, *TWO, identity("ip-0", 1800)], OK, HIDDEN),  # a replaced server's Lease stays for an hour
        ([*ELECTED, identity("ip-1"), identity("ip-2", 90)], Status.WARN, HIDDEN),
        ([lease("kube-scheduler", "ip-1_a", 60), lease("kube-controller-manager", "b", 60), *TWO], OK, FAIL),
    ],
)
def test_a_hosted_control_plane(leases: list[Any], servers: Status, elected: Status) -> None:
    found = statuses(hidden(leases=leases))
    assert found["kube-apiserver"] is servers
    assert found["etcd"] is HIDDEN
    assert found["kube-scheduler"] is found["kube-controller-manager"] is elected


def test_hosted_is_only_said_when_pods_could_be_read() -> None:
    made = hidden(leases=[*ELECTED, *TWO])
    assert inspect(snap(made)).hosted
    for more in ({"outcomes": {asks.PODS: Outcome.FORBIDDEN}}, {"stale": [asks.PODS]}):
        plane = inspect(snap(made, **more))
        assert not plane.hosted
        assert not plane.services
        found = statuses(made, **more)
        assert found["kube-apiserver"] is found["etcd"] is found["kube-scheduler"] is UNKNOWN


def test_unread_leases_leave_a_hosted_control_plane_undecided() -> None:
    found = statuses(hidden(leases=[]), outcomes={asks.LEASES: Outcome.FORBIDDEN})
    assert found["kube-apiserver"] is found["kube-scheduler"] is UNKNOWN


@pytest.mark.parametrize("label", ["node-role.kubernetes.io/control-plane", "node.kubernetes.io/microk8s-controlplane"])
def test_services_of_the_nodes_are_not_a_provider(label: str) -> None:
    plane = inspect(snap(hidden(leases=[identity("s")], nodes=[node("s", labels={label: "true"}), node("w")])))
    assert plane.services
    assert not plane.hosted
    assert plane.etcd.topology == "services"
    note = plane.component("etcd").note
    assert note is not None
    assert note.id == "controlplane.note.services"
    assert [i.node for i in plane.component("kube-apiserver").instances] == ["s"]


def test_a_cluster_with_its_pods_is_neither() -> None:
    plane = inspect(snap(cluster("a")))
    assert not plane.hosted
    assert not plane.services


@pytest.mark.parametrize(
    ("leases", "with_pod", "status"),
    [
        ([], False, HIDDEN),
        ([lease("cloud-controller-manager", "a_1")], True, OK),
        ([lease("cloud-controller-manager", "a_1", 99)], True, FAIL),
        ([lease("cloud-controller-manager", "gone_1")], False, UNKNOWN),
    ],
)
def test_the_cloud_controller_may_be_absent(leases: list[Any], with_pod: bool, status: Status) -> None:
    made = cluster("a")
    made[asks.LEASES] = [*made[asks.LEASES], *leases]
    if with_pod:
        made[asks.PODS].append(pod("cloud-controller-manager", "a"))
    assert inspect(snap(made)).component("cloud-controller-manager").status is status


@pytest.mark.parametrize("ask", [asks.PODS, asks.LEASES])
def test_its_absence_is_only_claimed_from_what_was_read(ask: Any) -> None:
    found = inspect(snap(cluster("a"), outcomes={ask: Outcome.FORBIDDEN}))
    assert found.component("cloud-controller-manager").status is UNKNOWN
