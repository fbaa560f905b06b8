from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.apiservers import (
    MAX_PROBES,
    PROBE_PATH,
    answering,
    endpoints,
    further_asks,
    listed_check,
    probe_check,
    probes,
)
from kcompanion.controlplane.inspect import inspect
from kcompanion.model.ask import Outcome, raw
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Origin
from tests.controlplane.build import checks, cluster, identity, node, pod, serving, slices, snap

OK, FAIL, UNKNOWN = Status.OK, Status.FAIL, Status.UNKNOWN
HA = ("a", "b", "c")
SANS = ("kubernetes", "kubernetes.default", "localhost", "10.96.0.1", "127.0.0.1")


@pytest.mark.parametrize(
    ("server", "names", "who", "told"),
    [
        ("https://lb.example:6443", ("b", "10.0.0.2", *SANS), "b", "certificate"),
        ("https://lb.example:6443", ("10.0.0.3", *SANS), "c", "certificate"),  # by its own address
        ("https://lb.example:6443", SANS, "", ""),
        ("https://lb.example:6443", ("a", "b", "c", *SANS), "", ""),  # one certificate for all of them
        ("https://10.0.0.2:6443", (), "b", "address"),
        ("https://10.0.0.2", (), "b", "address"),
        ("https://[fd00::1]:6443", (), "", ""),
        ("https://10.0.0.9:6443", (), "", ""),
        ("odd", (), "", ""),
        ("https://[odd", (), "", ""),
    ],
)
def test_who_answered(server: str, names: tuple[str, ...], who: str, told: str) -> None:
    peers = {asks.READYZ: serving(*names)} if names else {}
    snapshot = snap(cluster(*HA), peers=peers, origin=Origin(server=server))
    probe = probes(snapshot)[0]
    assert (probe.answered_by, probe.told_by) == (who, told)


def test_who_answered_without_the_right_to_read_nodes() -> None:
    snapshot = snap(
        {**cluster(*HA), asks.NODES: None},
        outcomes={asks.NODES: Outcome.FORBIDDEN},
        peers={asks.READYZ: serving("b", *SANS)},
        origin=Origin(server="https://lb.example:6443"),
    )
    assert answering(snapshot)[0] == "b"  # the identity Leases name the hosts too


def test_a_host_name_in_the_certificate_names_the_node() -> None:
    made = {asks.NODES: [node("i-0a", labels={"kubernetes.io/hostname": "ip-1.internal"}), node("i-0b")]}
    snapshot = snap({**made, asks.READYZ: checks()}, peers={asks.READYZ: serving("ip-1.internal", *SANS)})
    assert answering(snapshot)[0] == "i-0a"


@pytest.mark.parametrize(
    ("status", "body", "passed", "failed", "judged"),
    [
        (200, checks(("ping", "etcd")), ("ping", "etcd"), (), OK),
        (500, checks(("ping",), ("etcd", "poststarthook/rbac")), ("ping",), ("etcd", "poststarthook/rbac"), FAIL),
        (200, "ok", (), (), OK),  # without ?verbose
        (500, "", (), (), FAIL),
        (429, "too many", (), (), FAIL),
    ],
)
def test_an_answer_check_by_check(
    status: int, body: str, passed: tuple[str, ...], failed: tuple[str, ...], judged: Status
) -> None:
    snapshot = snap({**cluster("a"), asks.READYZ: body}, statuses={asks.READYZ: status})
    probe = probes(snapshot)[0]
    assert (probe.passed, probe.failed, probe.status) == (passed, failed, judged)
    own = probe_check(snapshot, "a")
    assert own is not None
    assert own.status is judged
    assert own.evidence.value == str(status)


def test_a_readyz_of_500_fails_its_server_and_no_other() -> None:
    made = cluster(*HA)
    made[asks.READYZ] = checks(("ping",), ("etcd",))
    plane = inspect(snap(made, statuses={asks.READYZ: 500}, peers={asks.READYZ: serving("b", *SANS)}))
    assert {i.node: i.health.status for i in plane.component("kube-apiserver").instances} == {
        "a": OK,
        "b": FAIL,
        "c": OK,
    }
    assert plane.component("kube-apiserver").status is FAIL  # what answers at the given address is not ready
    assert plane.component("etcd").status is FAIL


def test_one_answer_is_never_copied_to_the_others() -> None:
    snapshot = snap(cluster(*HA), peers={asks.READYZ: serving("b", *SANS), asks.LIVEZ: serving("b", *SANS)})
    assert probe_check(snapshot, "b") is not None
    assert probe_check(snapshot, "a") is None
    assert probe_check(snapshot, "") is None
    told = {
        i.node: any(c.message.id == "controlplane.check.readyz" for c in i.health.checks)
        for i in inspect(snapshot).component("kube-apiserver").instances
    }
    assert told == {"a": False, "b": True, "c": False}


def test_an_answer_of_somebody_unknown_is_nobodys() -> None:
    snapshot = snap(cluster(*HA), origin=Origin(server="https://lb.example"))
    assert probe_check(snapshot, "a") is None
    assert probe_check(snapshot, "") is None


def test_each_is_asked_at_its_own_address_but_the_one_that_answered() -> None:
    snapshot = snap(cluster(*HA), peers={asks.READYZ: serving("b", *SANS)})
    assert [ask.server for ask in further_asks(snapshot)] == ["https://10.0.0.1:6443", "https://10.0.0.3:6443"]
    assert further_asks(snap(cluster("a"))) == []


def test_the_number_of_probes_has_a_limit() -> None:
    many = slices(*(f"10.0.1.{i}" for i in range(30)))
    assert len(further_asks(snap({asks.API_ENDPOINTS: many}))) == MAX_PROBES


def test_probes_at_own_addresses_belong_to_those_servers() -> None:
    own = raw(PROBE_PATH, "https://10.0.0.3:6443")
    made = {**cluster(*HA), own: checks(("ping",), ("etcd",))}
    snapshot = snap(made, statuses={own: 500}, peers={asks.READYZ: serving("a", *SANS)})
    check = probe_check(snapshot, "c")
    assert check is not None
    assert check.status is FAIL


@pytest.mark.parametrize("body", [None, {"odd": 1}, ["x"]])
def test_odd_probe_bodies_are_no_probes(body: Any) -> None:
    assert probes(snap({asks.READYZ: body, asks.LIVEZ: None})) == ()


def test_endpoints_name_their_nodes() -> None:
    found = endpoints(
        snap({**cluster(*HA), asks.API_ENDPOINTS: slices("10.0.0.2", "10.0.0.1", "172.31.0.9", port=443)})
    )
    assert [(e.address, e.port, e.node) for e in found] == [
        ("10.0.0.1", 443, "a"),
        ("10.0.0.2", 443, "b"),
        ("172.31.0.9", 443, ""),
    ]


def test_endpoints_are_known_by_what_servers_advertise() -> None:
    made = cluster("a")
    made[asks.NODES] = []
    assert [e.node for e in endpoints(snap(made))] == ["a"]


def test_ipv6_addresses_make_urls() -> None:
    (found,) = endpoints(snap({asks.API_ENDPOINTS: slices("fd00::1")}))
    assert found.url == "https://[fd00::1]:6443"


@pytest.mark.parametrize(
    ("addresses", "status"),
    [
        (("10.0.0.1", "10.0.0.2", "10.0.0.3"), OK),
        (("10.0.0.2", "10.0.0.3"), FAIL),
        (("203.0.113.7",), None),  # a load balancer's: names no node
        (("10.0.0.2", "203.0.113.7"), None),
        ((), None),  # --endpoint-reconciler-type=none
    ],
)
def test_whether_a_server_lists_itself(addresses: tuple[str, ...], status: Status | None) -> None:
    check = listed_check(snap({**cluster(*HA), asks.API_ENDPOINTS: slices(*addresses)}), "a")
    assert (check.status if check else None) is status


@pytest.mark.parametrize("ask", [asks.API_ENDPOINTS, asks.READYZ, asks.LEASES, asks.HEARTBEATS, asks.PODS])
def test_no_server_is_ok_while_something_about_it_is_unread(ask: Any) -> None:
    made = {**cluster(*HA), ask: None}
    plane = inspect(snap(made, outcomes={ask: Outcome.FORBIDDEN}))
    assert plane.component("kube-apiserver").status is UNKNOWN
    assert OK not in {i.health.status for i in plane.component("kube-apiserver").instances}


def test_a_server_that_stopped_is_told_by_its_identity_lease() -> None:
    made = cluster(*HA)
    made[asks.LEASES] = [*made[asks.LEASES][:2], identity("a", 4), identity("b", 95), identity("c", 4)]
    made[asks.API_ENDPOINTS] = slices("10.0.0.1", "10.0.0.3")
    server = next(i for i in inspect(snap(made)).component("kube-apiserver").instances if i.node == "b")
    assert [c.message.id.rpartition(".")[2] for c in server.health.checks if c.status is FAIL] == [
        "not_listed",
        "identity_silent",
    ]


def test_a_single_advertised_pod_of_another_name() -> None:
    made = cluster("a")
    made[asks.PODS] = [pod("kube-apiserver", "a", "--advertise-address=192.168.1.1")]
    assert endpoints(snap({**made, asks.API_ENDPOINTS: slices("192.168.1.1")}))[0].node == "a"
