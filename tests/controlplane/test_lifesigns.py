from __future__ import annotations

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.lifesigns import (
    SILENT_AFTER,
    heartbeat_check,
    heartbeats,
    identities,
    identity_check,
)
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from tests.controlplane.build import heartbeat, identity, lease, node, snap


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (0, Status.OK),
        (10, Status.OK),
        (SILENT_AFTER, Status.OK),
        (SILENT_AFTER + 1, Status.FAIL),
        (86400, Status.FAIL),
        (-40, Status.OK),  # a node's clock ahead of the API server's
        (None, Status.FAIL),  # never renewed
    ],
)
def test_a_heartbeat_is_missed_after_three_renewals(age: int | None, status: Status) -> None:
    snapshot = snap({asks.HEARTBEATS: [heartbeat("a", age)]})
    check = heartbeat_check(snapshot, "a")
    assert check.status is status
    assert check.evidence.source == "Lease kube-node-lease/a"


def test_no_heartbeat_is_no_proof() -> None:
    assert heartbeat_check(snap({asks.HEARTBEATS: [heartbeat("b")]}), "a").status is Status.UNKNOWN


@pytest.mark.parametrize("outcome", [Outcome.FORBIDDEN, Outcome.TIMEOUT, Outcome.NOT_ASKED])
def test_unread_heartbeats_are_unknown(outcome: Outcome) -> None:
    snapshot = snap({asks.HEARTBEATS: [heartbeat("a")]}, outcomes={asks.HEARTBEATS: outcome})
    assert heartbeat_check(snapshot, "a").status is Status.UNKNOWN


def test_the_identity_leases_own_duration_is_not_looked_at() -> None:
    # it lasts an hour, so that a dead API server would look alive for as long
    snapshot = snap({asks.NODES: [node("a")], asks.LEASES: [identity("a", age=31)]})
    check = identity_check(snapshot, "a")
    assert check is not None
    assert check.status is Status.FAIL


def test_of_two_identities_of_a_host_the_fresher_counts() -> None:
    old = identity("a", age=3000)
    snapshot = snap({asks.LEASES: [old, identity("a", age=3), {**old, "spec": {}}]})
    assert identities(snapshot)["a"].age == 3


def test_other_leases_are_no_identities() -> None:
    assert identities(snap({asks.LEASES: [lease("kube-scheduler", "a_1"), lease("apiserver-x", "x")]})) == {}


def test_an_identity_under_the_hosts_name_is_the_nodes() -> None:
    """With a cloud's node names, the Lease bears the host's name and not the node's."""
    nodes = [
        node("i-0a1", labels={"kubernetes.io/hostname": "ip-10-0-0-1.ec2.internal"}),
        node("i-0b2", addresses=[{"type": "InternalDNS", "address": "ip-10-0-0-2.ec2.internal"}]),
    ]
    leases = [identity("ip-10-0-0-1.ec2.internal"), identity("ip-10-0-0-2")]
    snapshot = snap({asks.NODES: nodes, asks.LEASES: leases})
    assert sorted(identities(snapshot)) == ["i-0a1", "i-0b2"]
    found = identity_check(snapshot, "i-0b2")
    assert found is not None
    assert found.status is Status.OK


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (("a", "b"), Status.OK),
        (("b",), Status.FAIL),  # the others keep theirs, this one's was collected
        (("b", "elsewhere"), Status.UNKNOWN),  # it may be this one's, under another name
        ((), None),  # no API server keeps one: the feature is off
    ],
)
def test_a_missing_identity(hosts: tuple[str, ...], status: Status | None) -> None:
    nodes = [node("a"), node("b")]
    check = identity_check(snap({asks.NODES: nodes, asks.LEASES: [identity(h) for h in hosts]}), "a")
    assert (check.status if check else None) is status


def test_unread_identities_are_unknown() -> None:
    check = identity_check(snap(outcomes={asks.LEASES: Outcome.FORBIDDEN}), "a")
    assert check is not None
    assert check.status is Status.UNKNOWN


def test_heartbeats_are_by_node() -> None:
    snapshot = snap({asks.HEARTBEATS: [heartbeat("a", 1), heartbeat("b", 99)]})
    assert {name: pulse.silent for name, pulse in heartbeats(snapshot).items()} == {"a": False, "b": True}
