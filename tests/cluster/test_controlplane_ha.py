"""`controlplane` on the real HA cluster: healthy, with the leader's node stopped, and without etcd's quorum.

These tests break the cluster and mend it again; each waits until the cluster is whole before it ends.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.ha

NODES = ("kcompanion-ha-control-plane", "kcompanion-ha-control-plane2", "kcompanion-ha-control-plane3")
MANIFEST = "/etc/kubernetes/manifests/etcd.yaml"
AWAY = "/root/etcd.yaml"


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=True).stdout


def read(kcompanion: Callable[..., Any], kubeconfig: Path, *options: str) -> tuple[int, dict[str, Any] | None, str]:
    done = kcompanion("controlplane", "-o", "json", *options, kubeconfig=kubeconfig)
    return done.code, json.loads(done.out) if done.out else None, done.err


def instances(plane: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    component = next(c for c in plane["components"] if c["name"] == name)
    return {i["node"]: i for i in component["instances"]}


def leader(plane: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in plane["components"] if c["name"] == name)["leader"]
    return found


def eventually(what: Callable[[], bool], seconds: float, told: str) -> float:
    """Waits until `what()` holds and returns how long that took."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < seconds, f"not within {seconds:.0f} s: {told}"
        time.sleep(2)
    return time.monotonic() - started


def whole(kcompanion: Callable[..., Any], kubeconfig: Path) -> bool:
    code, plane, _ = read(kcompanion, kubeconfig, "--deadline", "20s")
    return code == 0 and plane is not None and plane["status"] == "ok"


@pytest.fixture
def healthy(ha_cluster: Path, kcompanion: Callable[..., Any]) -> Iterator[Path]:
    eventually(lambda: whole(kcompanion, ha_cluster), 240, "the HA cluster was not healthy to begin with")
    yield ha_cluster
    eventually(lambda: whole(kcompanion, ha_cluster), 300, "the HA cluster did not recover")


def test_three_of_everything_and_who_leads(healthy: Path, kcompanion: Callable[..., Any]) -> None:
    code, plane, _ = read(kcompanion, healthy)
    assert code == 0
    assert plane is not None
    for name in ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"):
        assert tuple(instances(plane, name)) == NODES
    roles = [i["role"] for i in instances(plane, "kube-scheduler").values()]
    assert sorted(roles) == ["leader", "standby", "standby"]
    quorum = plane["etcd"]["quorum"]
    assert (quorum["members"], quorum["needed"], quorum["tolerates"], quorum["spare"]) == (3, 2, 1, 1)
    assert len(plane["apiServers"]["endpoints"]) == 3
    by = {p["answeredBy"] for p in plane["apiServers"]["probes"] if p["path"] == "/readyz"}
    assert by == set(NODES)  # each one's own answer, at its own address or by its certificate


def test_the_leaders_node_stops(healthy: Path, kcompanion: Callable[..., Any]) -> None:
    _, before, _ = read(kcompanion, healthy)
    assert before is not None
    lost = leader(before, "kube-scheduler")["node"]
    seen: dict[str, Any] = {}

    def shown() -> bool:
        code, plane, _ = read(kcompanion, healthy, "--deadline", "15s")
        if code != 0 or plane is None:
            return False
        seen.update(plane)
        servers = instances(plane, "kube-apiserver")
        return (
            lost in servers  # else the deadline came before the lists
            and servers[lost]["health"]["status"] == "fail"
            and sum(i["health"]["status"] == "ok" for i in servers.values()) == 2
            and leader(plane, "kube-scheduler")["node"] not in ("", None, lost)
            and not leader(plane, "kube-scheduler")["expired"]
            and plane["etcd"]["quorum"]["spare"] == 0
        )

    def not_ready() -> bool:
        _, plane, _ = read(kcompanion, healthy, "--deadline", "15s")
        kubelets = instances(plane, "kubelet") if plane else {}
        checks = kubelets[lost]["health"]["evidence"] if lost in kubelets else []
        return any(c["path"] == "status.conditions[Ready]" and c["status"] == "fail" for c in checks)

    docker("stop", "--time", "1", lost)
    try:
        stopped = time.monotonic()
        eventually(shown, 60, "the other servers, the moved Lease, the lost redundancy")
        codes = {finding["code"] for finding in seen["findings"]}
        assert {"KC1000", "KC1021"} <= codes
        assert seen["status"] != "ok"
        eventually(not_ready, 120 - (time.monotonic() - stopped), "the node NotReady")
    finally:
        docker("start", lost)


def etcd_gone(node: str) -> bool:
    asked = ["docker", "exec", node, "pgrep", "-x", "etcd"]
    return subprocess.run(asked, capture_output=True, check=False).returncode != 0


@pytest.fixture
def without_quorum(healthy: Path) -> Iterator[tuple[Path, str]]:
    """etcd's static pods taken away on two of three nodes; gives the kubeconfig and the survivor's node."""
    *stopped, survivor = NODES
    for node in stopped:
        docker("exec", node, "mv", MANIFEST, AWAY)
    try:
        for node in stopped:
            eventually(partial(etcd_gone, node), 60, f"etcd of {node} still runs")
        yield healthy, survivor
    finally:
        for node in stopped:
            docker("exec", node, "mv", AWAY, MANIFEST)


def probe_of(plane: dict[str, Any] | None) -> dict[str, Any] | None:
    """The /readyz answer of the server that was asked first, when there was one in time."""
    probes = plane["apiServers"]["probes"] if plane else []
    return next((p for p in probes if p["path"] == "/readyz" and not p["server"]), None)


def test_quorum_lost(without_quorum: tuple[Path, str], kcompanion: Callable[..., Any], tmp_path: Path) -> None:
    balanced, survivor = without_quorum
    address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", survivor).strip()
    config = yaml.safe_load(balanced.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://{address}:6443"
    direct = tmp_path / "direct"
    direct.write_text(yaml.safe_dump(config))
    told = 0
    for kubeconfig in (balanced, direct, balanced, direct):
        started = time.monotonic()
        code, plane, err = read(kcompanion, kubeconfig, "--deadline", "15s", "--request-timeout", "5s")
        took = time.monotonic() - started
        assert took < 17
        assert code in (3, 5), err
        assert "Traceback" not in err
        probe = probe_of(plane)
        if plane is None or probe is None:
            continue
        told += 1
        assert {"etcd", "etcd-readiness"} & set(probe["failed"])  # both fail, each after its own time limit
        if kubeconfig == direct:
            assert probe["answeredBy"] in (survivor, address)  # the node's name needs lists that may not come
        assert plane["status"] in ("fail", "unknown")
        assert plane["complete"] is False
        if plane["etcd"]["quorum"]:  # members are known only from the API server's cache
            assert (plane["etcd"]["quorum"]["members"], plane["etcd"]["quorum"]["needed"]) == (3, 2)
            assert any("cache" in gap["detail"] for gap in plane["gaps"])
    assert told, "not one answer within the first minute: the API servers ought to answer from their caches"
