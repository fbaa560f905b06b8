"""`nodes` on the real 3-node cluster, against kubectl and the nodes themselves."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.alone]
PAUSED = "kcompanion-worker2"


def on_node(node: str, *words: str) -> str:
    done = subprocess.run(["docker", "exec", node, *words], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def answer(cluster: Path, kcompanion: Callable[..., Any]) -> dict[str, Any]:
    done = kcompanion("nodes", "-o", "json", kubeconfig=cluster)
    assert (done.code, done.err) == (0, "")
    body: dict[str, Any] = json.loads(done.out)
    return body


def test_every_node_is_there_and_well(answer: dict[str, Any], kubectl: Callable[..., str]) -> None:
    names = kubectl("get", "nodes", "-o", "name").split()
    assert [f"node/{n['name']}" for n in answer["nodes"]] == sorted(names)
    assert {n["status"] for n in answer["nodes"]} == {"ok"}
    assert answer["complete"] is True


def test_a_node_is_what_its_machine_says(answer: dict[str, Any]) -> None:
    for node in answer["nodes"]:
        name = node["name"]
        assert node["kernel"] == on_node(name, "uname", "-r").strip()
        assert node["kubeletVersion"] in on_node(name, "kubelet", "--version")
        runtime = on_node(name, "containerd", "--version").split()[2].lstrip("v")
        assert runtime.split("+")[0] in node["containerRuntime"]
        assert on_node(name, "systemctl", "is-active", "kubelet").strip() == "active"


def test_a_block_of_addresses_is_what_the_nodes_pods_have(answer: dict[str, Any], kubectl: Callable[..., str]) -> None:
    pods = json.loads(kubectl("get", "pods", "-A", "-o", "json"))["items"]
    blocks = {n["name"]: ipaddress.ip_network(n["podCIDRs"][0]) for n in answer["nodes"]}
    seen = 0
    for pod in pods:
        address, node = pod["status"].get("podIP"), pod["spec"].get("nodeName")
        if address and node and not pod["spec"].get("hostNetwork"):
            assert ipaddress.ip_address(address) in blocks[node]
            seen += 1
    assert seen > 0


def test_room_is_what_kubectl_describe_says(
    kubectl: Callable[..., str], kcompanion: Callable[..., Any], cluster: Path, namespace: str
) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(mixed_pod()))
    kubectl("wait", "-n", namespace, "pod/mixed", "--for=condition=PodScheduled", "--timeout=60s")
    node = kubectl("get", "pod", "-n", namespace, "mixed", "-o", "jsonpath={.spec.nodeName}")
    told = json.loads(kcompanion("nodes", node, "-o", "json", kubeconfig=cluster).out)["nodes"][0]["room"]
    described = kubectl("describe", "node", node)
    for resource in ("cpu", "memory"):
        row = told["resources"][resource]
        found = re.search(rf"(?m)^  {resource} +(\S+) \((\d+)%\) +(\S+) \(\d+%\)", described)
        assert found is not None
        assert (row["requests"], str(row["requestsPercent"]), row["limits"]) == found.groups()
    count = re.search(r"Non-terminated Pods: +\((\d+) in total\)", described)
    assert count is not None
    assert told["pods"] == int(count[1])


def mixed_pod() -> dict[str, Any]:
    """Containers, a sidecar and a hungry init container: it need not run, only be counted."""

    def container(name: str, cpu: str, memory: str, **more: Any) -> dict[str, Any]:
        amounts = {"cpu": cpu, "memory": memory}
        resources = {"requests": amounts, "limits": amounts}
        return {"name": name, "image": "registry.k8s.io/pause:3.10", "resources": resources, **more}

    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "mixed"},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "initContainers": [
                container("side", "30m", "8Mi", restartPolicy="Always"),
                container("init", "200m", "20Mi"),
            ],
            "containers": [container("main", "50m", "64Mi"), container("other", "70m", "5Mi")],
        },
    }


def test_the_table_of_system_pods_is_kubectls(
    kubectl: Callable[..., str], kcompanion: Callable[..., Any], cluster: Path
) -> None:
    columns = "custom-columns=POD:metadata.name,NODE:spec.nodeName"
    rows = kubectl("get", "pod", "-n", "kube-system", "-o", columns, "--no-headers").splitlines()
    expected = sorted((row.split()[1], row.split()[0]) for row in rows)
    done = kcompanion("nodes", "--pods", "--no-headers", kubeconfig=cluster, COLUMNS="200")
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines() if line.startswith("  ") and len(line.split()) >= 4]
    assert [(line[1], line[0]) for line in lines] == expected


def test_one_node_in_depth_and_one_that_is_not_there(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("nodes", "kcompanion-control-plane", kubeconfig=cluster)
    assert done.code == 0
    assert "etcd-kcompanion-control-plane" in done.out
    missing = kcompanion("nodes", "nope", kubeconfig=cluster)
    assert (missing.code, missing.out) == (4, "")


def test_a_label_selects(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("nodes", "-l", "node-role.kubernetes.io/control-plane", "-o", "name", kubeconfig=cluster)
    assert done.out.split() == ["node/kcompanion-control-plane"]
    assert kcompanion("nodes", "-l", "no=such", kubeconfig=cluster).code == 4


def test_a_recording_says_the_same(kcompanion: Callable[..., Any], cluster: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "n.kcr")
    live = kcompanion("nodes", "--record", file, kubeconfig=cluster)
    assert kcompanion("nodes", "--from", file).out == live.out


def test_a_reader_without_rights_learns_nothing_good(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("nodes", "-o", "json", "--as", "nobody", kubeconfig=cluster)
    body = json.loads(done.out)
    assert done.code == 5
    assert (body["status"], body["complete"]) == ("unknown", False)


@pytest.fixture
def cordoned(kubectl: Callable[..., str]) -> Iterator[str]:
    kubectl("cordon", PAUSED)
    yield PAUSED
    kubectl("uncordon", PAUSED)


def test_a_cordon_is_seen(cordoned: str, kcompanion: Callable[..., Any], cluster: Path) -> None:
    body = json.loads(kcompanion("nodes", cordoned, "-o", "json", kubeconfig=cluster).out)
    assert body["nodes"][0]["state"] == "Ready,SchedulingDisabled"
    assert [f["code"] for f in body["findings"]] == ["KC2006"]


@pytest.fixture
def silenced() -> Iterator[str]:
    """A kubelet that is stopped, and started again."""
    on_node(PAUSED, "systemctl", "stop", "kubelet")
    yield PAUSED
    on_node(PAUSED, "systemctl", "start", "kubelet")


def test_a_silent_kubelet_is_seen_before_the_control_plane_says_so(
    silenced: str, kcompanion: Callable[..., Any], cluster: Path
) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        body = json.loads(kcompanion("nodes", silenced, "-o", "json", kubeconfig=cluster).out)
        node = body["nodes"][0]
        if node["status"] == "fail":
            assert node["state"] == "Ready", "the Lease speaks first"
            assert "KC2002" in [f["code"] for f in body["findings"]]
            return
        time.sleep(2)
    pytest.fail("a minute of silence was not noticed")
