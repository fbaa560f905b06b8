"""The clusters of the lab, and whether one is healthy."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lab import docker

ROOT = Path(__file__).resolve().parent.parent
KIND_LABEL = "io.x-k8s.kind.cluster"
_ADMIN = "/etc/kubernetes/admin.conf"
_LOOK = (
    "get nodes -o json; {k} get leases -n kube-node-lease -o json; "
    "{k} get pods -n kube-system -l k8s-app=kube-dns -o json"
)


@dataclass(frozen=True)
class Cluster:
    """One cluster; every path and every container name follows from its name."""

    name: str
    config: Path
    kubeconfig: Path
    control_planes: int
    workers: int
    patience: float  # seconds it gets to become healthy
    replicasets: bool = True  # whether its control plane runs the ReplicaSet controller

    @property
    def nodes(self) -> list[str]:
        return [
            *_numbered(f"{self.name}-control-plane", self.control_planes),
            *_numbered(f"{self.name}-worker", self.workers),
        ]

    @property
    def own_network(self) -> bool:
        """Whether its nodes must keep their addresses (see addresses.py)."""
        return self.control_planes > 1

    @property
    def network(self) -> str:
        return f"kind-{self.name}" if self.own_network else "kind"

    @property
    def containers(self) -> list[str]:
        balancer = [f"{self.name}-external-load-balancer"] if self.own_network else []
        return sorted([*self.nodes, *balancer])


def _numbered(stem: str, count: int) -> list[str]:
    return [stem + (str(number) if number > 1 else "") for number in range(1, count + 1)]


SMALL = Cluster("kcompanion", ROOT / "kind-config.yaml", ROOT / ".cluster/kubeconfig", 1, 2, patience=120)
HA = Cluster("kcompanion-ha", ROOT / "kind-config-ha.yaml", ROOT / ".cluster/kubeconfig-ha", 3, 1, patience=180)
# Its own ReplicaSet controller is switched off, so that another can be tried in its place.
CONFORMANCE = Cluster(
    "kcompanion-conformance",
    ROOT / "kind-config-conformance.yaml",
    ROOT / ".cluster/kubeconfig-conformance",
    1,
    2,
    patience=120,
    replicasets=False,
)
ALL = (SMALL, HA, CONFORMANCE)


def present(cluster: Cluster) -> list[str]:
    """The containers that exist, running or not."""
    return docker.containers(f"{KIND_LABEL}={cluster.name}")


def started(cluster: Cluster) -> dict[str, str]:
    """When each running container was started last."""
    inspected = docker.inspect("container", present(cluster))
    states = {one["Name"].lstrip("/"): one["State"] for one in inspected}
    return {name: state["StartedAt"] for name, state in states.items() if state["Running"]}


def complaint(cluster: Cluster) -> str:
    """Why the cluster is not healthy yet, in a few words; empty if it is."""
    running = started(cluster)
    lacking = [name for name in cluster.containers if name not in running]
    if lacking:
        return f"not running: {', '.join(lacking)}"
    looked = _look(cluster)
    if looked is None:
        return "the API server does not answer"
    return judge(cluster, running, *looked)


def judge(
    cluster: Cluster,
    running: Mapping[str, str],
    nodes: dict[str, Any],
    leases: dict[str, Any],
    dns: dict[str, Any],
) -> str:
    """Judges what the API server says; statuses older than a node's last start are worth nothing."""
    ready = {n["metadata"]["name"] for n in nodes["items"] if _condition(n, "Ready")}
    renewed = {one["metadata"]["name"]: one["spec"].get("renewTime", "") for one in leases["items"]}
    for name in cluster.nodes:
        if name not in ready:
            return f"node {name} is not Ready"
        if not _later(renewed.get(name, ""), running[name]):
            return f"the kubelet of {name} has not reported since its start"
    if not dns["items"]:
        return "CoreDNS has no pods"
    for pod in dns["items"]:
        if not _condition(pod, "Ready") or not _runs_since(pod, running):
            return f"CoreDNS is not Ready ({pod['metadata']['name']})"
    return ""


def wait(cluster: Cluster, seconds: float) -> str:
    """Waits until the cluster is healthy and returns the last complaint, empty if there is none."""
    end = time.monotonic() + seconds
    while (why := complaint(cluster)) and time.monotonic() < end:
        time.sleep(1)
    return why


def _look(cluster: Cluster) -> list[dict[str, Any]] | None:
    """Nodes, their leases and CoreDNS, from the first control plane that answers.

    kubectl is that of the node: the machine itself may have none.
    """
    kubectl = f"kubectl --kubeconfig={_ADMIN} --request-timeout=5s"
    script = f"set -e; {kubectl} {_LOOK.format(k=kubectl)}"
    for node in cluster.nodes[: cluster.control_planes]:
        command = ["docker", "exec", node, "sh", "-c", script]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=20)
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            return _documents(done.stdout.decode())
    return None


def _documents(text: str) -> list[dict[str, Any]]:
    decoder, documents = json.JSONDecoder(), []
    text = text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        documents.append(document)
        text = text[end:].lstrip()
    return documents


def _condition(thing: dict[str, Any], kind: str) -> bool:
    conditions = thing.get("status", {}).get("conditions", [])
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)


def _runs_since(pod: dict[str, Any], running: Mapping[str, str]) -> bool:
    """Whether a pod's containers started after the node they run on."""
    node_start = running.get(pod["spec"].get("nodeName", ""), "")
    states = [one["state"].get("running", {}) for one in pod["status"].get("containerStatuses", [])]
    return all(_later(state.get("startedAt", ""), node_start) for state in states)


def _later(moment: str, than: str) -> bool:
    return bool(moment and than) and _seconds(moment) >= _seconds(than) - 1


def _seconds(moment: str) -> float:
    # Docker prints nine digits of a second, more than fromisoformat takes.
    whole, _, fraction = moment.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
