"""The recorded cases: clusters that cannot be made here, in the shape their makers publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.controlplane.findings import findings
from kcompanion.controlplane.inspect import ControlPlane, inspect
from kcompanion.model.finding import Status
from tests.controlplane.build import RECORDINGS, recorded
from tools import make_cases

NAMES = make_cases.names()
OK, HIDDEN = Status.OK, Status.NOT_VISIBLE
# What each component is judged; those not named are ok.
JUDGED: dict[str, dict[str, Status]] = {
    "minikube": {"cloud-controller-manager": HIDDEN},
    "eks": {
        "etcd": HIDDEN,
        "kube-scheduler": HIDDEN,
        "kube-controller-manager": HIDDEN,
        "cloud-controller-manager": HIDDEN,
    },
    "k3s": {
        "etcd": HIDDEN,
        "kube-scheduler": HIDDEN,
        "kube-controller-manager": HIDDEN,
        "cloud-controller-manager": HIDDEN,
        "kube-proxy": HIDDEN,
        "cni": HIDDEN,
    },
}


def plane(name: str) -> ControlPlane:
    return inspect(recorded(name))


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    code = run([*words[:1], "--from", str(RECORDINGS / f"{words[1]}.kcr"), "-o", "json", *words[2:]])
    return code, json.loads(capsys.readouterr().out)


def test_every_source_is_judged_here() -> None:
    assert set(JUDGED) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_file_is_what_its_source_makes(name: str, tmp_path: Path) -> None:
    built = make_cases.build(name, tmp_path)
    assert recording.load(built) == recording.load(RECORDINGS / f"{name}.kcr")


@pytest.mark.parametrize("name", NAMES)
def test_a_source_names_where_its_parts_were_published(name: str) -> None:
    head = (make_cases.CASES / f"{name}.yaml").read_text().partition("\nnow: ")[0]
    assert "Facts taken, not text copied, from:" in head
    assert head.count("\n# - ") >= 5


@pytest.mark.parametrize("name", NAMES)
def test_each_says_that_it_was_never_run(name: str) -> None:
    assert "published layout" in recorded(name).origin.fake


@pytest.mark.parametrize("name", NAMES)
def test_what_is_well_and_what_is_out_of_sight(name: str) -> None:
    assert {c.name: c.status for c in plane(name).components} == {
        c.name: JUDGED[name].get(c.name, OK) for c in plane(name).components
    }
    assert plane(name).status is OK


@pytest.mark.parametrize(
    ("name", "maker", "sure", "also", "hosted", "services"),
    [
        ("minikube", "minikube", True, ("kubeadm",), False, False),
        ("eks", "EKS", True, (), True, False),
        ("k3s", "k3s", True, (), False, True),
    ],
)
def test_who_made_it(name: str, maker: str, sure: bool, also: tuple[str, ...], hosted: bool, services: bool) -> None:
    found = plane(name)
    assert (found.made.name, found.made.sure, found.made.also) == (maker, sure, also)
    assert (found.hosted, found.services) == (hosted, services)


@pytest.mark.parametrize(("name", "codes"), [("minikube", ["KC1010"]), ("eks", []), ("k3s", [])])
def test_findings(name: str, codes: list[str]) -> None:
    assert [finding.code for finding in findings(plane(name))] == codes


def test_minikubes_single_node_elects_nobody() -> None:
    for name in ("kube-scheduler", "kube-controller-manager"):
        component = plane("minikube").component(name)
        assert component.leader is None
        assert [(i.node, i.static_pod, i.role) for i in component.instances] == [("minikube", True, "")]


def test_minikubes_own_paths_are_shown() -> None:
    assert {u.path.startswith("/var/lib/minikube/certs/") for u in plane("minikube").unseen} == {True}
    assert plane("minikube").etcd.quorum is not None


def test_ekss_leases_name_hosts_that_are_no_nodes() -> None:
    found = plane("eks")
    for name in ("kube-scheduler", "kube-controller-manager", "cloud-controller-manager"):
        held = found.component(name).leader
        assert held is not None
        assert (held.node, held.pod, held.expired) == ("", "", False)
        assert held.holder.startswith("ip-10-0-57-94.ec2.internal_")
    assert len(found.component("kube-apiserver").instances) == 2
    assert found.etcd.topology == "hosted"


def test_versions_with_a_makers_suffix_are_within_the_policy() -> None:
    for name in NAMES:
        assert {row.status for row in plane(name).skews} == {OK}
    assert ("kube-apiserver", "v1.33.13-eks-3025e55") in {(r.component, r.version) for r in plane("eks").skews}
    assert ("kube-proxy", "v1.33.3") in {(r.component, r.version) for r in plane("eks").skews}


def test_k3ss_api_server_is_known_by_its_identity() -> None:
    (server,) = plane("k3s").component("kube-apiserver").instances
    assert (server.node, server.pod, server.health.status) == ("k3server1", "", OK)
    assert plane("k3s").etcd.topology == "services"


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("minikube", {"minikube": ["control-plane"]}),
        ("eks", {"ip-192-168-18-197.ec2.internal": [], "ip-192-168-45-12.ec2.internal": []}),
        ("k3s", {"k3server1": ["control-plane", "master"], "k3node1": []}),
    ],
)
def test_nodes(capsys: pytest.CaptureFixture[str], name: str, roles: dict[str, list[str]]) -> None:
    code, answer = shown(capsys, "nodes", name)
    assert code == 0
    assert {n["name"]: n["roles"] for n in answer["nodes"]} == roles
    assert answer["cluster"]["recordedCase"]


@pytest.mark.parametrize(
    ("name", "cni", "enforces", "mode", "products"),
    [
        ("minikube", "kindnet", True, "iptables", set()),
        ("eks", "aws-node", False, "iptables", set()),
        ("k3s", "flannel", True, None, {"traefik", "metrics-server", "local-path-provisioner", "klipper-lb"}),
    ],
)
def test_addons(
    capsys: pytest.CaptureFixture[str], name: str, cni: str, enforces: bool, mode: str | None, products: set[str]
) -> None:
    code, answer = shown(capsys, "addons", name)
    assert code == 0
    assert (answer["network"]["cni"]["name"], answer["network"]["cni"]["enforcesNetworkPolicy"]) == (cni, enforces)
    assert answer["network"]["kubeProxy"]["mode"] == mode
    assert {a["product"] for a in answer["addons"] if a["product"]} >= products
    assert answer["status"] not in ("fail", "unknown")


@pytest.mark.parametrize(("name", "told"), [("eks", None), ("k3s", "not_visible")])
def test_no_cloud_controller_is_missed_where_it_is_out_of_sight(
    capsys: pytest.CaptureFixture[str], name: str, told: str | None
) -> None:
    _, answer = shown(capsys, "addons", name)
    statuses = [a["status"] for a in answer["addons"] if a["category"] == "cloud"]
    assert statuses == ([told] if told else [])  # EKS's is seen by its Lease
