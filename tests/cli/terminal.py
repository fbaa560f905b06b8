"""A terminal in which the command line runs, and whoever sits at it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cli.conftest import ROOT

PATIENCE = 120.0


class Terminal:
    """A `kcompanion` that believes itself at a terminal of 80 columns."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.shown = ""
        self._master = master
        self._told = 0  # how much of it was waited for already

    def until(self, words: str) -> str:
        """What is shown up to and with these words, after what was waited for before."""
        begin, end = self._told, time.monotonic() + PATIENCE
        while (found := self.shown.find(words, begin)) < 0:
            assert self._more(end), self.shown
        self._told = found + len(words)
        return self.shown[begin : self._told]

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def press(self, key: str) -> None:
        """A single key for what waits for one: what is typed before it does is thrown away."""
        ends = time.monotonic() + PATIENCE
        while termios.tcgetattr(self._master)[3] & termios.ICANON:
            assert time.monotonic() < ends, self.shown
            time.sleep(0.02)
        self.type(key)

    def rest(self) -> str:
        """What comes until it ends."""
        ends = time.monotonic() + PATIENCE
        while self._more(ends):
            pass
        return self.shown

    def interrupt(self) -> None:
        """Ctrl-C, as often as it takes: `input()` does not hear one between its prompt and the system's read()."""
        ends = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < ends, self.shown
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)

    def _more(self, ends: float) -> bool:
        """Takes what has come; False when the other side has closed."""
        assert time.monotonic() < ends, self.shown
        if not select.select([self._master], [], [], 1)[0]:
            return True
        try:
            data = os.read(self._master, 4096)
        except OSError:  # Linux says so when the other side has closed
            return False
        self.shown += data.decode(errors="replace").replace("\r", "")
        return bool(data)


@contextmanager
def terminal(home: Path, *words: str, **environ: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION"))}
    env = {
        **kept,
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TERM": "dumb",
        **environ,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "kcompanion", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=env,
        cwd=home,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(master)
