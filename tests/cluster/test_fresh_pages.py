"""`report -w` and `serve` on the real cluster: pages that stay fresh, are never seen half, and end with Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.request import urlopen

import pytest

from tests.cluster.conftest import ROOT, Ran

pytestmark = pytest.mark.cluster
PATIENCE = 180  # seconds; both read anew every 30 s


def whole(text: str) -> str:
    """The page, which has its beginning and its end."""
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    return text


def until(text: Callable[[], str], holds: Callable[[str], bool], every: float) -> str:
    """The first text that holds, asked for again and again."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds(told := text()):
            return told
        time.sleep(every)
    pytest.fail(f"nothing fresh within {PATIENCE} s")


@contextmanager
def started(cluster: Path, err: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """kcompanion at work, what it says in a file; killed if the test has not ended it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION"))}
    env = {**clean, "KUBECONFIG": str(cluster), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "kcompanion", *words]
    with err.open("w") as told, subprocess.Popen(command, stderr=told, text=True, env=env, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


@dataclass(frozen=True)
class Wall:
    """Two walls: the file and the address, what they showed first, and the Service that was made after that."""

    file: Path
    then: str
    held: TextIO  # the file as somebody had opened it then
    watching: subprocess.Popen[str]
    url: str
    serving: subprocess.Popen[str]
    service: str
    before: Path  # a report as JSON from before that Service

    def shown(self) -> str:
        return whole(self.file.read_text(encoding="utf-8"))

    def served(self) -> str:
        with urlopen(self.url, timeout=PATIENCE) as answer:
            return whole(answer.read().decode())


@pytest.fixture(scope="module")
def wall(
    cluster: Path,
    kubectl: Callable[..., str],
    kcompanion: Callable[..., Ran],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Wall]:
    """Both started at the same time, since each change takes them half a minute to see."""
    folder = tmp_path_factory.mktemp("wall")
    file, told = folder / "shown" / "wall.html", folder / "told"
    file.parent.mkdir()
    name = f"fresh-{secrets.token_hex(4)}"
    with (
        started(cluster, folder / "written", "report", "-w", "-O", str(file)) as watching,
        started(cluster, told, "serve", "--listen", "127.0.0.1:0") as serving,
    ):
        until(lambda: str(file.exists()), lambda there: there == "True", 0.2)
        line = until(told.read_text, lambda text: "Ctrl-C" in text, 0.2)
        url = str(re.findall(r"http://127\.0\.0\.1:\d+/", line)[0])
        kubectl("create", "namespace", name)
        try:
            before = folder / "before.json"
            assert kcompanion("report", "-O", str(before), kubeconfig=cluster).code == 0
            with file.open(encoding="utf-8") as held:
                then = whole(held.read())
                held.seek(0)
                kubectl("create", "service", "externalname", name, "--external-name=example.org", "-n", name)
                yield Wall(file, then, held, watching, url, serving, name, before)
        finally:
            kubectl("delete", "namespace", name, "--wait=false")


def test_diff_tells_what_came_since_a_report(wall: Wall, cluster: Path, kcompanion: Callable[..., Ran]) -> None:
    ran = kcompanion("diff", str(wall.before), "--fail-on-change", "-o", "json", kubeconfig=cluster)
    assert ran.code == 1, ran.err
    changes = [one for one in json.loads(ran.out)["changes"] if wall.service in one["subject"]]
    assert ("services", "added") in {(one["area"], one["change"]) for one in changes}, changes


def test_the_file_changes_whole_and_stays_when_it_is_ended(wall: Wall) -> None:
    assert wall.service not in wall.then
    until(wall.shown, lambda text: wall.service in text, 0.02)
    assert wall.held.read() == wall.then, "who had it open reads the old one to its end"
    wall.watching.send_signal(signal.SIGINT)
    assert wall.watching.wait(PATIENCE) == 130
    assert wall.service in wall.shown()
    assert [one.name for one in wall.file.parent.iterdir()] == [wall.file.name], "no half of a new one beside it"
    assert 'http-equiv="refresh" content="30"' in wall.shown(), "a browser that shows the file reads it again"


def test_what_is_served_is_fresh_too_on_the_loopback_alone(wall: Wall, kubectl: Callable[..., str]) -> None:
    page = until(wall.served, lambda text: wall.service in text, 2)
    assert 'http-equiv="refresh" content="30"' in page
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((node, 9))  # sends nothing: it only asks which of our addresses would be used
        ours = str(way.getsockname()[0])
    assert not ours.startswith("127.")
    port = int(wall.url.rpartition(":")[2].strip("/"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ours, port), timeout=10)
    wall.serving.send_signal(signal.SIGINT)
    assert wall.serving.wait(PATIENCE) == 130
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
