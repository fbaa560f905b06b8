"""Whether containers are the nodes of a cluster, and what may be done to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kcompanion.cluster.machines import Machines, machines_of, why_not
from kcompanion.errors import CompanionError, UsageError

NODES = ("lab-control-plane", "lab-worker")
LISTED = (
    "lab-control-plane\tlab\t127.0.0.1:39781->6443/tcp\n"
    "lab-worker\tlab\t\n"
    "other-control-plane\tother\t127.0.0.1:40000->6443/tcp\n"
)


def test_kinds_own_containers_are_the_nodes() -> None:
    assert why_not("https://127.0.0.1:39781", NODES, LISTED) == ""
    assert why_not("https://localhost:39781", NODES[:1], LISTED) == ""


@pytest.mark.parametrize(
    ("server", "nodes", "listed", "told"),
    [
        ("https://127.0.0.1:39781", ("gke-1", "gke-2"), LISTED, "no kind containers"),
        ("https://127.0.0.1:39781", (*NODES, "lab-worker2"), LISTED, "no kind containers"),
        ("https://127.0.0.1:39781", ("lab-control-plane", "other-control-plane"), LISTED, "no kind containers"),
        ("https://127.0.0.1:39781", (), LISTED, "no kind containers"),
        ("https://127.0.0.1:39781", NODES, "", "no kind containers"),
        ("https://127.0.0.1:40000", NODES, LISTED, "not an address"),
        ("https://10.1.2.3:39781", NODES, LISTED, "not an address"),
        ("https://example.com", NODES, LISTED, "not an address"),
    ],
)
def test_any_doubt_is_told(server: str, nodes: tuple[str, ...], listed: str, told: str) -> None:
    assert told in why_not(server, nodes, listed)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called docker that writes down how it was called and answers as kind's docker would."""
    calls = tmp_path / "calls"
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\n'
        f'case "$1" in ps) printf "{LISTED.replace(chr(10), chr(92) + "n").replace(chr(9), chr(92) + "t")}";; '
        f'exec) sleep 1; echo "done $2" >> {calls};; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return calls


def test_only_nodes_are_touched_and_only_so(docker: Path) -> None:
    machines = Machines(NODES)
    for words in (["kill", "database"], ["rm", NODES[1]], ["exec", "-u", "0", NODES[1]], ["kill"], []):
        with pytest.raises(CompanionError, match="not run"):
            machines.run(words)
    assert not docker.exists()
    assert machines.run(["kill", NODES[1]]).code == 0
    assert docker.read_text() == f"kill {NODES[1]}\n"


def test_a_cluster_elsewhere_is_refused_unless_told(docker: Path) -> None:
    with pytest.raises(UsageError, match="not an address"):
        machines_of("https://127.0.0.1:1", NODES, trust=False)
    machines_of("https://127.0.0.1:39781", NODES, trust=False).run(["start", NODES[0]])
    machines_of("https://127.0.0.1:1", ("elsewhere",), trust=True).run(["start", "elsewhere"])
    assert docker.read_text().splitlines()[2:] == [f"start {NODES[0]}", "start elsewhere"]


def test_without_docker_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompanionError, match="docker cannot be run"):
        Machines(NODES).run(["start", NODES[0]])


def test_a_signal_waits_for_the_command_to_end(docker: Path) -> None:
    """Half a command could not be taken back: what was begun ends before the way back begins."""
    code = f"from kcompanion.cluster.machines import Machines; Machines({NODES!r}).run(['exec', {NODES[0]!r}])"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    ends = time.monotonic() + 60
    while not docker.exists() and time.monotonic() < ends:
        time.sleep(0.001)  # at once: the signal may come before Popen has returned
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert docker.read_text().splitlines()[-1] == f"done {NODES[0]}"
