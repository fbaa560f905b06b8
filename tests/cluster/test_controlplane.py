"""`controlplane` on the real 3-node cluster, against the truth taken on the nodes themselves."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NODE = "kcompanion-control-plane"
COMPONENTS = ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager")


def on_node(node: str, *words: str) -> str:
    """What a command prints inside a node's container."""
    done = subprocess.run(["docker", "exec", node, *words], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def plane(cluster: Path, kcompanion: Callable[..., Any]) -> dict[str, Any]:
    """What it says once the cluster is well: a node or an add-on that a test before has broken may still come back."""
    ends = time.monotonic() + 120
    while True:
        done = kcompanion("controlplane", "certs", "-o", "json", kubeconfig=cluster)
        assert (done.code, done.err) == (0, "")
        answer: dict[str, Any] = json.loads(done.out)
        if answer["status"] == "ok" or time.monotonic() > ends:
            return answer
        time.sleep(2)


def component(plane: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in plane["components"] if c["name"] == name)
    return found


def test_everything_is_read_and_well(plane: dict[str, Any]) -> None:
    assert plane["complete"] is True
    assert plane["gaps"] == []
    assert plane["status"] == "ok"
    assert [f["code"] for f in plane["findings"]] == ["KC1010"]


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_where_its_process_runs(plane: dict[str, Any], name: str) -> None:
    (instance,) = component(plane, name)["instances"]
    assert on_node(NODE, "pgrep", "-x", name[:15]).split()
    assert (instance["node"], instance["pod"], instance["staticPod"]) == (NODE, f"{name}-{NODE}", True)
    assert instance["health"]["status"] == "ok"
    assert all(item["source"] for item in instance["health"]["evidence"])


@pytest.mark.parametrize("name", COMPONENTS)
def test_flags_are_those_of_the_running_process(plane: dict[str, Any], name: str) -> None:
    pid = on_node(NODE, "pgrep", "-o", "-x", name[:15]).strip()
    running = on_node(NODE, "cat", f"/proc/{pid}/cmdline").split("\0")
    given = plane["flags"][name][NODE]
    assert {f"--{flag}={value}" for flag, value in given.items()} == {w for w in running if w.startswith("--")}


@pytest.mark.parametrize("name", ["kube-scheduler", "kube-controller-manager"])
def test_the_leader_is_the_holder_of_the_lease(
    cluster: Path, plane: dict[str, Any], kubectl: Callable[..., str], name: str
) -> None:
    spec = json.loads(kubectl("get", "lease", name, "-n", "kube-system", "-o", "json"))["spec"]
    leader = component(plane, name)["leader"]
    assert leader["holder"] == spec["holderIdentity"]
    assert leader["node"] == NODE
    assert leader["pod"] == f"{name}-{NODE}"
    assert leader["transitions"] == spec["leaseTransitions"]
    assert leader["ageSeconds"] <= 15


def test_readyz_is_counted_check_by_check(plane: dict[str, Any], kubectl: Callable[..., str]) -> None:
    answer = kubectl("get", "--raw", "/readyz?verbose")
    probe = next(p for p in plane["apiServers"]["probes"] if p["path"] == "/readyz")
    assert probe["passed"] == re.findall(r"^\[\+\](\S+)", answer, re.MULTILINE)
    assert probe["answeredBy"] == NODE
    assert probe["toldBy"] == "certificate"


def test_etcd_is_what_etcdctl_says(plane: dict[str, Any], kubectl: Callable[..., str]) -> None:
    pki = "/etc/kubernetes/pki/etcd"
    etcdctl = ["exec", "-n", "kube-system", f"etcd-{NODE}", "--", "etcdctl", f"--cacert={pki}/ca.crt",
               f"--cert={pki}/healthcheck-client.crt", f"--key={pki}/healthcheck-client.key", "-w", "json"]  # fmt: skip
    members = json.loads(kubectl(*etcdctl, "member", "list"))["members"]
    (status,) = json.loads(kubectl(*etcdctl, "endpoint", "status"))
    etcd = plane["etcd"]
    # names only: after a restart under another address etcd keeps the old peer URL until someone updates the member
    assert [m["name"] for m in etcd["members"]] == [m["name"] for m in members]
    assert etcd["quorum"]["members"] == len(members) == 1
    assert etcd["topology"] == "stacked"
    assert etcd["storeBytes"] == pytest.approx(status["Status"]["dbSize"], rel=0.5)


def test_versions_are_those_of_the_programs(plane: dict[str, Any]) -> None:
    rows = {(row["component"], row["where"]): row["version"] for row in plane["versions"]}
    for node in (NODE, "kcompanion-worker", "kcompanion-worker2"):
        assert f"Kubernetes {rows['kubelet', node]}" == on_node(node, "kubelet", "--version").strip()
    assert {row["status"] for row in plane["versions"]} == {"ok"}


@pytest.mark.parametrize(
    ("use", "file"),
    [
        ("serving", "/etc/kubernetes/pki/apiserver.crt"),
        ("cluster-ca", "/etc/kubernetes/pki/ca.crt"),
        ("front-proxy-ca", "/etc/kubernetes/pki/front-proxy-ca.crt"),
    ],
)
def test_certificates_end_when_openssl_says(plane: dict[str, Any], use: str, file: str) -> None:
    end = on_node(NODE, "openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", file)
    seen = next(c for c in plane["certificates"] if c["use"] == use)
    assert end.strip() == f"notAfter={seen['notAfter'].replace('T', ' ')}"


def test_the_join_hash_is_what_openssl_computes(plane: dict[str, Any]) -> None:
    digest = on_node(
        NODE,
        "bash",
        "-c",
        "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum",
    )
    assert plane["join"]["caCertHash"] == f"sha256:{digest.split()[0]}"


def test_static_pods_come_from_the_files_named(plane: dict[str, Any]) -> None:
    assert {p["pod"] for p in plane["staticPods"]} == {f"{name}-{NODE}" for name in COMPONENTS}
    for pod in plane["staticPods"]:
        assert "kind: Pod" in on_node(NODE, "cat", pod["manifest"])


def test_controllers_show_an_example_of_their_work(plane: dict[str, Any], kubectl: Callable[..., str]) -> None:
    made = {work["controller"]: work for work in plane["work"]}
    slices = kubectl("get", "endpointslices", "-n", "kube-system", "-o", "name").split()
    assert made["endpointslice-controller"]["for"] == "Service kube-dns"
    assert f"endpointslice.discovery.k8s.io/{made['endpointslice-controller']['made'].split()[1]}" in slices
    assert made["replicaset-controller"]["for"].startswith("ReplicaSet coredns-")
    assert {"daemonset-controller", "node-ipam-controller"} <= set(made)
    assert set(made) <= set(plane["controllers"]["on"])


def test_how_pods_got_their_nodes(plane: dict[str, Any], kubectl: Callable[..., str]) -> None:
    pods = json.loads(kubectl("get", "pods", "-n", "kube-system", "-o", "json"))["items"]
    told = {p["pod"]: p for p in plane["placements"]}
    for pod in pods:
        row = told.get(pod["metadata"]["name"])
        if row is None:  # replaced since
            continue
        static = "kubernetes.io/config.mirror" in pod["metadata"].get("annotations", {})
        assert row["how"] == ("static" if static else "scheduler")
        assert row["node"] == pod["spec"]["nodeName"]


def test_kind_is_recognised_with_its_mark(plane: dict[str, Any]) -> None:
    assert plane["made"]["name"] == "kind"
    assert plane["made"]["with"] == ["kubeadm"]
    assert plane["made"]["evidence"][0]["value"].startswith("kind://")


def test_a_record_replays_to_the_same_bytes(cluster: Path, kcompanion: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "one.kcr"
    for form in ("json", "wide"):
        live = kcompanion("controlplane", "-o", form, "--record", str(file), kubeconfig=cluster)
        replayed = kcompanion("controlplane", "-o", form, "--from", str(file))
        assert live.code == replayed.code == 0
        assert live.out == replayed.out


def test_both_languages_render_every_view_of_one_record(
    cluster: Path, kcompanion: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "all.kcr"
    assert kcompanion("snapshot", "save", str(file), kubeconfig=cluster).code == 0
    for view in (
        "overview",
        "health",
        "leaders",
        "etcd",
        "flags",
        "controllers",
        "scheduling",
        "static",
        "versions",
        "certs",
        "network",
        "join",
        "traffic",
    ):
        english, korean = (
            kcompanion("controlplane", view, "--from", str(file), "--lang", lang, "--explain") for lang in ("en", "ko")
        )
        assert english.code == korean.code == 0, (view, english.err, korean.err)
        assert english.out != korean.out
        assert re.search("[가-힣]", korean.out)
        assert not re.search("[가-힣]", english.out)
