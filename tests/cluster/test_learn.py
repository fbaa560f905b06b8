"""Lessons on the real cluster: every claim holds, and afterwards, however they end, nothing is left.

CI runs a representative few; the others are for `make lessons`. They run side by side, in namespaces of their own;
those that touch more than a namespace run one after the other.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kcompanion.learn.lessons import BY_ID
from kcompanion.learn.mark import LESSON
from tests.cluster.conftest import ROOT, Ran

pytestmark = pytest.mark.cluster

REPRESENTATIVE = ("request-pipeline", "conflict", "desired-state", "labels")
AT_ONCE = 4
STARTS, ENDS = 180, 600  # seconds; the second is a lesson's own waiting and that for its namespace to be gone
Kubectl = Callable[..., str]


def parameters() -> list[Any]:
    return [pytest.param(name, marks=() if name in REPRESENTATIVE else pytest.mark.full) for name in BY_ID]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where these tests' journals are."""
    return tmp_path_factory.mktemp("state")


@dataclass(frozen=True)
class Lab:
    """The cluster and the programs that these tests drive on it, for threads."""

    cluster: Path
    kcompanion: Callable[..., Ran]
    kubectl: Kubectl

    def learn(self, *words: str, state: Path) -> Ran:
        return self.kcompanion("learn", *words, kubeconfig=self.cluster, timeout=ENDS, XDG_STATE_HOME=str(state))


@pytest.fixture(scope="module")
def lab(cluster: Path, kcompanion: Callable[..., Ran], kubectl: Kubectl) -> Lab:
    return Lab(cluster, kcompanion, kubectl)


@pytest.fixture(scope="module")
def ends(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Any]]]:
    """The ways a lesson can end, all at once and beside the lessons that run to their end."""
    ways = {"interrupted": interrupted, "killed": killed, "elsewhere": elsewhere}
    with ThreadPoolExecutor(len(ways)) as workers:
        yield {name: workers.submit(way, lab, tmp_path_factory.mktemp(name)) for name, way in ways.items()}


@pytest.fixture(scope="module")
def runs(lab: Lab, state: Path, request: pytest.FixtureRequest, ends: dict[str, Future[Any]]) -> dict[str, Ran]:
    """Each lesson that is asked for, run once."""
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    names = [name for name in BY_ID if name in asked]

    def ran(name: str) -> Ran:
        return lab.learn(name, "--yes", "-o", "json", state=state)

    before = settings(lab.kubectl)
    shared = [name for name in names if set(BY_ID[name].touches) <= {"namespace", "second_namespace"}]
    with ThreadPoolExecutor(AT_ONCE) as workers:
        found = dict(zip(shared, workers.map(ran, shared), strict=True))
    for name in [name for name in names if name not in shared]:
        found[name] = ran(name)
    wait(ends.values())
    assert settings(lab.kubectl) == before, "the cluster is as before"
    return found


def settings(kubectl: Kubectl) -> dict[str, Any]:
    """What lessons could have changed outside their namespaces, without the fields that docs/lessons.en.md lists."""
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    return {
        "nodes": {n["metadata"]["name"]: [n["spec"], n["metadata"]["labels"]] for n in nodes},
        "marked": kubectl("get", "namespaces,nodes,priorityclasses,persistentvolumes", "-l", LESSON, "-o", "name"),
    }


@pytest.mark.parametrize("name", parameters())
def test_every_claim_holds(runs: dict[str, Ran], name: str) -> None:
    ran = runs[name]
    document = json.loads(ran.out or "{}")
    wrong = [c for step in document.get("steps", ()) for c in step["claims"] if not c["held"]]
    assert (wrong, document.get("failure"), document.get("left")) == ([], None, []), ran.err
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("name", parameters())
def test_nothing_is_left(runs: dict[str, Ran], name: str, kubectl: Kubectl, state: Path) -> None:
    document = json.loads(runs[name].out)
    assert kubectl("get", "namespace", document["namespace"], "--ignore-not-found", "-o", "name") == ""
    assert not (state / "kcompanion" / "lessons" / f"{document['run']}.journal").exists()


def started(cluster: Path, state: Path, lesson: str) -> tuple[subprocess.Popen[str], str]:
    """A lesson in the midst of its run, and its namespace."""
    command = [sys.executable, "-m", "kcompanion", "learn", lesson, "--yes", "-o", "json"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION"))}
    environ |= {"KUBECONFIG": str(cluster), "XDG_STATE_HOME": str(state)}
    process = subprocess.Popen(
        command, env=environ, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    folder = state / "kcompanion" / "lessons"
    ends = time.monotonic() + STARTS
    while time.monotonic() < ends:
        for path in folder.glob("*.journal"):
            lines = path.read_text(encoding="utf-8").splitlines()
            if lines:
                return process, json.loads(lines[0])["namespace"]
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the lesson did not start")


def until_there(kubectl: Kubectl, namespace: str) -> None:
    """Waits until the lesson has made its namespace and pods in it."""
    ends = time.monotonic() + STARTS
    while time.monotonic() < ends:
        if kubectl("get", "pods", "-n", namespace, "-o", "name"):
            return
        time.sleep(0.1)
    raise AssertionError("the lesson made nothing")


def interrupted(lab: Lab, folder: Path) -> None:
    process, namespace = started(lab.cluster, folder, "desired-state")
    until_there(lab.kubectl, namespace)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=ENDS)
    assert process.returncode == 130, told
    assert lab.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name") == ""
    assert list(folder.rglob("*.journal")) == []


def killed(lab: Lab, folder: Path) -> None:
    process, namespace = started(lab.cluster, folder, "jobs")  # it lasts at least as long as its back-off
    until_there(lab.kubectl, namespace)
    during = lab.learn("cleanup", "-o", "json", "--dry-run", state=folder)
    assert namespace in json.loads(during.out)["running"][0], "a lesson that runs is left alone"
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate(timeout=STARTS)
    assert lab.kubectl("get", "namespace", namespace, "-o", "name")
    ran = lab.learn("cleanup", "-o", "json", state=folder)
    document = json.loads(ran.out)
    assert ran.code == 0, ran.err
    assert [one for one in document["found"] if namespace in one] != []
    assert document["left"] == []
    assert lab.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name") == ""
    assert list(folder.rglob("*.journal")) == []


def elsewhere(lab: Lab, folder: Path) -> None:
    space = f"test-{secrets.token_hex(4)}"
    lab.kubectl("create", "namespace", space)
    try:
        lab.kubectl("create", "configmap", "mine", "-n", space)
        ran = lab.learn("labels", "--yes", "-n", space, state=folder)
        assert ran.code == 0, ran.err + ran.out
        left = lab.kubectl("get", "pods,replicasets,configmaps", "-n", space, "-o", "name").split()
        assert sorted(left) == ["configmap/kube-root-ca.crt", "configmap/mine"]
    finally:
        lab.kubectl("delete", "namespace", space, "--wait=false")


def test_an_interrupted_lesson_cleans_up(ends: dict[str, Future[Any]]) -> None:
    ends["interrupted"].result()


def test_what_a_killed_lesson_left_is_found_and_removed(ends: dict[str, Future[Any]]) -> None:
    ends["killed"].result()


def test_with_a_namespace_that_is_there_only_the_lessons_own_goes(ends: dict[str, Future[Any]]) -> None:
    ends["elsewhere"].result()
