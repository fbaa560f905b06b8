"""Runs the command line in processes that are forked from one with everything imported.

Each is a process of its own, with its own environment, output and exit code, as a shell would start it; what it
spares is reading a few hundred modules again for each of some thousand commands.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import pkgutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Literal, TextIO

import kcompanion

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str


LOST = 255  # what multiprocessing says when, under load, the fork server has lost sight of a process
# What the command line imports only when it needs it, and takes most of its start.
LATE = ("kubernetes.client", "kubernetes.config.kube_config", "kubernetes.stream", "urllib3", "yaml")


def _everything() -> list[str]:
    """The modules that a command may import."""
    found = pkgutil.walk_packages(kcompanion.__path__, "kcompanion.")
    return [*LATE, *(one.name for one in found if not one.name.endswith("__main__"))]


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_everything(), __name__])
    return context


CONTEXT = _context()


def run(words: Sequence[str], environ: Mapping[str, str], timeout: float) -> Ran:
    """`kcompanion WORDS` with that environment and nothing else."""
    with tempfile.TemporaryDirectory(prefix="kcompanion-test-") as folder:
        out, err, end = Path(folder, "out"), Path(folder, "err"), Path(folder, "end")
        process = CONTEXT.Process(target=_child, args=(list(words), dict(environ), str(out), str(err), str(end)))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"kcompanion {' '.join(words)}: not done within {timeout} s")
        code = process.exitcode
        process.close()
        if code == LOST and end.is_file():
            code = int(end.read_text(encoding="utf-8"))
        return Ran(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


def _child(words: list[str], environ: dict[str, str], out: str, err: str, end: str) -> None:
    """Takes on a new process's surroundings, then runs the command and exits with its code."""
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(ROOT)
    tempfile.tempdir = None  # it is found once per process, from the environment
    sys.stdin = _opened(0, os.devnull, "r")
    sys.stdout, sys.stderr = _opened(1, out, "w"), _opened(2, err, "w")
    sys.argv = ["kcompanion", *words]
    try:
        import_module("kcompanion.cli.main").main(words)
    except SystemExit as ended:
        Path(end).write_text(str(ended.code or 0), encoding="utf-8")
        raise
    finally:
        atexit._run_exitfuncs()


def _opened(number: int, path: str, mode: Literal["r", "w"]) -> TextIO:
    """The file, under one of the three numbers that a program finds open."""
    with open(path, mode, encoding="utf-8") as file:
        os.dup2(file.fileno(), number)
    return open(number, mode, encoding="utf-8")
