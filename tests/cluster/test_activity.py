"""`activity` tells what happens while it happens, with who did it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from tests.cluster.conftest import Ran

pytestmark = pytest.mark.cluster


def test_a_deployments_birth_is_told(
    cluster: Path, kcompanion: Callable[..., Ran], kubectl: Callable[..., str], namespace: str
) -> None:
    words = ("activity", "-n", namespace, "--for", "25s", "-o", "json")
    with ThreadPoolExecutor(1) as worker:
        watching = worker.submit(kcompanion, *words, kubeconfig=cluster)
        # made again and again until the end: nobody outside knows when the watches are there
        for number in count():
            if watching.done():
                break
            image = "--image=registry.k8s.io/pause:3.10"
            kubectl("create", "deployment", f"web-{number}", image, "-n", namespace)
            time.sleep(1)  # a pod takes about as long; more of them at a time would only slow one another down
        ran = watching.result()
    assert ran.code == 0, ran.err
    told = [json.loads(line) for line in ran.out.splitlines()]
    seen = {(one["id"], one["actor"].partition(" ")[0], one["subject"].partition("/")[0]) for one in told}
    assert ("bound", "default-scheduler", "pod") in seen
    assert ("running", "kubelet", "pod") in seen
    assert any(what == "created" and subject == "replicaset" for what, _, subject in seen)


def test_it_needs_a_live_cluster(kcompanion: Callable[..., Ran]) -> None:
    ran = kcompanion("activity", "--from", "demo:three-nodes")
    assert ran.code == 2
    assert "live cluster" in ran.err
