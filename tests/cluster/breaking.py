"""Lessons that break nodes, run by tests: to their end, or killed in the midst of what they broke."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kcompanion.cluster import recording
from kcompanion.learn.lesson import RUN
from tests.cluster.conftest import ROOT, Ran
from tests.cluster.test_lessons_one_by_one import SETTLED, others
from tests.learn.asbefore import Objects, differences, objects

WHOLE = 1500.0  # seconds: a lesson's own limits are generous, and so is its way back
BROKEN = 600.0  # until it has broken what it is about
SHUNNED = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}


@dataclass(frozen=True)
class Ground:
    """A cluster, and where its lessons keep their journals."""

    cluster: Path
    state: Path
    kcompanion: Callable[..., Ran]
    kubectl: Callable[..., str]

    def learn(self, *words: str) -> Ran:
        return self.kcompanion("learn", *words, kubeconfig=self.cluster, timeout=WHOLE, XDG_STATE_HOME=str(self.state))

    def get(self, *words: str) -> str:
        return self.kubectl("get", *words, kubeconfig=self.cluster)

    def recorded(self) -> Objects:
        """The whole cluster, without what changes by itself (docs/lessons.en.md lists it)."""
        path = self.state / "now.kcr"
        ran = self.kcompanion("snapshot", "save", str(path), kubeconfig=self.cluster, timeout=180)
        assert ran.code == 0, ran.err
        return objects(recording.load(path), others("kcompanion-lesson-"))

    def journals(self) -> list[Path]:
        return list(self.state.rglob("*.journal"))


def whole(ground: Ground) -> Ground:
    """The same, as soon as its nodes and static pods are ready: others may just have mended what they broke."""
    ends = time.monotonic() + BROKEN
    while (found := unready(ground)) and time.monotonic() < ends:
        time.sleep(2)
    assert not found, "\n".join(found)
    return ground


def as_before(ground: Ground, before: Objects) -> None:
    """All is as it was, and alive; what dependents and providers do on their own may take a moment."""
    assert ground.journals() == []
    ends = time.monotonic() + SETTLED
    while (found := [*unready(ground), *differences(before, ground.recorded())]) and time.monotonic() < ends:
        time.sleep(1)
    assert not found, "\n".join(found)


def unready(ground: Ground) -> list[str]:
    """What is not ready, or not taken for ready yet: a node loses the taint of its bad time only some seconds later."""
    nodes = json.loads(ground.get("nodes", "-o", "json"))["items"]
    pods = json.loads(ground.get("pods", "-n", "kube-system", "-l", "tier=control-plane", "-o", "json"))["items"]
    shunned = [node for node in nodes if SHUNNED & {taint["key"] for taint in node["spec"].get("taints", ())}]
    return [one["metadata"]["name"] for one in (*nodes, *pods) if ready(one) != "True" or one in shunned]


def ready(item: dict[str, Any]) -> str:
    return str(next(c["status"] for c in item["status"]["conditions"] if c["type"] == "Ready"))


def runs_whole(ground: Ground, lesson: str) -> None:
    """Every claim holds, and all is as before."""
    before = ground.recorded()
    ran = ground.learn(lesson, "--yes", "-o", "json")
    document = json.loads(ran.out or "{}")
    wrong = [c for step in document.get("steps", ()) for c in step["claims"] if not c["held"]]
    assert (wrong, document.get("failure"), document.get("left")) == ([], None, []), ran.err
    assert ran.code == 0, ran.err
    as_before(ground, before)


def broken(ground: Ground, lesson: str, when: Callable[[list[list[str]]], bool]) -> subprocess.Popen[str]:
    """A lesson in the midst of it: `when` gets the commands that take back what it has broken so far."""
    command = [sys.executable, "-m", "kcompanion", "learn", lesson, "--yes", "-o", "json"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION"))}
    environ |= {"KUBECONFIG": str(ground.cluster), "XDG_STATE_HOME": str(ground.state)}
    process = subprocess.Popen(
        command, env=environ, cwd=ROOT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    ends = time.monotonic() + BROKEN
    while time.monotonic() < ends:
        if when([undo for path in ground.journals() for undo in undos(path)]):
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    raise AssertionError(f"it broke nothing within {BROKEN:.0f} s: {process.communicate(timeout=WHOLE)[1]}")


def undos(journal: Path) -> list[list[str]]:
    lines = journal.read_text(encoding="utf-8").split("\n")[1:-1]
    return [undo["body"] for undo in map(json.loads, lines) if undo["method"] == RUN]


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)


def killed_and_mended(ground: Ground, lesson: str, when: Callable[[list[list[str]]], bool]) -> None:
    """SIGKILL in the midst; another process, which has only the journal, puts all back."""
    before = ground.recorded()
    process = broken(ground, lesson, when)
    process.kill()
    process.communicate(timeout=60)
    assert len(ground.journals()) == 1
    ran = ground.learn("cleanup", "-o", "json")
    document = json.loads(ran.out or "{}")
    assert (ran.code, document.get("left")) == (0, []), ran.err + ran.out
    assert any(lesson in one for one in document["found"])
    as_before(ground, before)
