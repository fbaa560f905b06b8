from __future__ import annotations

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.inspect import inspect
from kcompanion.controlplane.versions import (
    MAY_LAG,
    effective_minor,
    emulated,
    minor_of,
    server_info,
    server_version,
    skew,
)
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from tests.controlplane.build import cluster, pod, snap, version

OK, FAIL, UNKNOWN = Status.OK, Status.FAIL, Status.UNKNOWN


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("v1.36.3", 36),
        ("1.36", 36),
        ("v1.37.0-rc.1", 37),
        ("v1.33.5+k3s1", 33),
        ("v1.33.5+rke2r1", 33),
        ("v1.33.13-eks-cb19647", 33),
        ("v1.32.4-gke.1415000", 32),
        ("v2.0.0", None),
        ("v0.9.1", None),
        ("", None),
        ("latest", None),
        ("sha256:abc", None),
    ],
)
def test_minor_of(text: str, minor: int | None) -> None:
    assert minor_of(text) == minor


# https://kubernetes.io/releases/version-skew-policy/ : how far behind and how far ahead of a 1.36 API server.
POLICY = [
    ("kube-apiserver", {35: OK, 36: OK, 34: FAIL, 37: FAIL}),
    ("kube-controller-manager", {35: OK, 36: OK, 34: FAIL, 37: FAIL}),
    ("kube-scheduler", {35: OK, 36: OK, 34: FAIL, 37: FAIL}),
    ("cloud-controller-manager", {35: OK, 36: OK, 34: FAIL, 37: FAIL}),
    ("kubelet", {33: OK, 34: OK, 35: OK, 36: OK, 32: FAIL, 37: FAIL}),
    ("kube-proxy", {33: OK, 34: OK, 35: OK, 36: OK, 32: FAIL, 37: FAIL}),
]


@pytest.mark.parametrize(("component", "minor", "status"), [(c, m, s) for c, row in POLICY for m, s in row.items()])
def test_the_policy_against_one_minor(component: str, minor: int, status: Status) -> None:
    assert skew(component, "n", f"v1.{minor}.0", 36, 36).status is status


@pytest.mark.parametrize(
    ("component", "minor", "status"),
    [
        ("kube-apiserver", 36, OK),
        ("kube-apiserver", 35, OK),
        ("kube-scheduler", 35, OK),
        ("kube-scheduler", 36, FAIL),  # newer than the older API server, which it may talk to
        ("kube-scheduler", 34, FAIL),  # two behind the newer one
        ("kubelet", 33, OK),
        ("kubelet", 32, FAIL),
        ("kubelet", 36, FAIL),
    ],
)
def test_amid_an_upgrade_both_api_servers_bind(component: str, minor: int, status: Status) -> None:
    assert skew(component, "n", f"v1.{minor}.0", 35, 36).status is status


@pytest.mark.parametrize(
    ("component", "text", "oldest"),
    [("kubelet", "", 36), ("kubelet", "odd", 36), ("kubelet", "v1.36.0", None), ("etcd", "3.6.8", 36)],
)
def test_what_cannot_be_compared_is_unknown(component: str, text: str, oldest: int | None) -> None:
    assert skew(component, "n", text, oldest, oldest).status is UNKNOWN


def test_every_judged_component_is_in_the_policy() -> None:
    assert {component for component, _ in POLICY} == set(MAY_LAG)


@pytest.mark.parametrize(
    ("flag", "found"),
    [("1.35", "1.35"), ("kube=1.35", "1.35"), ("other=0.1,kube=1.35", "1.35"), ("other=0.1", ""), ("", "")],
)
def test_the_emulated_version_of_a_program(flag: str, found: str) -> None:
    assert emulated({"emulated-version": flag} if flag else {}) == found


@pytest.mark.parametrize(
    ("info", "minor"),
    [
        ({"minor": "36"}, 36),
        ({"minor": "36+"}, 36),  # GKE and EKS
        ({"minor": "36", "emulationMinor": "35"}, 35),
        ({}, 7),
        ({"minor": "odd"}, 7),
        ({"minor": None}, 7),
    ],
)
def test_the_minor_a_server_behaves_as(info: dict[str, str], minor: int) -> None:
    assert effective_minor(info, 7) == minor


def test_during_emulation_the_policy_is_held_against_the_emulated_minor() -> None:
    made = cluster("a")
    made[asks.VERSION] = version("v1.36.3", emulationMajor="1", emulationMinor="35")
    made[asks.PODS] = [
        pod("kube-apiserver", "a", "--emulated-version=1.35"),
        pod("kube-scheduler", "a", "--emulated-version=kube=1.35"),
        pod("kube-controller-manager", "a"),
    ]
    rows = {row.component: row for row in inspect(snap(made)).skews}
    assert rows["kube-apiserver"].status is OK
    assert (rows["kube-scheduler"].status, rows["kube-scheduler"].emulates) == (OK, "1.35")
    assert rows["kube-controller-manager"].status is FAIL  # 1.36 against what behaves as 1.35
    assert rows["kubelet"].status is FAIL


@pytest.mark.parametrize("body", [None, "", "not json", "[]", '"text"', "{"])
def test_odd_version_answers(body: str | None) -> None:
    assert server_info(snap({asks.VERSION: body})) == {}
    assert server_version(snap({asks.VERSION: body})) == ""


def test_a_failed_version_answer_is_no_version() -> None:
    assert server_version(snap({asks.VERSION: version()}, statuses={asks.VERSION: 503})) == ""
    assert server_version(snap({asks.VERSION: version()})) == "v1.36.3"
    assert server_version(snap(outcomes={asks.VERSION: Outcome.FORBIDDEN})) == ""


def test_without_pods_the_server_is_still_in_the_matrix() -> None:
    made = cluster("a")
    made[asks.PODS] = []
    rows = inspect(snap(made)).skews
    assert [(r.component, r.version) for r in rows if r.component == "kube-apiserver"] == [
        ("kube-apiserver", "v1.36.3")
    ]
    assert {r.component for r in rows} == {"kube-apiserver", "kubelet"}
