"""5,000 pods on fake nodes (kwok) beside the 3-node cluster: time and memory of what reads all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import KCOMPANION, figures, spread, timed
from bench.parts import KUBECONFIG, Figures, command, kubectl_list
from bench.scrolling import scrolled
from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.transport import Transport
from lab import kwok

NAMESPACE = "kcompanion-bench"
PODS = 5000
FEW, MANY = 50, 500  # pods that share one cause
PATIENCE = 300.0


@dataclass(frozen=True)
class Size:
    """How many pods are made, and the fake nodes that 25 of them share each."""

    pods: int = PODS

    @property
    def nodes(self) -> int:
        return max(1, self.pods // 25)

    def about(self) -> Figures:
        return {"pods": self.pods, "nodes": f"{self.nodes} fake (kwok) and 3 real"}


def health(size: Size) -> Figures:
    """Measures `health -A`, with all pods well and with some stuck, and `overview`, which judges the same."""
    environ = {"KUBECONFIG": str(KUBECONFIG)}
    with kwok.running(KUBECONFIG, size.nodes) as nodes, _pods(size.pods, nodes):
        print("bench: health -A, overview …", file=sys.stderr)
        found = {" ".join(words): command(words, environ) for words in (["health", "-A"], ["overview"])}
        stuck = _stuck(environ)
        beside = figures(spread([timed(kubectl_list(), environ).seconds for _ in range(3)]))
    return {**size.about(), "commands": found, "stuck": stuck, "kubectlSeconds": beside}


def scale(size: Size) -> Figures:
    """Measures what reads the whole cluster, and how its report scrolls; pods and nodes are gone afterwards."""
    environ = {"KUBECONFIG": str(KUBECONFIG)}
    with (
        kwok.running(KUBECONFIG, size.nodes) as nodes,
        _pods(size.pods, nodes),
        tempfile.TemporaryDirectory() as folder,
    ):
        file, page = Path(folder) / "all.kcr", Path(folder) / "report.html"
        lines = (
            ["controlplane"],
            ["nodes"],
            ["snapshot", "save", str(file)],
            ["controlplane", "--from", str(file)],
            ["report", "-O", str(page)],
            ["report", "--from", str(file), "-O", str(page)],
        )
        found = {}
        for words in lines:
            print(f"bench: {' '.join(words[:2])} …", file=sys.stderr)
            told = " ".join(words).replace(str(file), "FILE").replace(str(page), "PAGE")
            found[told] = command(words, environ)
        found["snapshot save FILE"]["fileMiB"] = round(file.stat().st_size / (1 << 20), 1)
        found["report -O PAGE"]["fileMiB"] = round(page.stat().st_size / (1 << 20), 1)
        smooth = scrolled(page)
        beside = figures(spread([timed(kubectl_list(), environ).seconds for _ in range(3)]))
    return {**size.about(), "commands": found, "scrolled": smooth, "kubectlSeconds": beside}


def _stuck(environ: dict[str, str]) -> Figures:
    """`health -A` with FEW and with MANY pods that no node takes: its length must not tell them apart."""
    found: Figures = {}
    for count in (FEW, MANY):
        _apply(_nowhere(count))
        time.sleep(15)  # all are made, and the scheduler said of each why
        print(f"bench: health -A with {count} stuck pods …", file=sys.stderr)
        done = subprocess.run(
            [KCOMPANION, "health", "-A"], capture_output=True, text=True, check=True, env={**os.environ, **environ}
        )
        found[str(count)] = {**command(["health", "-A"], environ), "lines": len(done.stdout.splitlines())}
    return found


def _nowhere(count: int) -> dict[str, Any]:
    """A Deployment of pods that ask for a node which does not exist."""
    container = {"name": "web", "image": "registry.example/web:1.0"}
    template = {
        "metadata": {"labels": {"app": "stuck"}},
        "spec": {"nodeSelector": {"kcompanion.dev/bench": "nowhere"}, "containers": [container]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "stuck", "namespace": NAMESPACE},
        "spec": {"replicas": count, "selector": {"matchLabels": {"app": "stuck"}}, "template": template},
    }


def _apply(manifest: dict[str, Any]) -> None:
    command = ["kubectl", "--kubeconfig", str(KUBECONFIG), "apply", "-f", "-"]
    subprocess.run(command, input=json.dumps(manifest), text=True, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _pods(count: int, nodes: list[str]) -> Iterator[None]:
    """As many running pods for the time of a `with` block."""
    server = Transport(connect(Target(kubeconfig=str(KUBECONFIG))))
    _send(server, "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": NAMESPACE}})
    try:
        _until(
            lambda: _exists(server, f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"), "the service account"
        )
        print(f"bench: making {count} pods …", file=sys.stderr)
        with ThreadPoolExecutor(16) as workers:
            list(workers.map(lambda number: _create(server, number, nodes), range(count)))
        _until(lambda: _all_run(server), "the pods to run")
        yield
    finally:
        # in few requests: one by one takes minutes; what the first does not reach within its minute goes with the rest
        _kubectl("delete", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods?gracePeriodSeconds=0")
        _kubectl("delete", "namespace", NAMESPACE, f"--timeout={PATIENCE:.0f}s")


def _kubectl(*words: str) -> None:
    command = ["kubectl", "--kubeconfig", str(KUBECONFIG), *words]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


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
    response = server.request(path, body=body, timeout=30)
    if response.status >= 300:
        raise RuntimeError(f"{path}: {response.status} {response.body[:200]!r}")


def _exists(server: Transport, path: str) -> bool:
    return server.request(path, timeout=30).status == 200


def _all_run(server: Transport) -> bool:
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?fieldSelector=status.phase%21%3DRunning&limit=1"
    return not json.loads(server.request(path, timeout=30).body)["items"]


def _until(holds: Callable[[], bool], what: str) -> None:
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > PATIENCE:
            raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(1)
