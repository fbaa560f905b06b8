"""Fake nodes beside a cluster, for loads that two processors cannot run for real.

kwok plays the kubelet of nodes that do not exist: it reports them Ready and their pods Running. Such
nodes carry an annotation and a taint; a pod gets there only with the toleration and the selector
below. Whoever reports numbers from them says that they are fake.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import cache, gobuild, versions
from lab.shell import LabError, run, step

ANNOTATION = "kwok.x-k8s.io/node"
SELECTOR = {"type": "kwok"}
TOLERATION = {"key": ANNOTATION, "operator": "Exists", "effect": "NoSchedule"}
_STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast")
_PATIENCE = 60.0


@contextmanager
def running(kubeconfig: Path, nodes: int, *, pods_per_node: int = 1000) -> Iterator[list[str]]:
    """Fake nodes for the time of a `with` block; yields their names, and takes them away again."""
    process = start(kubeconfig)
    try:
        names = add_nodes(kubeconfig, nodes, pods_per_node=pods_per_node)
        wait_ready(kubeconfig, names)
        yield names
    finally:
        # The nodes go while kwok still runs, so that their pods can end.
        remove_nodes(kubeconfig)
        stop(process)


def start(kubeconfig: Path) -> subprocess.Popen[bytes]:
    """Starts kwok for the cluster; it cares only for nodes that carry the annotation."""
    log = cache.root() / "log" / "kwok.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(_program()),
        f"--kubeconfig={kubeconfig}",
        f"--config={stages()}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake",
        "--node-lease-duration-seconds=40",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    time.sleep(1)
    if process.poll() is not None:
        tail = log.read_text(errors="replace").strip().splitlines()[-5:]
        raise LabError("a running kwok", "read:\n  " + "\n  ".join(tail))
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stages() -> Path:
    """The rules for nodes and pods that kwok ships, in one file: it plays nothing without them."""
    folder = gobuild.module_dir("sigs.k8s.io/kwok", f"v{versions.KWOK}") / "kustomize/stage"

    def fill(target: Path) -> None:
        files = [path for stage in _STAGES for path in sorted((folder / stage).glob("*.yaml"))]
        texts = [path.read_text() for path in files if path.name != "kustomization.yaml"]
        (target / "stages.yaml").write_text("\n---\n".join(texts))

    return cache.entry(f"kwok-stages-{versions.KWOK}", fill) / "stages.yaml"


def node(number: int, pods: int) -> dict[str, Any]:
    """A fake node's object; it says of itself that it is fake."""
    name = f"fake-{number}"
    room = {"cpu": "64", "memory": "256Gi", "pods": str(pods)}
    # Without the label kubernetes.io/os the DaemonSets of a real node keep away.
    labels = {**SELECTOR, "kubernetes.io/hostname": name}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {ANNOTATION: "fake"}},
        "spec": {"taints": [{"key": ANNOTATION, "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": room, "capacity": room},
    }


def add_nodes(kubeconfig: Path, count: int, *, pods_per_node: int = 1000) -> list[str]:
    nodes = [node(number, pods_per_node) for number in range(1, count + 1)]
    listing = {"apiVersion": "v1", "kind": "List", "items": nodes}
    _kubectl(kubeconfig, "apply", "--filename=-", stdin=json.dumps(listing).encode())
    return [str(one["metadata"]["name"]) for one in nodes]


def wait_ready(kubeconfig: Path, names: list[str]) -> None:
    with step(f"waiting for {len(names)} fake nodes"):
        targets = [f"node/{name}" for name in names]
        limit = f"--timeout={_PATIENCE:.0f}s"
        _kubectl(kubeconfig, "wait", "--for=condition=Ready", limit, *targets)


def remove_nodes(kubeconfig: Path) -> None:
    """Removes every fake node, and first the pods on them: nobody else would end those."""
    selector = ",".join(f"{key}={value}" for key, value in SELECTOR.items())
    listed = json.loads(_kubectl(kubeconfig, "get", "nodes", f"--selector={selector}", "--output=json"))
    names = [one["metadata"]["name"] for one in listed["items"]]
    # one request for each of 200 empty nodes would take a minute
    used = _kubectl(kubeconfig, "get", "pods", "--all-namespaces", "--output=jsonpath={.items[*].spec.nodeName}")
    for name in sorted(set(names) & set(used.split())):
        only = f"--field-selector=spec.nodeName={name}"
        _kubectl(kubeconfig, "delete", "pods", "--all-namespaces", only, "--wait=false")
    if names:
        _kubectl(kubeconfig, "delete", "nodes", *names, "--wait=false")


def _program() -> Path:
    family = next(family for family in versions.FAMILIES if family.name == "kwok")
    return gobuild.family(family) / "kwok"


def _kubectl(kubeconfig: Path, *words: str, stdin: bytes | None = None) -> str:
    kubectl = gobuild.family(versions.KUBERNETES_FAMILY) / "kubectl"
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    return run([kubectl, *words], env=environment, stdin=stdin)
