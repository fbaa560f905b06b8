"""Programs that outlive who started them: found, and ended, by the lock that they hold.

Whoever starts one gives it, and the process that watches it, an open file with a lock on it, and a group of its own.
The system drops the lock with the last of them, however they end. So while it is held, the group that the file names
is theirs and nobody else's, for a group's number is not given away while it has a member.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SUFFIX = ".running"
ENDS = 15.0  # seconds from being asked to end until being killed
GONE = 5.0  # and from then on
_EVERY = 0.1


@contextmanager
def held(path: Path) -> Iterator[int]:
    """A locked file, for those to inherit who are to be found by it; we ourselves let go of it with the block."""
    with path.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file.fileno()


def running(path: Path) -> bool:
    """Whether somebody still holds the lock."""
    with path.open(encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def end_left(folder: Path, ends: float = ENDS) -> list[str]:
    """Ends every program that was started in a folder and still runs; what could not be ended."""
    return [told for path in sorted(folder.glob(f"*{SUFFIX}")) if (told := end(path, ends))]


def end(path: Path, ends: float = ENDS) -> str:
    """Ends a program, politely at first; what is left, nothing when it has ended."""
    try:
        for number, seconds in ((signal.SIGTERM, ends), (signal.SIGKILL, GONE)):
            _send(path, number)
            if _ended(path, seconds):
                return ""
    except FileNotFoundError:  # nothing was started
        return ""
    except PermissionError as error:
        return f"{path.stem} is still running: {error.strerror}"
    return f"{path.stem} is still running"


def _send(path: Path, number: int) -> None:
    group = path.read_text(encoding="ascii") if running(path) else ""  # written before the program is started
    if group.isdecimal():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.killpg(int(group), number)


def _ended(path: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while running(path):
        if time.monotonic() > until:
            return False
        time.sleep(_EVERY)
    return True
