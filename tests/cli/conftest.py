"""The command line as users start it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kcompanion.cli.main import run
from tests.pki import Authority
from tests.servers import Api, serving

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"


@dataclass(frozen=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def kcompanion(tmp_path: Path) -> Command:
    """Runs `kcompanion WORDS…` in a process of its own, in an environment without any cluster."""

    def run(*words: str, timeout: float = 60, program: str = "-m kcompanion", **environ: str) -> Ran:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION"))}
        env = {**kept, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environ}
        command = [sys.executable, *program.split(), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, env=env, cwd=tmp_path
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def api() -> Iterator[Api]:
    """A server without TLS."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of the tests' servers."""
    return Authority(tmp_path_factory.mktemp("pki"))


def complained(ran: Ran, code: int, *words: str) -> None:
    """Asserts one `error:` line and a hint, the exit code, and no traceback."""
    assert (ran.code, ran.out) == (code, ""), ran
    lines = ran.err.splitlines()
    assert len(lines) == 2, ran.err
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("  → ")
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs `kcompanion WORDS…` in this process: for what asks no server."""
    for name in [name for name in os.environ if name.startswith(("KUBE", "KCOMPANION"))]:
        monkeypatch.delenv(name)
    for name, value in {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)

    def run_here(*words: str, **environ: str) -> Ran:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        code = run(words)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run_here
