"""What running lessons have changed, kept on disk, so that whatever ends them nothing is left that cannot be found.

One file per run: a first line that says what runs where, then a line for each change outside the run's namespace,
written and flushed to the disk before the change is made. A lock on the file tells that its run is still alive; the
system drops it with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from kcompanion.errors import CompanionError
from kcompanion.learn.lesson import Undo


@dataclass(frozen=True)
class Head:
    """Which lesson runs where."""

    run: str
    lesson: str
    server: str
    namespace: str
    own: bool
    collections: tuple[str, ...]  # where it makes objects, to be searched by label in a namespace that is not its own


@dataclass(frozen=True)
class Entry:
    """A journal that was found."""

    path: Path
    head: Head
    undos: tuple[Undo, ...]
    alive: bool


def folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where journals are kept."""
    environ = os.environ if environ is None else environ
    state = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "kcompanion" / "lessons"


def beside(journal: Path) -> Path:
    """The folder of a run's other files."""
    return journal.with_suffix("")


class Journal:
    """The journal of one run, open and locked while the run lives."""

    def __init__(self, path: Path, head: Head) -> None:
        """Starts a journal.

        Raises:
            CompanionError: it cannot be written; then nothing must be changed.
        """
        self.path = path
        self.head = head
        self.undos: list[Undo] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file: IO[str] = path.open("x", encoding="utf-8")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write(asdict(head))
        except OSError as error:
            raise CompanionError(
                f"the journal {path} cannot be written: {error.strerror}",
                "lessons change nothing that they cannot take back; set XDG_STATE_HOME to a folder of yours",
            ) from error

    def note(self, undo: Undo) -> None:
        """Keeps how a change will be taken back."""
        self._write(asdict(undo))
        self.undos.append(undo)

    def close(self, *, done: bool) -> None:
        """Ends the run; the file stays if something was left behind."""
        if done:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, sort_keys=True) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def entries(where: Path) -> list[Entry]:
    """Every journal in a folder; what cannot be read as one is passed over."""
    found = [_entry(path) for path in sorted(where.glob("*.journal"))]
    return [entry for entry in found if entry is not None]


def _entry(path: Path) -> Entry | None:
    try:
        with path.open(encoding="utf-8") as file:
            alive = _locked(file)
            lines = [line for line in file.read().split("\n")[:-1] if line]  # a last line without its end was cut off
        head, *undos = [json.loads(line) for line in lines]
        return Entry(
            path,
            Head(**{**head, "collections": tuple(head["collections"])}),
            tuple(Undo(**one) for one in undos),
            alive,
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
