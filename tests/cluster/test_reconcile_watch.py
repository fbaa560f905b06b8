"""`reconcile watch` on the real cluster: one ReplicaSet of ours and one of the built-in controller, both disturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lab.controllers import Controller, ours
from tests.cluster.conftest import ROOT, Ran
from tests.cluster.test_crd import spec

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]
Kubectl = Callable[..., str]
AGNHOST = {"name": "web", "image": "registry.k8s.io/e2e-test-images/agnhost:2.63.0", "args": ["pause"]}
PATIENCE = 90.0  # seconds for each thing that has to happen


class Story:
    """What a watch prints, as it comes."""

    def __init__(self, process: subprocess.Popen[str], out: Path) -> None:
        self.process = process
        self._out = out

    @property
    def text(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines() if line.startswith("{") and line.endswith("}")]

    def until(self, told: Callable[[Story], object]) -> None:
        ends = time.monotonic() + PATIENCE
        while not told(self):
            assert self.process.poll() is None, self.text
            assert time.monotonic() < ends, self.text
            time.sleep(0.1)

    def tells(self, text: str) -> None:
        self.until(lambda story: text in story.text)


@contextmanager
def watching(cluster: Path, out: Path, *words: str) -> Iterator[Story]:
    command = [sys.executable, "-m", "kcompanion", "reconcile", "watch", *words]
    env = {**os.environ, "KUBECONFIG": str(cluster), "COLUMNS": "200", "LC_ALL": "C.UTF-8"}
    with out.open("w") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, text=True, env=env, cwd=ROOT)
        try:
            story = Story(process, out)
            story.until(lambda one: "wanted" in one.text or "balance" in one.text)
            yield story
        finally:
            process.kill()
            process.wait()


def made(kubectl: Kubectl, namespace: str, item: dict[str, Any]) -> None:
    pod = item["spec"]["template"]["spec"]
    pod["containers"], pod["terminationGracePeriodSeconds"] = [AGNHOST], 0
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(item))


def pods(kubectl: Kubectl, namespace: str) -> list[str]:
    return kubectl("get", "pods", "-n", namespace, "-l", "app=web", "-o", "name").split()


@pytest.fixture
def operator(cluster: Path, namespace: str, tmp_path: Path) -> Iterator[Controller]:
    flags = ("-n", namespace, "--leader-elect=false")
    with ours(cluster, tmp_path / "operator.log", "companionreplicasets.kcompanion.dev", *flags) as running:
        yield running


def test_ours_with_its_decisions(
    cluster: Path, kubectl: Kubectl, namespace: str, operator: Controller, tmp_path: Path
) -> None:
    made(kubectl, namespace, spec(replicas=2))
    kubectl("wait", "crs/web", "-n", namespace, "--for=jsonpath={.status.replicas}=2", "--timeout=60s")
    address = operator.ready.removesuffix("/readyz")
    words = ("web", "-n", namespace, "--decisions", address)
    with watching(cluster, tmp_path / "out", *words) as story:
        victim = pods(kubectl, namespace)[0]
        kubectl("label", "-n", namespace, victim, "app=taken", "--overwrite")
        story.tells("labels changed: app=web → app=taken")
        story.tells("CompanionReplicaSet web does not own it any more")
        story.tells("1 too few, so create 1")
        story.tells(f"released (the selector does not match any more): {victim.removeprefix('pod/')}")
        kubectl("scale", "crs/web", "-n", namespace, "--replicas=1")
        story.tells("1 too many, so delete 1")
        story.tells("goes first")
        kubectl("delete", "crs/web", "-n", namespace)
        assert story.process.wait(PATIENCE) == 0, story.text
    assert "Traceback" not in story.text


def test_each_line_of_json_fits_the_schema(
    cluster: Path,
    kubectl: Kubectl,
    kcompanion: Callable[..., Ran],
    namespace: str,
    operator: Controller,
    tmp_path: Path,
) -> None:
    made(kubectl, namespace, spec(replicas=1))
    kubectl("wait", "crs/web", "-n", namespace, "--for=jsonpath={.status.replicas}=1", "--timeout=60s")
    words = ("web", "-n", namespace, "-o", "json", "--decisions", operator.ready.removesuffix("/readyz"))
    with watching(cluster, tmp_path / "out", *words) as story:
        kubectl("delete", "-n", namespace, "--wait=false", *pods(kubectl, namespace))
        kubectl("scale", "crs/web", "-n", namespace, "--replicas=3")
        story.until(lambda one: sum("decision" in entry for entry in one.entries) > 1)
        story.until(lambda one: {"scaled", "created", "balance"} <= {entry.get("id") for entry in one.entries})
    valid = Draft202012Validator(json.loads(kcompanion("schema", "ReconcileWatch").out))
    for entry in story.entries:
        valid.validate(entry)
    assert list(valid.iter_errors({"ms": 1}))


def test_a_built_in_one_from_outside(cluster: Path, kubectl: Kubectl, namespace: str, tmp_path: Path) -> None:
    made(kubectl, namespace, {**spec(replicas=1), "apiVersion": "apps/v1", "kind": "ReplicaSet"})
    kubectl("wait", "rs/web", "-n", namespace, "--for=jsonpath={.status.replicas}=1", "--timeout=60s")
    with watching(cluster, tmp_path / "out", "rs/web", "-n", namespace, "-o", "json") as story:
        assert "only what the API shows" in story.text
        kubectl("scale", "rs/web", "-n", namespace, "--replicas=2")
        story.until(lambda one: {"scaled", "created", "status", "balance"} <= {entry["id"] for entry in one.entries})
        scaled = next(entry for entry in story.entries if entry["id"] == "scaled")
        assert scaled["actor"] == "kubectl"
        created = next(entry for entry in story.entries if entry["id"] == "created")
        assert created["actor"] == "replicaset-controller"
        story.process.send_signal(signal.SIGINT)
        assert story.process.wait(30) == 130


def test_it_ends_by_itself(cluster: Path, kubectl: Kubectl, namespace: str, kcompanion: Callable[..., Ran]) -> None:
    made(kubectl, namespace, {**spec(replicas=0), "apiVersion": "apps/v1", "kind": "ReplicaSet"})
    ran = kcompanion(
        "reconcile", "watch", "web", "-n", namespace, "--timeout", "1s", "--lang", "ko", kubeconfig=cluster
    )
    assert ran.code == 0, ran
    assert "원하는 수 0, 있는 수 0, 준비됨 0" in ran.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["nothing"], 4, "there is no ReplicaSet 'nothing'"),
        (["deploy/web"], 2, "is no kind of ReplicaSet"),
        (["web", "-o", "yaml"], 2, "-o json"),
        (["web", "--from", "demo:three-nodes"], 2, "live cluster"),
        (["web", "--decisions", "ftp://x"], 2, "is no address"),
        (["web", "-s", "https://127.0.0.1:1"], 3, "does not answer"),
    ],
)
def test_what_it_cannot_watch(
    cluster: Path, kcompanion: Callable[..., Ran], words: list[str], code: int, told: str
) -> None:
    ran = kcompanion("reconcile", "watch", *words, kubeconfig=cluster)
    assert (ran.code, told in ran.err) == (code, True), ran
