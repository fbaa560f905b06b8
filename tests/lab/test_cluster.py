import json
import re
from typing import Any

import pytest

from lab import cluster, versions
from lab.cluster import HA, SMALL, Cluster


@pytest.mark.parametrize("one", cluster.ALL, ids=lambda one: one.name)
def test_the_configuration_and_the_code_mean_the_same_cluster(one: Cluster) -> None:
    text = one.config.read_text()
    assert re.findall(r"^name: (.*)$", text, re.MULTILINE) == [one.name]
    roles = re.findall(r"- role: (.*)$", text, re.MULTILINE)
    assert roles == ["control-plane"] * one.control_planes + ["worker"] * one.workers
    assert set(re.findall(r"image: (.*)$", text, re.MULTILINE)) == {versions.NODE_IMAGE}
    assert "failCgroupV1: false" in text


def test_kubeconfigs_are_the_labs_own() -> None:
    assert SMALL.kubeconfig == cluster.ROOT / ".cluster/kubeconfig"
    assert HA.kubeconfig == cluster.ROOT / ".cluster/kubeconfig-ha"


def test_nodes_are_named_as_kind_names_them() -> None:
    assert SMALL.containers == ["kcompanion-control-plane", "kcompanion-worker", "kcompanion-worker2"]
    assert SMALL.network == "kind"
    assert "kcompanion-ha-control-plane3" in HA.nodes
    assert "kcompanion-ha-external-load-balancer" in HA.containers
    assert HA.network == "kind-kcompanion-ha"


_START = "2026-01-01T10:00:00.123456789Z"
_AFTER = "2026-01-01T10:00:30.123456Z"
_BEFORE = "2026-01-01T09:00:00.000000Z"


def _node(name: str, ready: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def _judge(ready: str = "True", renewed: str = _AFTER, dns_start: str = _AFTER, pods: int = 2) -> str:
    running = dict.fromkeys(SMALL.containers, _START)
    nodes = {"items": [_node(name, ready) for name in SMALL.nodes]}
    leases = {"items": [{"metadata": {"name": name}, "spec": {"renewTime": renewed}} for name in SMALL.nodes]}
    pod = _node("coredns-1")
    pod["spec"] = {"nodeName": SMALL.nodes[0]}
    pod["status"]["containerStatuses"] = [{"state": {"running": {"startedAt": dns_start}}}]
    return cluster.judge(SMALL, running, nodes, leases, {"items": [pod] * pods})


def test_a_cluster_is_healthy_when_nodes_and_dns_are() -> None:
    assert _judge() == ""


def test_what_is_not_ready_is_named() -> None:
    assert "kcompanion-control-plane is not Ready" in _judge(ready="Unknown")
    assert "CoreDNS has no pods" in _judge(pods=0)


def test_statuses_from_before_a_restart_do_not_count() -> None:
    assert "has not reported" in _judge(renewed=_BEFORE)
    assert "CoreDNS is not Ready" in _judge(dns_start=_BEFORE)


def test_several_documents_in_one_output_are_told_apart() -> None:
    text = json.dumps({"a": 1}, indent=1) + "\n" + json.dumps({"b": 2}) + "\n"
    assert cluster._documents(text) == [{"a": 1}, {"b": 2}]
