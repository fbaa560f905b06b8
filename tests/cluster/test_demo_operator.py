"""The whole of `make demo-operator`, with the node that is stopped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import ROOT
from tests.cluster.demonstrating import DISTURBED, demonstrated

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.full]


def test_it_tells_how_the_pods_of_a_node_come_back(cluster: Path, kubectl: Callable[..., str]) -> None:
    image = [sys.executable, str(ROOT / "tools/operator_image.py"), "--if-missing", "--load", "--cluster", "kcompanion"]
    subprocess.run(image, check=True, timeout=900)
    story = demonstrated(cluster)
    for told in DISTURBED:
        assert told in story, story
    *_, lost = story.partition("A node is stopped.")
    assert "so create" in lost, lost
    kubectl("wait", "nodes", "--all", "--for=condition=Ready", "--timeout=120s")
    assert "demo-operator" not in kubectl("get", "namespaces", "-o", "name", "--field-selector=status.phase=Active")
