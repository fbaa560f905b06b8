"""5,000 pods on fake nodes (kwok) beside the 3-node cluster: time and memory of what reads all of them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measure import figures, spread, timed
from bench.parts import KUBECONFIG, Figures, command, kubectl_list
from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.transport import JSON, Transport
from lab import kwok

NAMESPACE = "kcompanion-bench"
NODES, PODS = 10, 5000
PATIENCE = 300.0


def scale() -> Figures:
    """Measures `controlplane`, `nodes` and `snapshot save`; the pods and nodes are gone afterwards."""
    environ = {"KUBECONFIG": str(KUBECONFIG)}
    with kwok.running(KUBECONFIG, NODES) as nodes, _pods(nodes), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "all.kcr"
        found = {
            "controlplane": command(["controlplane"], environ),
            "nodes": command(["nodes"], environ),
            "snapshot save": command(["snapshot", "save", str(file)], environ),
        }
        found["snapshot save"]["fileMiB"] = round(file.stat().st_size / (1 << 20), 1)
        found["controlplane --from"] = command(["controlplane", "--from", str(file)], environ)
        beside = figures(spread([timed(kubectl_list(), environ).seconds for _ in range(3)]))
    return {"pods": PODS, "nodes": f"{NODES} fake (kwok) and 3 real", "commands": found, "kubectlSeconds": beside}


@contextmanager
def _pods(nodes: list[str]) -> Iterator[None]:
    """PODS running pods for the time of a `with` block."""
    server = Transport(connect(Target(kubeconfig=str(KUBECONFIG))))
    _send(server, "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": NAMESPACE}})
    try:
        _until(
            lambda: _exists(server, f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"), "the service account"
        )
        with ThreadPoolExecutor(16) as workers:
            list(workers.map(lambda number: _create(server, number, nodes), range(PODS)))
        _until(lambda: _running(server) == PODS, "the pods to run")
        yield
    finally:
        kwok._kubectl(KUBECONFIG, "delete", "namespace", NAMESPACE, "--wait=false")
        kwok._kubectl(KUBECONFIG, "delete", "pods", "--all", "-n", NAMESPACE, "--grace-period=0", "--force")


def _create(server: Transport, number: int, nodes: list[str]) -> None:
    container = {
        "name": "web",
        "image": "registry.example/web:1.0",
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        "env": [{"name": "MODE", "value": "bench"}],
    }
    metadata = {"name": f"web-{number:05}", "labels": {"app": f"web-{number % 50}", "tier": "frontend"}}
    spec = {"nodeName": nodes[number % len(nodes)], "containers": [container]}
    _send(server, f"/api/v1/namespaces/{NAMESPACE}/pods", {"kind": "Pod", "metadata": metadata, "spec": spec})


def _send(server: Transport, path: str, manifest: dict[str, Any]) -> None:
    body = json.dumps({"apiVersion": "v1", **manifest}).encode()
    response = server.request(path, accept=JSON, body=body, server="", timeout=30)
    if response.status >= 300:
        raise RuntimeError(f"{path}: {response.status} {response.body[:200]!r}")


def _exists(server: Transport, path: str) -> bool:
    return server.request(path, accept=JSON, body=None, server="", timeout=30).status == 200


def _running(server: Transport) -> int:
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?fieldSelector=status.phase%3DRunning&limit=1"
    page = json.loads(server.request(path, accept=JSON, body=None, server="", timeout=30).body)
    return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0)) if page["items"] else 0


def _until(holds: Callable[[], bool], what: str) -> None:
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > PATIENCE:
            raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(1)
