"""Lessons about nodes, killed while one is off or cordoned (test_lessons_one_by_one.py runs them to their end)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kcompanion.learn.mark import LESSON
from tests.cluster.breaking import Ground, as_before, docker, killed_and_mended, whole
from tests.cluster.conftest import Ran
from tests.cluster.killing import killed_after

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.full]


@pytest.fixture
def ground(cluster: Path, tmp_path: Path, kcompanion: Callable[..., Ran], kubectl: Callable[..., str]) -> Ground:
    return whole(Ground(cluster, tmp_path, kcompanion, kubectl))


def test_killed_while_the_node_is_off(ground: Ground) -> None:
    def off(undos: list[list[str]]) -> bool:
        nodes = [node for verb, node in undos if verb == "start"]
        return any(docker("inspect", "-f", "{{.State.Running}}", node).stdout.strip() == "false" for node in nodes)

    killed_and_mended(ground, "node-failure", off)


@pytest.mark.parametrize("journal", ["kept", "lost"])
def test_killed_while_the_node_is_cordoned(ground: Ground, journal: str) -> None:
    """Without its journal a run is found by its label, as soon as no lesson takes that long."""
    before = ground.recorded()
    killed = killed_after(2, "drain", ground.cluster, ground.state, ground.kcompanion)
    cordoned = ground.get("nodes", "-l", f"{LESSON}={killed.run}", "-o", "jsonpath={.items[*].spec.unschedulable}")
    assert cordoned == "true"
    if journal == "lost":
        for path in ground.journals():
            path.unlink()
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = killed.cleaned("--now", later)
    assert killed.namespace in found
    assert journal == "kept" or "/api/v1/nodes/" in found
    as_before(ground, before)
