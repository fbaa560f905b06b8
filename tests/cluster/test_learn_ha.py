"""The lessons that stop parts of the control plane, on the HA cluster: to their end, interrupted, and killed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.breaking import WHOLE, Ground, as_before, broken, docker, killed_and_mended, runs_whole, whole
from tests.cluster.conftest import Ran

pytestmark = [pytest.mark.cluster, pytest.mark.ha]


@pytest.fixture
def ground(ha_cluster: Path, tmp_path: Path, kcompanion: Callable[..., Ran], kubectl: Callable[..., str]) -> Ground:
    return whole(Ground(ha_cluster, tmp_path, kcompanion, kubectl))


def away(count: int) -> Callable[[list[list[str]]], bool]:
    """So many manifests are where their kubelets do not look."""

    def test(undos: list[list[str]]) -> bool:
        places = {(words[1], words[-2]) for words in undos if words[0] == "exec"}
        return sum(docker("exec", node, "test", "-e", file).returncode == 0 for node, file in places) == count

    return test


def test_killed_while_a_leader_is_away(ground: Ground) -> None:
    killed_and_mended(ground, "leader-election", away(1))


@pytest.mark.full
@pytest.mark.parametrize("lesson", ["leader-election", "control-plane-loss", "etcd-quorum"])
def test_every_claim_holds(ground: Ground, lesson: str) -> None:
    runs_whole(ground, lesson)


@pytest.mark.full
def test_killed_without_a_quorum(ground: Ground) -> None:
    """There is no API server to ask, and still the way back is found."""
    killed_and_mended(ground, "etcd-quorum", away(2))


@pytest.mark.full
def test_interrupted_without_a_quorum(ground: Ground) -> None:
    before = ground.recorded()
    process = broken(ground, "etcd-quorum", away(2))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=WHOLE)
    assert process.returncode == 130, told
    as_before(ground, before)
