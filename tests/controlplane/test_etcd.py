from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.etcd import DEFAULT_QUOTA, Etcd, Quorum, store_size
from kcompanion.controlplane.inspect import inspect
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from tests.controlplane.build import checks, cluster, heartbeat, pod, snap

OK, FAIL, UNKNOWN = Status.OK, Status.FAIL, Status.UNKNOWN


@pytest.mark.parametrize(
    ("members", "needed", "tolerates"),
    [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (5, 3, 2), (6, 4, 2), (7, 4, 3), (8, 5, 3), (9, 5, 4)],
)
def test_majorities(members: int, needed: int, tolerates: int) -> None:
    quorum = Quorum(members, members, 0)
    assert (quorum.needed, quorum.tolerates, quorum.spare) == (needed, tolerates, tolerates)
    assert quorum.even is (members % 2 == 0)


@pytest.mark.parametrize("members", range(1, 10))
def test_losing_one_member_after_another(members: int) -> None:
    for lost in range(members + 1):
        quorum = Quorum(members, members - lost, 0)
        assert quorum.spare == quorum.tolerates - lost
        assert (quorum.spare < 0) is (lost > quorum.tolerates)


@pytest.mark.parametrize("members", range(1, 9))
def test_what_one_more_would_bring(members: int) -> None:
    told = Quorum(members, members, 0).to_json()
    more = told["withOneMore"]["tolerates"]
    assert more == Quorum(members + 1, 0, 0).tolerates
    assert more - told["tolerates"] == (1 if told["even"] else 0)  # only an odd number is worth its member


def seen(made: dict[Any, Any], **more: Any) -> tuple[Etcd, Status]:
    plane = inspect(snap(made, **more))
    return plane.etcd, plane.component("etcd").status


def without_pod(made: dict[Any, Any], *names: str) -> None:
    made[asks.PODS] = [p for p in made[asks.PODS] if p["metadata"]["name"] not in names]


def test_three_healthy_members() -> None:
    etcd, status = seen(cluster("a", "b", "c"))
    assert [(m.name, m.node, m.status) for m in etcd.members] == [("a", "a", OK), ("b", "b", OK), ("c", "c", OK)]
    assert etcd.quorum == Quorum(3, 3, 0)
    assert (etcd.topology, status) == ("stacked", OK)
    assert etcd.store_bytes == 4 << 20
    assert etcd.quota_bytes == DEFAULT_QUOTA


@pytest.mark.parametrize(
    ("silent", "alive", "spare", "status"),
    [((), 3, 1, OK), (("b",), 2, 0, Status.WARN), (("b", "c"), 1, -1, FAIL), (("a", "b", "c"), 0, -2, FAIL)],
)
def test_members_on_silent_nodes(silent: tuple[str, ...], alive: int, spare: int, status: Status) -> None:
    made = cluster("a", "b", "c")
    made[asks.HEARTBEATS] = [heartbeat(n, 600 if n in silent else 3) for n in "abc"]
    etcd, found = seen(made)
    assert etcd.quorum is not None
    assert (etcd.quorum.alive, etcd.quorum.spare, found) == (alive, spare, status)


def test_unsure_members_are_neither_alive_nor_lost() -> None:
    etcd, status = seen(cluster("a", "b", "c"), outcomes={asks.HEARTBEATS: Outcome.FORBIDDEN})
    assert etcd.quorum == Quorum(3, 0, 3)
    assert status is UNKNOWN  # 0 alive, but nobody is known to be gone
    made = cluster("a", "b", "c")
    made[asks.HEARTBEATS] = [heartbeat("a", 3)]
    etcd, status = seen(made)
    assert etcd.quorum == Quorum(3, 1, 2)
    assert status is UNKNOWN


def test_a_member_without_a_pod_is_known_from_initial_cluster() -> None:
    made = cluster("a", "b", "c")
    without_pod(made, "etcd-b", "kube-apiserver-b")
    etcd, _ = seen(made)
    assert [(m.name, m.status) for m in etcd.members] == [("a", OK), ("b", FAIL), ("c", OK)]
    assert next(m for m in etcd.members if m.name == "b").peer_url == "https://10.0.0.2:2380"


def joined(name: str, *known: str, created: str = "") -> dict[str, Any]:
    """An etcd pod as kubeadm leaves it: its --initial-cluster lists whoever was there when it joined."""
    listed = ",".join(f"{n}=https://{n}:2380" for n in known)
    return pod("etcd", name, f"--name={name}", f"--initial-cluster={listed}", creationTimestamp=created)


def members_of(*etcds: dict[str, Any], servers: tuple[str, ...] = ()) -> dict[str, Status]:
    made = cluster("a", "b", "c")
    local = [pod("kube-apiserver", n, "--etcd-servers=https://127.0.0.1:2379") for n in servers]
    made[asks.PODS] = [*etcds, *local]
    made[asks.HEARTBEATS] = [heartbeat(n) for n in "abcd"]
    return {m.name: m.status for m in seen(made)[0].members}


def test_the_union_of_what_members_knew_when_they_joined() -> None:
    found = members_of(joined("a", "a"), joined("b", "a", "b"), joined("c", "a", "b", "c"))
    assert found == {"a": OK, "b": OK, "c": OK}


def test_the_last_to_join_is_missed_although_no_other_names_it() -> None:
    """Its API server asks an etcd on its own node, so one belongs there."""
    found = members_of(joined("a", "a"), joined("b", "a", "b"), servers=("a", "b", "c"))
    assert found == {"a": OK, "b": OK, "c": FAIL}


def test_a_replaced_member_is_not_mourned() -> None:
    """Of b, replaced by d, only the lists from before still tell."""
    old = joined("c", "a", "b", "c", created="2026-01-03T00:00:00Z")
    new = joined("d", "a", "c", "d", created="2026-06-01T00:00:00Z")
    assert members_of(joined("a", "a"), old, new, servers=("a", "c", "d")) == {"a": OK, "c": OK, "d": OK}


def test_a_member_missing_from_an_unreadable_list_is_unsure() -> None:
    made = cluster("a", "b", "c")
    without_pod(made, "etcd-b")
    for more in ({"outcomes": {asks.PODS: Outcome.TIMEOUT}}, {"stale": [asks.PODS]}):
        etcd, status = seen(made, **more)
        assert {m.name: m.status for m in etcd.members} == {"a": UNKNOWN, "b": UNKNOWN, "c": UNKNOWN}
        assert status is UNKNOWN


def test_members_without_flags_are_known_by_their_nodes() -> None:
    made = cluster("a")
    made[asks.PODS] = [pod("etcd-manager-main", "a", label="k8s-app")]
    etcd, _ = seen(made)
    assert [(m.name, m.node) for m in etcd.members] == [("a", "a")]


@pytest.mark.parametrize("listed", ["", "a", "a=", ",,,", "a=x,a=y", "=,="])
def test_odd_initial_clusters(listed: str) -> None:
    made = cluster("a")
    made[asks.PODS] = [pod("etcd", "a", "--name=a", f"--initial-cluster={listed}")]
    etcd, _ = seen(made)
    assert "a" in {m.name for m in etcd.members}


EXTERNAL = "--etcd-servers=https://etcd-1.example:2379,https://etcd-2.example:2379"


@pytest.mark.parametrize(
    ("body", "outcome", "status"),
    [
        (checks(), Outcome.OK, OK),
        (checks(("ping",), ("etcd",)), Outcome.OK, FAIL),
        (checks(("ping",), ("etcd-readiness",)), Outcome.OK, FAIL),
        (checks(("ping",)), Outcome.OK, UNKNOWN),
        (None, Outcome.FORBIDDEN, UNKNOWN),
    ],
)
def test_external_etcd_is_judged_by_whether_it_answers(body: str | None, outcome: Outcome, status: Status) -> None:
    made = cluster("a")
    without_pod(made, "etcd-a", "kube-apiserver-a")
    made[asks.PODS].append(pod("kube-apiserver", "a", EXTERNAL))
    made[asks.READYZ] = body
    etcd, found = seen(made, outcomes={asks.READYZ: outcome})
    assert (etcd.topology, etcd.members, etcd.quorum) == ("external", (), None)
    assert etcd.servers == ("https://etcd-1.example:2379", "https://etcd-2.example:2379")
    assert found is status


@pytest.mark.parametrize(
    ("servers", "topology"),
    [
        ("https://127.0.0.1:2379", "unknown"),
        ("https://localhost:2379", "unknown"),
        ("https://[::1]:2379", "unknown"),
        ("https://127.0.0.10:2379", "external"),
        ("https://10.0.0.9:2379", "external"),
        ("https://127.0.0.1:2379,https://10.0.0.9:2379", "external"),
        ("", "unknown"),
    ],
)
def test_where_etcd_is_told_to_be(servers: str, topology: str) -> None:
    made = cluster("a")
    made[asks.PODS] = [pod("kube-apiserver", "a", f"--etcd-servers={servers}")]
    assert seen(made)[0].topology == topology


@pytest.mark.parametrize(
    ("page", "size"),
    [
        (None, None),
        ("", None),
        ("apiserver_storage_size_bytes 1024", 1024),
        ('apiserver_storage_size_bytes{storage_cluster_id="a"} 1.5e+06', 1_500_000),
        ("apiserver_storage_size_bytes 10\napiserver_storage_size_bytes 30", 30),
        ("apiserver_storage_size_bytes_total 5", None),
        ("apiserver_storage_size_bytes odd", None),
        ("apiserver_storage_size_bytes NaN", None),
        ("apiserver_storage_size_bytes +Inf", None),
    ],
)
def test_the_size_of_the_store(page: str | None, size: int | None) -> None:
    assert store_size(snap({asks.METRICS: page})) == size


@pytest.mark.parametrize(
    ("flag", "quota"),
    [("", DEFAULT_QUOTA), ("0", DEFAULT_QUOTA), ("8589934592", 8 << 30), ("odd", DEFAULT_QUOTA), ("-1", None)],
)
def test_the_quota(flag: str, quota: int | None) -> None:
    made = cluster("a")
    made[asks.PODS] = [pod("etcd", "a", f"--quota-backend-bytes={flag}")]
    assert seen(made)[0].quota_bytes == quota
