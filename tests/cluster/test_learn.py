"""Lessons on the real cluster: every claim holds, and afterwards, however they end, nothing is left.

A representative few, side by side in namespaces of their own; test_lessons_one_by_one.py runs every lesson.
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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster import recording
from kcompanion.learn.mark import LESSON
from kcompanion.model.fields import labels_of
from kcompanion.model.snapshot import Snapshot
from tests.cluster.conftest import ROOT, Ran
from tests.cluster.killing import killed_after, until_gone
from tests.learn.asbefore import objects
from tests.operators.faultproxy import faulty

pytestmark = pytest.mark.cluster

REPRESENTATIVE = ("request-pipeline", "defaults", "conflict", "desired-state", "labels", "etcd-keys", "contexts")
UNREACHABLE = 3
STARTS, ENDS = 180, 600  # seconds; the second is a lesson's own waiting and that for its namespace to be gone
Kubectl = Callable[..., str]


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
    ways = {
        "interrupted": ended_by(signal.SIGINT, 130),
        "asked to end": ended_by(signal.SIGTERM, 143),
        "terminal closed": ended_by(signal.SIGHUP, 129),
        "killed": killed,
        "killed between two namespaces": killed_between,
        "unanswered": unanswered,
        "elsewhere": elsewhere,
    }
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup lessons would inherit that it is ignored
    try:
        with ThreadPoolExecutor(len(ways)) as workers:
            yield {name: workers.submit(way, lab, tmp_path_factory.mktemp(name)) for name, way in ways.items()}
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def runs(lab: Lab, state: Path, ends: dict[str, Future[Any]]) -> dict[str, Ran]:
    """The lessons, each run once."""
    with ThreadPoolExecutor(len(REPRESENTATIVE)) as workers:
        ran = workers.map(lambda name: lab.learn(name, "--yes", "-o", "json", state=state), REPRESENTATIVE)
        found = dict(zip(REPRESENTATIVE, ran, strict=True))
    wait(ends.values())
    return found


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_every_claim_holds(runs: dict[str, Ran], name: str) -> None:
    ran = runs[name]
    document = json.loads(ran.out or "{}")
    wrong = [c for step in document.get("steps", ()) for c in step["claims"] if not c["held"]]
    assert (wrong, document.get("failure"), document.get("left")) == ([], None, []), ran.err
    assert ran.code == 0, ran.err


@pytest.fixture(scope="module")
def afterwards(runs: dict[str, Ran], cluster: Path, kcompanion: Callable[..., Ran], state: Path) -> Snapshot:
    """A recording of the whole cluster after all of them."""
    path = state / "afterwards.kc"
    ran = kcompanion("snapshot", "save", str(path), kubeconfig=cluster, timeout=180)
    assert ran.code == 0, ran.err
    return recording.load(path)


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_nothing_is_left(runs: dict[str, Ran], name: str, afterwards: Snapshot, state: Path) -> None:
    """No object of any kind that the cluster serves is in the lesson's namespace or carries its label."""
    document = json.loads(runs[name].out)
    left = [
        found
        for found, item in objects(afterwards, lambda _: False).items()
        if document["namespace"] in found or labels_of(item).get(LESSON) == document["run"]
    ]
    assert left == []
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


def ended_by(number: signal.Signals, code: int) -> Callable[[Lab, Path], None]:
    """A signal in the midst of a lesson ends it with that code, and with everything removed."""

    def way(lab: Lab, folder: Path) -> None:
        process, namespace = started(lab.cluster, folder, "desired-state")
        until_there(lab.kubectl, namespace)
        process.send_signal(number)
        _, told = process.communicate(timeout=ENDS)
        assert process.returncode == code, told
        assert lab.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name") == ""
        assert list(folder.rglob("*.journal")) == []

    return way


def unanswered(lab: Lab, folder: Path) -> None:
    """The API server goes away in the midst of a lesson: the journal stays, and with it `learn cleanup` finds all."""
    with faulty(lab.cluster, folder) as (proxy, way):
        process, namespace = started(way, folder, "jobs")  # it lasts at least as long as its back-off
        until_there(lab.kubectl, namespace)
        proxy.refusing = True
        _, told = process.communicate(timeout=ENDS)
        assert process.returncode == UNREACHABLE, told
        assert "kcompanion learn cleanup" in told
        assert len(list(folder.rglob("*.journal"))) == 1
        assert lab.kubectl("get", "namespace", namespace, "-o", "name")
        proxy.refusing = False
        ran = lab.kcompanion("learn", "cleanup", kubeconfig=way, timeout=ENDS, XDG_STATE_HOME=str(folder))
        assert ran.code == 0, ran.err + ran.out
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


def killed_between(lab: Lab, folder: Path) -> None:
    left_by_two_namespaces(lab, folder, "namespaces", 1)


def left_by_two_namespaces(lab: Lab, folder: Path, lesson: str, steps: int) -> None:
    """The second namespace of a killed lesson goes too, and so does the kubeconfig that it may have written."""
    killed = killed_after(steps, lesson, lab.cluster, folder, lab.kcompanion)
    both = [f"namespace/{killed.namespace}", f"namespace/{killed.namespace}-b"]
    assert lab.kubectl("get", *both, "-o", "name").split() == both
    assert killed.namespace in killed.cleaned()
    assert lab.kubectl("get", *both, "--ignore-not-found", "-o", "name") == ""


def lost(lab: Lab, space: str, folder: Path) -> None:
    """What a run has left whose journal is not here is found by its label, as soon as no lesson takes that long."""
    lab.kubectl("create", "configmap", "left", "-n", space)
    lab.kubectl("label", "configmap", "left", f"{LESSON}=abc", "-n", space)
    ran = lab.learn("cleanup", "-n", space, state=folder)
    assert "No lesson has left anything behind" in ran.out, "it may still be running elsewhere"
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ran = lab.learn("cleanup", "-n", space, "--now", later, state=folder)
    assert ran.code == 0, ran.err
    assert f"/api/v1/namespaces/{space}/configmaps/left" in ran.out
    left = lab.kubectl("get", "configmaps", "-n", space, "-o", "name").split()
    assert sorted(left) == ["configmap/kube-root-ca.crt", "configmap/mine"]


def elsewhere(lab: Lab, folder: Path) -> None:
    space = f"test-{secrets.token_hex(4)}"
    lab.kubectl("create", "namespace", space)
    try:
        lab.kubectl("create", "configmap", "mine", "-n", space)
        ran = lab.learn("labels", "--yes", "-n", space, state=folder)
        assert ran.code == 0, ran.err + ran.out
        left = lab.kubectl("get", "pods,replicasets,configmaps", "-n", space, "-o", "name").split()
        assert sorted(left) == ["configmap/kube-root-ca.crt", "configmap/mine"]
        lost(lab, space, folder)
    finally:
        lab.kubectl("delete", "namespace", space, "--wait=false")


@pytest.mark.parametrize("way", ["interrupted", "asked to end", "terminal closed"])
def test_a_lesson_that_is_ended_cleans_up(ends: dict[str, Future[Any]], way: str) -> None:
    ends[way].result()


def test_what_stays_when_the_api_server_goes_away_is_removed_later(ends: dict[str, Future[Any]]) -> None:
    ends["unanswered"].result()


def test_what_a_killed_lesson_left_is_found_and_removed(ends: dict[str, Future[Any]]) -> None:
    ends["killed"].result()


def test_with_a_namespace_that_is_there_only_the_lessons_own_goes(ends: dict[str, Future[Any]]) -> None:
    ends["elsewhere"].result()


def test_a_second_namespace_of_a_killed_lesson_is_removed_too(ends: dict[str, Future[Any]]) -> None:
    ends["killed between two namespaces"].result()


@pytest.mark.full
def test_a_kubeconfig_of_a_killed_lesson_is_removed_too(lab: Lab, tmp_path: Path) -> None:
    left_by_two_namespaces(lab, tmp_path, "contexts", 2)


@pytest.mark.full
def test_a_volume_of_a_killed_lesson_is_removed_too(lab: Lab, tmp_path: Path) -> None:
    killed = killed_after(2, "volumes", lab.cluster, tmp_path, lab.kcompanion)
    claims = "jsonpath={.items[*].spec.volumeName}"
    volume = lab.kubectl("get", "persistentvolumeclaims", "-n", killed.namespace, "-o", claims)
    assert lab.kubectl("get", "persistentvolume", volume, "-o", "name")
    assert killed.namespace in killed.cleaned()
    until_gone(lambda: lab.kubectl("get", "persistentvolume", volume, "--ignore-not-found", "-o", "name"))
    assert lab.kubectl("get", "namespace", killed.namespace, "--ignore-not-found", "-o", "name") == ""
