"""`health --wait` and `-w` against a server whose cluster changes meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT
from tests.explain.build import Json, deployed, node
from tests.servers import Answer, Api, Request, items, write_kubeconfig

PATIENCE = 150  # seconds until a test gives up on a process; none is waited for that long


class Cluster:
    """A server that holds a few objects; `down` makes it hang up on everybody."""

    def __init__(self, api: Api) -> None:
        self.objects: list[Json] = []
        self.down = False
        api.otherwise = self.answer

    def answer(self, request: Request) -> Answer:
        if self.down:
            raise ConnectionAbortedError
        plural = request.path.rstrip("/").rpartition("/")[2]
        return items(*(one for one in self.objects if f"{one['kind'].lower()}s" == plural))


@pytest.fixture
def cluster(api: Api) -> Cluster:
    return Cluster(api)


@contextmanager
def started(api: Api, folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`kcompanion health -n shop WORDS…`, killed when it hangs."""
    config = write_kubeconfig(folder / "config", api.url)
    process = subprocess.Popen(
        [sys.executable, "-m", "kcompanion", "health", "-n", "shop", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KUBECONFIG": str(config), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        yield process
    finally:
        timer.cancel()
        process.kill()
        process.communicate()


def until(stream: Iterator[str] | None, word: str) -> str:
    """The lines up to one that holds a word; all of them where none does."""
    read = ""
    for line in stream or ():
        read += line
        if word in line:
            break
    return read


def test_it_waits_until_nothing_is_wrong_even_while_the_server_is_away(
    api: Api, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.objects = [*node(), *deployed("web", 2)]
    with started(api, tmp_path, "--wait", "--timeout", f"{PATIENCE}s") as process:
        assert "Waiting" in until(process.stderr, "Waiting")
        cluster.down = True
        assert "does not answer" in until(process.stderr, "does not answer")
        cluster.objects, cluster.down = node(), False
        cluster.objects.append({"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}})
        out, _ = process.communicate()
    assert (process.returncode, "Nothing is wrong" in out) == (0, True), out


def test_a_server_that_never_answered_is_not_waited_for(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    cluster.down = True
    with started(api, tmp_path, "--wait", "--timeout", "10m") as process:
        _, err = process.communicate()
    assert (process.returncode, "does not answer" in err) == (3, True), err


def test_when_the_time_is_over_it_says_what_is_left(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    cluster.objects = [*node(), *deployed("web", 2)]
    with started(api, tmp_path, "--wait", "--timeout", "1s") as process:
        out, err = process.communicate()
    assert (process.returncode, "KC5044" in out, "After 1 s" in err) == (1, True, True), err


def test_no_time_at_all_is_one_look(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    cluster.objects = [*node(), *deployed("web", 2)]
    with started(api, tmp_path, "--wait", "--timeout", "0") as process:
        out, err = process.communicate()
    assert (process.returncode, "KC5044" in out, "Waiting" in err) == (1, True, False), err


def test_a_cause_that_spreads_is_a_change_to_whoever_watches(api: Api, cluster: Cluster, tmp_path: Path) -> None:
    cluster.objects = [*node(), *deployed("web", 25)]
    with started(api, tmp_path, "-w", "-o", "yaml") as process:
        first = until(process.stdout, "suppressed")
        cluster.objects = [*node(), *deployed("web", 40)]
        second = until(process.stdout, "suppressed")
    assert "affectedCount" in first
    assert "affectedCount" in second, "it went on in silence"
