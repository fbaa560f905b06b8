from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.cgroups import cgroup_driver
from kcompanion.controlplane.conditions import judge
from kcompanion.controlplane.grace import grace_period
from kcompanion.controlplane.network import network
from kcompanion.controlplane.nodefindings import findings
from kcompanion.controlplane.nodes import nodes
from kcompanion.controlplane.systempods import system_pods
from kcompanion.controlplane.versions import skew
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Snapshot
from kcompanion.report.bounded import PER_CODE, SHOWN, first_of_each, selected
from tests.controlplane.build import cluster, configmap, heartbeat, node, recorded, snap


def codes(snapshot: Snapshot, *skews: Any) -> set[str]:
    return {f.code for f in findings(nodes(snapshot), grace_period(snapshot), network(snapshot), skews)}


def test_a_healthy_node_of_a_real_cluster() -> None:
    snapshot = recorded("three-nodes")
    first = nodes(snapshot)[0]
    assert (first.name, first.roles, first.state, first.status) == (
        "kcompanion-control-plane",
        ("control-plane",),
        "Ready",
        Status.OK,
    )
    assert first.runtime.startswith("containerd://")
    assert first.taints == ("node-role.kubernetes.io/control-plane:NoSchedule",)
    assert first.pod_cidrs == ("10.244.0.0/24",)


def test_silence_is_seen_before_the_condition_changes() -> None:
    bodies = cluster("m", workers=["w"])
    bodies[asks.HEARTBEATS] = [heartbeat("m"), heartbeat("w", age=34)]
    snapshot = snap(bodies)
    assert [n.status for n in nodes(snapshot)] == [Status.OK, Status.FAIL]
    assert "KC2002" in codes(snapshot)


@pytest.mark.parametrize("ready", ["False", "Unknown"])
def test_a_node_that_is_not_ready_fails(ready: str) -> None:
    bodies = cluster("m")
    bodies[asks.NODES] = [node("m", ready=ready)]
    snapshot = snap(bodies)
    assert nodes(snapshot)[0].status is Status.FAIL
    assert nodes(snapshot)[0].state == "NotReady"
    assert "KC2001" in codes(snapshot)
    assert "KC2002" not in codes(snapshot)


@pytest.mark.parametrize("ask", [asks.HEARTBEATS, asks.NODES])
def test_what_could_not_be_read_is_never_well(ask: Any) -> None:
    snapshot = snap(cluster("m"), outcomes={ask: Outcome.FORBIDDEN})
    assert {n.status for n in nodes(snapshot)} <= {Status.UNKNOWN}


def test_without_pods_of_all_namespaces_room_is_unknown() -> None:
    snapshot = snap(cluster("m"), outcomes={asks.ALL_PODS: Outcome.FORBIDDEN})
    room = nodes(snapshot)[0].room
    assert room.known is False
    assert room.used("cpu") is None
    assert room.to_json()["pods"] is None


@pytest.mark.parametrize(
    ("type_", "status", "expected"),
    [
        ("Ready", "True", Status.OK),
        ("Ready", "False", Status.FAIL),
        ("MemoryPressure", "True", Status.WARN),
        ("MemoryPressure", "False", Status.OK),
        ("DiskPressure", "Unknown", Status.UNKNOWN),
        ("NetworkUnavailable", "True", Status.FAIL),
        ("DrainInProgress", "True", None),
        ("MaintenancePlanned", "True", None),
        ("SomethingNew", "True", None),
    ],
)
def test_conditions_are_judged_only_if_they_are_known(type_: str, status: str, expected: Status | None) -> None:
    assert judge(type_, status) is expected


def test_maintenance_does_not_make_a_node_bad() -> None:
    bodies = cluster("m")
    bodies[asks.NODES][0]["status"]["conditions"].append({"type": "DrainInProgress", "status": "True"})
    snapshot = snap(bodies)
    assert nodes(snapshot)[0].status is Status.OK
    assert codes(snapshot) == set()


def test_cordon_and_cloud_taint_are_told() -> None:
    bodies = cluster("m")
    bodies[asks.NODES][0]["spec"] = {
        "unschedulable": True,
        "taints": [{"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"}],
    }
    snapshot = snap(bodies)
    assert nodes(snapshot)[0].state == "Ready,SchedulingDisabled"
    assert codes(snapshot) == {"KC2006", "KC2007"}


def test_kwok_nodes_are_fake() -> None:
    bodies = cluster("m")
    bodies[asks.NODES] = [node("m", annotations={"kwok.x-k8s.io/node": "fake"})]
    assert nodes(snap(bodies))[0].fake is True


def test_a_full_node_is_told() -> None:
    bodies = cluster("m")
    bodies[asks.NODES][0]["status"]["allocatable"] = {"cpu": "1", "pods": "1"}
    hungry = {
        "metadata": {"name": "p", "namespace": "d"},
        "spec": {"nodeName": "m", "containers": [{"resources": {"requests": {"cpu": "950m"}}}]},
        "status": {"phase": "Running"},
    }
    bodies[asks.ALL_PODS] = [hungry]
    assert codes(snap(bodies)) == {"KC2009", "KC2010"}


def test_a_kubelet_outside_the_policy_is_told() -> None:
    assert "KC2012" in codes(snap(cluster("m")), skew("kubelet", "m", "v1.30.0", 36, 36))


def test_the_grace_period_is_the_flag_else_the_default_of_the_version() -> None:
    assert grace_period(snap(cluster("m"))).seconds == 50
    bodies = cluster("m")
    bodies[asks.VERSION] = '{"gitVersion":"v1.31.4"}'
    assert grace_period(snap(bodies)).seconds == 40
    for made in bodies[asks.PODS]:
        if made["spec"]["containers"][0]["name"] == "kube-controller-manager":
            made["spec"]["containers"][0]["command"].append("--node-monitor-grace-period=1m5s")
    found = grace_period(snap(bodies))
    assert (found.seconds, found.given) == (65, True)


def test_the_cgroup_driver_is_the_kubelets_and_newer_ones_follow_the_runtime() -> None:
    bodies = cluster("m", workers=["old"])
    bodies[asks.NODES][1] = node("old", version="v1.33.0")
    bodies[asks.CONFIGMAPS].append(configmap("kubelet-config", kubelet="cgroupDriver: systemd"))
    snapshot = snap(bodies)
    found = cgroup_driver(snapshot, nodes(snapshot))
    assert (found.configured, found.following, found.not_following) == ("systemd", ("m",), ("old",))


def test_the_table_of_system_pods_is_sorted_by_node_and_names_roles() -> None:
    rows = system_pods(recorded("three-nodes"))
    assert [r.node for r in rows] == sorted(r.node for r in rows)
    roles = {row.component: row.role for row in rows}
    assert roles["kube-apiserver"] == "control-plane"
    assert roles["kube-proxy"] == "node-agent"
    assert roles["coredns"] == "add-on"


def test_big_clusters_show_all_bad_nodes_and_the_control_plane() -> None:
    names = [f"a{i:03}" for i in range(200)]
    bodies = cluster("z-master", workers=names)
    bodies[asks.NODES] = [node(n, ready="False" if n == "a150" else "True") for n in names]
    bodies[asks.NODES].append(node("z-master", labels={"node-role.kubernetes.io/control-plane": ""}))
    shown = selected(nodes(snap(bodies)))
    assert len(shown) == SHOWN
    assert {"a150", "z-master"} <= {n.name for n in shown}


def test_one_trouble_of_many_nodes_is_told_a_few_times() -> None:
    names = [f"a{i}" for i in range(20)]
    bodies = cluster("m", workers=names)
    bodies[asks.NODES] = [node(n, ready="False") for n in names]
    snapshot = snap(bodies)
    found = findings(nodes(snapshot), grace_period(snapshot), network(snapshot), ())
    assert len(first_of_each(found)) == PER_CODE
