"""Every lesson, one after the other and alone on the cluster: its claims hold, and then the cluster is as before.

Recordings of the whole cluster are compared, so whatever kind of thing a lesson leaves, it is seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kcompanion.cluster import recording
from kcompanion.learn.lessons import LESSONS
from kcompanion.model.snapshot import Snapshot
from tests.cluster.conftest import Ran
from tests.learn.asbefore import differences, objects

pytestmark = [pytest.mark.cluster, pytest.mark.full, pytest.mark.alone]

NEEDS_ANOTHER = {"ha"}  # what the 3-node cluster does not have
HERE = [lesson.id for lesson in LESSONS if not NEEDS_ANOTHER & set(lesson.needs)]
Recorder = Callable[[], Snapshot]
SETTLED = 120.0  # seconds for what a lesson has set going to end: a provisioner's helper pods, an object's dependents


def others(own: str) -> Callable[[str], bool]:
    """Whether a namespace is another's: other tests' may still be on their way out, and people have their own."""
    return lambda namespace: namespace.startswith(("test-", "demo-", "kcompanion-")) and not namespace.startswith(own)


@pytest.fixture(scope="module")
def record(cluster: Path, kcompanion: Callable[..., Ran], tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """A recording of what is on the cluster now."""
    path = tmp_path_factory.mktemp("recordings") / "now.kc"

    def recorded() -> Snapshot:
        ran = kcompanion("snapshot", "save", str(path), kubeconfig=cluster, timeout=180)
        assert ran.code == 0, ran.err
        return recording.load(path)

    return recorded


@pytest.fixture(scope="module")
def before(record: Recorder) -> dict[str, Snapshot]:
    """The cluster as it was before the next lesson."""
    return {"now": record()}


@pytest.mark.parametrize("name", HERE)
def test_the_lesson_holds_and_leaves_nothing(
    name: str,
    before: dict[str, Snapshot],
    record: Recorder,
    cluster: Path,
    kcompanion: Callable[..., Ran],
    tmp_path: Path,
) -> None:
    ran = kcompanion(
        "learn", name, "--yes", "-o", "json", kubeconfig=cluster, timeout=900, XDG_STATE_HOME=str(tmp_path)
    )
    document = json.loads(ran.out or "{}")
    wrong = [claim for step in document.get("steps", ()) for claim in step["claims"] if not claim["held"]]
    assert (wrong, document.get("failure"), document.get("left")) == ([], None, []), ran.err
    assert ran.code == 0, ran.err
    assert list(tmp_path.rglob("*.*")) == [], "neither a journal nor another file is left"
    of_others = others(document["namespace"])
    was, now = before["now"], record()
    ends = time.monotonic() + SETTLED
    while (found := list(differences(objects(was, of_others), objects(now, of_others)))) and time.monotonic() < ends:
        time.sleep(1)
        now = record()
    before["now"] = now  # so that the next lesson answers for itself
    assert found == []
