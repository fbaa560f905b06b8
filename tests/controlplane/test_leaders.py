from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.inspect import inspect
from kcompanion.controlplane.leaders import leader, leader_check
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from tests.controlplane.build import cluster, daemon_pod, identity, lease, node, pod, snap

KCM = "kube-controller-manager"
CCM = "cloud-controller-manager"


@pytest.mark.parametrize(
    ("held", "expired", "status"),
    [
        (lease(KCM, "a_1", 2), False, Status.OK),
        (lease(KCM, "a_1", 15), False, Status.OK),  # the duration itself
        (lease(KCM, "a_1", 16), True, Status.FAIL),
        (lease(KCM, "a_1", 100, duration=137), False, Status.OK),  # OpenShift's
        (lease(KCM, "", 1), True, Status.FAIL),  # released on shutdown
        (lease(KCM, "a_1", None), True, Status.FAIL),
        (lease(KCM, "a_1", 2, leaseDurationSeconds=None), False, Status.OK),  # client-go's default is 15
        (lease(KCM, "a_1", 20, leaseDurationSeconds="odd"), True, Status.FAIL),
        (lease(KCM, "a_1", -30), False, Status.OK),  # clocks differ
    ],
)
def test_when_a_lease_is_held(held: dict[str, Any], expired: bool, status: Status) -> None:
    snapshot = snap({asks.LEASES: [held]})
    found = leader(snapshot, KCM)
    assert found is not None
    assert found.expired is expired
    assert leader_check(snapshot, KCM).status is status


def test_no_lease_and_unread_leases_are_told_apart() -> None:
    assert leader(snap(), KCM) is None
    assert leader_check(snap(), KCM).status is Status.FAIL
    unread = snap(outcomes={asks.LEASES: Outcome.FORBIDDEN})
    assert leader(unread, KCM) is None
    assert leader_check(unread, KCM).status is Status.UNKNOWN


EC2 = [
    node("ip-10-0-0-1.ec2.internal"),
    node("ip-10-0-0-2.ec2.internal"),
    node("i-0c3", labels={"kubernetes.io/hostname": "ip-10-0-0-3"}),
]


@pytest.mark.parametrize(
    ("holder", "where", "whose"),
    [
        ("a_9e2f", "a", f"{KCM}-a"),
        ("b_9e2f", "b", f"{KCM}-b"),
        ("ip-10-0-0-1.ec2.internal_uuid", "ip-10-0-0-1.ec2.internal", ""),
        ("ip-10-0-0-2_uuid", "ip-10-0-0-2.ec2.internal", ""),  # a short host name
        ("ip-10-0-0-3_uuid", "i-0c3", f"{KCM}-i-0c3"),  # by the label, and so to the pod
        ("elsewhere_uuid", "", ""),  # a host that is no node: hosted
        ("no-uuid", "", ""),
        ("", "", ""),
    ],
)
def test_who_is_behind_a_holder(holder: str, where: str, whose: str) -> None:
    pods = [pod(KCM, "a"), pod(KCM, "b"), pod(KCM, "i-0c3"), pod(KCM, "", name="pending")]
    nodes = [node("a"), node("b"), *EC2]
    found = leader(snap({asks.NODES: nodes, asks.PODS: pods, asks.LEASES: [lease(KCM, holder)]}), KCM)
    assert found is not None
    assert (found.node, found.pod) == (where, whose)


def test_a_short_name_that_two_nodes_share_names_neither() -> None:
    nodes = [node("x.one"), node("x.two")]
    found = leader(snap({asks.NODES: nodes, asks.LEASES: [lease(KCM, "x_uuid")]}), KCM)
    assert found is not None
    assert found.node == ""


def test_a_holder_that_is_a_pods_name() -> None:
    """A cloud-controller-manager without the host's network calls itself by its pod."""
    made = daemon_pod(CCM, "worker", "example.com/ccm:v1.36.0", kind="ReplicaSet")
    made["metadata"]["name"] = f"{CCM}-5bf9-v6w49"
    held = lease(CCM, f"{CCM}-5bf9-v6w49_a1ea")
    found = leader(snap({asks.PODS: [made], asks.NODES: [node("worker")], asks.LEASES: [held]}), CCM)
    assert found is not None
    assert (found.node, found.pod) == ("worker", f"{CCM}-5bf9-v6w49")


def test_a_pod_of_another_component_is_never_the_holder() -> None:
    found = leader(snap({asks.PODS: [pod("kube-scheduler", "a")], asks.LEASES: [lease(KCM, "a_1")]}), KCM)
    assert found is not None
    assert found.pod == ""


def test_ages_and_transitions() -> None:
    found = leader(snap({asks.LEASES: [lease(KCM, "a_1", 4, leaseTransitions=7)]}), KCM)
    assert found is not None
    assert (found.age, found.acquired, found.transitions, found.duration) == (4, 7200, 7, 15)
    assert found.to_json()["heldForSeconds"] == 7200


@pytest.mark.parametrize(
    ("holder", "roles"),
    [
        ("a_1", {"a": "leader", "b": "standby", "c": "standby"}),
        ("nobody-we-know_1", {"a": "", "b": "", "c": ""}),  # one of them may lead: none is called a standby
    ],
)
def test_roles(holder: str, roles: dict[str, str]) -> None:
    made = cluster("a", "b", "c")
    made[asks.LEASES] = [lease(KCM, holder), lease("kube-scheduler", "b_1"), *(identity(n) for n in "abc")]
    component = inspect(snap(made)).component(KCM)
    assert {i.node: i.role for i in component.instances} == roles


def test_leaders_are_per_component() -> None:
    made = cluster("a", "b", "c")
    made[asks.LEASES] = [lease(KCM, "a_1"), lease("kube-scheduler", "b_1"), *(identity(n) for n in "abc")]
    plane = inspect(snap(made))
    assert [plane.component(n).leader.node for n in (KCM, "kube-scheduler")] == ["a", "b"]  # type: ignore[union-attr]
    assert plane.component("kube-apiserver").leader is None
    assert {i.role for i in plane.component("kube-apiserver").instances} == {"active"}
    assert plane.component("etcd").leader is None


@pytest.mark.parametrize(
    ("flags", "leases", "status"),
    [
        (("--leader-elect=false",), [], Status.OK),  # minikube's single node
        (("--leader-elect=false",), [lease(KCM, "a_1", 9999)], Status.OK),  # left from when it did elect
        (("--leader-elect=true",), [], Status.FAIL),
        ((), [], Status.FAIL),
        ((), [lease(KCM, "a_1", 9999)], Status.FAIL),
    ],
)
def test_a_component_told_not_to_elect_needs_no_lease(
    flags: tuple[str, ...], leases: list[dict[str, Any]], status: Status
) -> None:
    made = cluster("a")
    made[asks.PODS] = [p for p in made[asks.PODS] if p["metadata"]["name"] != f"{KCM}-a"] + [pod(KCM, "a", *flags)]
    made[asks.LEASES] = [*leases, lease("kube-scheduler", "a_1"), identity("a")]
    component = inspect(snap(made)).component(KCM)
    assert component.status is status
    if status is Status.OK:
        assert component.leader is None
