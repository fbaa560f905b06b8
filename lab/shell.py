"""Running programs and talking to the person who waits for them.

Talk goes to stderr: stdout of the lab is one line, the `export KUBECONFIG=…` a caller can eval.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class LabError(Exception):
    """A step that cannot be done here: what is missing and what to do about it."""

    def __init__(self, missing: str, do: str) -> None:
        super().__init__(missing)
        self.missing = missing
        self.do = do


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str, minutes: float = 0.0) -> Iterator[None]:
    """Announces a step with its usual duration, and afterwards what it took."""
    usual = f" (usually about {_span(minutes * 60)})" if minutes else ""
    say(f"lab: {title}{usual} …")
    started = time.monotonic()
    yield
    say(f"lab: {title}: done in {_span(time.monotonic() - started)}")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    stdin: bytes | None = None,
) -> str:
    """Runs a program and returns its stdout; a failure becomes a LabError with the end of its stderr."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, env=env, timeout=timeout, input=stdin, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise LabError(f"the program {words[0]}", f"install {words[0]} and run the same command again") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"an answer of `{_short(words)}` within {timeout:.0f} s", "run it again") from error
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-15:]
        raise LabError(
            f"success of `{_short(words)}` (it ended with {done.returncode})", "read:\n  " + "\n  ".join(tail)
        )
    return done.stdout.decode(errors="replace")


def succeeds(command: Sequence[str | Path], *, timeout: float = 20) -> bool:
    """Whether a program runs and ends with 0."""
    try:
        return subprocess.run(command, capture_output=True, timeout=timeout, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _short(words: Sequence[str]) -> str:
    text = " ".join(words)
    return text if len(text) <= 120 else text[:117] + "…"
