"""Lessons that pause between their steps, killed after one of them; and `learn cleanup`, which finds all they left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kcompanion.text import catalog
from tests.cli.terminal import terminal
from tests.cluster.conftest import Ran

GOES = 180.0  # seconds until what is removed is gone: a provisioner removes a volume after its claim
_PRESS = catalog.area("en", "learn")["press"]


@dataclass(frozen=True)
class Killed:
    """A run that was killed: where it ran, and where its journal is."""

    cluster: Path
    state: Path
    run: str
    namespace: str
    kcompanion: Callable[..., Ran]

    def cleaned(self, *words: str) -> str:
        """What `learn cleanup` says that it removed."""
        ran = self.kcompanion(
            "learn",
            "cleanup",
            *words,
            "-o",
            "json",
            kubeconfig=self.cluster,
            timeout=600,
            XDG_STATE_HOME=str(self.state),
        )
        document = json.loads(ran.out or "{}")
        assert (ran.code, document.get("left")) == (0, []), ran.err + ran.out
        left = [path for path in (self.state / "kcompanion").rglob("*") if path.is_file()]
        assert left == [], "a journal or another file is left"
        return " ".join(document["found"])


def killed_after(steps: int, lesson: str, cluster: Path, state: Path, kcompanion: Callable[..., Ran]) -> Killed:
    """Kills a lesson when so many of its steps are done."""
    words = ("learn", lesson, "--yes", "--pause", "--lang", "en")
    with terminal(state, *words, KUBECONFIG=str(cluster), XDG_STATE_HOME=str(state)) as screen:
        for _ in range(steps):
            screen.until(_PRESS)
            screen.press("\r")
        screen.until(_PRESS)
        [journal] = state.rglob("*.journal")
        head = json.loads(journal.read_text(encoding="utf-8").splitlines()[0])
    return Killed(cluster, state, head["run"], head["namespace"], kcompanion)


def until_gone(look: Callable[[], str]) -> None:
    """Waits until nothing is seen any more."""
    ends = time.monotonic() + GOES
    while (found := look()) and time.monotonic() < ends:
        time.sleep(1)
    assert found == ""
