"""A worker node loses its power: what `explain` tells of it, of the pods on it, and of what takes their place."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.alone]
VICTIM, OTHER = "kcompanion-worker2", "kcompanion-worker"
LOST = ("KC5115", "KC5123")  # Unknown, or still called Ready while the heartbeat is missing
# The pods are evicted 5 s after their node is called unreachable, not 5 min as usual.
POD = """
      terminationGracePeriodSeconds: 1
      tolerations:
        - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
        - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      containers:
        - name: app
          image: kcompanion.dev/lab/mishap:1
          imagePullPolicy: IfNotPresent
          args: ["sleep", "3600"]
"""
MANIFEST = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:{POD}
---
apiVersion: v1
kind: Pod
metadata: {{name: naked}}
spec:{POD.replace(chr(10) + "    ", chr(10))}
"""


def docker(*words: str) -> None:
    subprocess.run(["docker", *words], capture_output=True, timeout=60, check=True)


def until(seconds: float, what: str, holds: Callable[[], Any]) -> Any:
    """What `holds` returns as soon as that is something."""
    end = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < end:
        last = holds()
        if last:
            return last
        time.sleep(2)
    pytest.fail(f"not within {seconds} s: {what}")


@pytest.fixture
def explain(cluster: Path, kcompanion: Callable[..., Any]) -> Callable[[str, str], dict[str, Any]]:
    """The one object of an explanation, as JSON, with the text people read under "text"."""

    def run(what: str, namespace: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(
            kcompanion("explain", what, "-n", namespace, "-o", "json", kubeconfig=cluster).out
        )["objects"][0]
        text = kcompanion("explain", what, "-n", namespace, kubeconfig=cluster).out
        return {**told, "text": " ".join(text.split())}

    return run


@pytest.fixture
def lost(kubectl: Callable[..., str], namespace: str) -> Iterator[str]:
    """The namespace whose pods were on a node that has just lost its power; the node comes back afterwards."""
    kubectl("cordon", OTHER)  # so that all pods come to the victim
    try:
        kubectl("apply", "-n", namespace, "-f", "-", stdin=MANIFEST)
        kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=90s")
        kubectl("wait", "pod/naked", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
    finally:
        kubectl("uncordon", OTHER)
    assert {pod["spec"]["nodeName"] for pod in pods(kubectl, namespace)} == {VICTIM}
    try:
        docker("kill", VICTIM)
        yield namespace
    finally:
        docker("start", VICTIM)
        kubectl("wait", f"node/{VICTIM}", "--for=condition=Ready", "--timeout=120s")


def pods(kubectl: Callable[..., str], namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
    return found


def replacements(kubectl: Callable[..., str], namespace: str) -> list[dict[str, Any]]:
    """The Deployment's pods that are ready and not on their way out."""
    found = [pod for pod in pods(kubectl, namespace) if pod["metadata"].get("labels", {}).get("app") == "web"]
    return [
        pod
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
        and pod["spec"].get("nodeName") != VICTIM
        and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))
    ]


def root(told: dict[str, Any]) -> dict[str, Any]:
    return told["rootCause"] or {"code": "", "root": ""}


def test_a_node_dies(
    lost: str,
    cluster: Path,
    kcompanion: Callable[..., Any],
    kubectl: Callable[..., str],
    explain: Callable[[str, str], dict[str, Any]],
) -> None:
    node = until(
        60, "the node is silent", lambda: (t := explain(f"node/{VICTIM}", lost)) and root(t)["code"] in LOST and t
    )
    assert any("spec.renewTime" in e["path"] for e in root(node)["evidence"])

    deployment = explain("deployment/web", lost)
    assert root(deployment)["code"] in LOST
    assert root(deployment)["root"] == f"Node/{VICTIM}"
    assert len(root(deployment)["affected"]) == 2  # one entry for both pods
    assert [code for code in deployment["causes"] if code in LOST] == [root(deployment)["code"]]

    health = json.loads(kcompanion("health", "-o", "json", kubeconfig=cluster).out)
    [entry] = [one for one in health["entries"] if one["root"] == f"Node/{VICTIM}"]
    assert entry["code"] in LOST
    assert entry["affectedCount"] >= 3  # the Deployment's pods, the naked one, and what each node has

    naked = until(
        120,
        "the naked pod is to be deleted",
        lambda: (t := explain("pod/naked", lost)) and t["statusWord"] == "Terminating" and t,
    )
    assert root(naked)["code"] == "KC5115"
    assert "marked for deletion" in naked["text"]
    assert "Nothing controls it, so it does not come back." in naked["text"]

    new = until(90, "both pods are replaced", lambda: len(r := replacements(kubectl, lost)) == 2 and r)
    assert {pod["spec"]["nodeName"] for pod in new} == {OTHER}
    replacement = f"pod/{new[0]['metadata']['name']}"
    assert root(explain(replacement, lost))["code"] not in LOST
    told_why_not = kcompanion("why-not", replacement, VICTIM, "-n", lost, kubeconfig=cluster).out
    assert "node.kubernetes.io/unreachable" in told_why_not
    life = kcompanion("trace", replacement, "-n", lost, kubeconfig=cluster).out
    assert OTHER in life
    old = next(
        p for p in pods(kubectl, lost) if p["spec"]["nodeName"] == VICTIM and p["metadata"].get("ownerReferences")
    )
    told = explain(f"pod/{old['metadata']['name']}", lost)
    assert root(told)["root"] == f"Node/{VICTIM}"
    assert "makes another pod in its place" in told["text"]

    docker("start", VICTIM)
    kubectl("wait", f"node/{VICTIM}", "--for=condition=Ready", "--timeout=120s")
    until(90, "the kubelet has finished the deletions", lambda: len(pods(kubectl, lost)) == 2)
    assert {pod["metadata"]["name"] for pod in pods(kubectl, lost)} == {pod["metadata"]["name"] for pod in new}
    until(30, "nothing is wrong with the node", lambda: not explain(f"node/{VICTIM}", lost)["rootCause"])
