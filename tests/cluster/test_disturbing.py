"""What disturbs others for a moment, so the cluster has to be ours alone: fake nodes, a deleted mirror pod, a lesson
that would break a node if it were not refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kcompanion.learn.mark import BREAKS
from lab import kwok
from tests.cluster.test_controlplane import NODE, component, on_node

pytestmark = [pytest.mark.cluster, pytest.mark.alone]


def test_fake_nodes_come_and_are_called_fake(cluster: Path, kcompanion: Callable[..., Any]) -> None:
    with kwok.running(cluster, 2) as names:
        answer = kcompanion("nodes", "-o", "json", kubeconfig=cluster)
        nodes = {node["name"]: node for node in json.loads(answer.out)["nodes"]}
        assert {name for name, node in nodes.items() if node["fake"]} == set(names)
    after = json.loads(kcompanion("nodes", "-o", "json", kubeconfig=cluster).out)["nodes"]
    assert not any(node["fake"] for node in after)


def test_deleting_a_mirror_pod_leaves_the_process_alone(
    cluster: Path, kubectl: Callable[..., str], kcompanion: Callable[..., Any]
) -> None:
    """What `controlplane static` says of mirror pods, tried."""
    before = on_node(NODE, "pgrep", "-x", "kube-scheduler")
    kubectl("delete", "pod", "-n", "kube-system", f"kube-scheduler-{NODE}", "--wait=false")
    instance: dict[str, Any] = {"health": {"status": ""}}
    for _ in range(30):
        answer = json.loads(kcompanion("controlplane", "-o", "json", kubeconfig=cluster).out)
        (instance,) = component(answer, "kube-scheduler")["instances"] or [{"health": {"status": ""}}]
        if instance["health"]["status"] == "ok":
            break
        time.sleep(2)
    assert instance["health"]["status"] == "ok"
    assert on_node(NODE, "pgrep", "-x", "kube-scheduler") == before


def test_a_second_lesson_that_breaks_nodes_is_refused(
    cluster: Path, kubectl: Callable[..., str], kcompanion: Callable[..., Any], namespace: str, tmp_path: Path
) -> None:
    """Whoever runs the first one: its namespace tells."""
    kubectl("label", "namespace", namespace, f"{BREAKS}=node-failure")
    ran = kcompanion("learn", "node-failure", "--yes", kubeconfig=cluster, XDG_STATE_HOME=str(tmp_path))
    assert ran.code == 2
    assert f"error: the lesson node-failure is breaking nodes of this cluster, in {namespace}" in ran.err
    assert kubectl("get", "namespaces", "-l", BREAKS, "-o", "name").split() == [f"namespace/{namespace}"]
    assert list(tmp_path.rglob("*.journal")) == []
