"""The lab brings a broken cluster back: too long for CI (`make test-cluster-full`)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import ROOT

pytestmark = [pytest.mark.full, pytest.mark.alone]
NODES = ("kcompanion-control-plane", "kcompanion-worker", "kcompanion-worker2")


def make_cluster() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lab", "cluster"], capture_output=True, text=True, timeout=600, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_killed_nodes_come_back_with_what_was_in_the_cluster(
    cluster: Path, kubectl: Callable[..., str], namespace: str, kcompanion: Callable[..., Any]
) -> None:
    kubectl("create", "configmap", "kept", "-n", namespace, "--from-literal=word=there")
    subprocess.run(["docker", "kill", *NODES], capture_output=True, check=True)
    assert "creating" not in make_cluster()
    assert kubectl("get", "configmap", "kept", "-n", namespace, "-o", "jsonpath={.data.word}") == "there"
    answer: Any = None
    for _ in range(30):  # Leases of the time before must end and be taken anew
        answer = kcompanion("controlplane", "-o", "json", kubeconfig=cluster)
        if (answer.code, json.loads(answer.out)["status"]) == (0, "ok"):
            return
        time.sleep(3)
    pytest.fail(str(answer))


def test_a_cluster_that_lost_a_node_is_made_anew(cluster: Path, kubectl: Callable[..., str]) -> None:
    subprocess.run(["docker", "rm", "-f", "-v", NODES[2]], capture_output=True, check=True)
    assert "creating" in make_cluster()
    assert set(kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()) == set(NODES)
