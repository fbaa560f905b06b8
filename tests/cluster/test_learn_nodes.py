"""The lesson that cuts a node's power, killed while the node is off (test_lessons_one_by_one.py runs it to its end)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.breaking import Ground, docker, killed_and_mended, whole
from tests.cluster.conftest import Ran

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.full]


@pytest.fixture
def ground(cluster: Path, tmp_path: Path, kcompanion: Callable[..., Ran], kubectl: Callable[..., str]) -> Ground:
    return whole(Ground(cluster, tmp_path, kcompanion, kubectl))


def test_killed_while_the_node_is_off(ground: Ground) -> None:
    def off(undos: list[list[str]]) -> bool:
        nodes = [node for verb, node in undos if verb == "start"]
        return any(docker("inspect", "-f", "{{.State.Running}}", node).stdout.strip() == "false" for node in nodes)

    killed_and_mended(ground, "node-failure", off)
