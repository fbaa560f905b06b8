"""Which exercises were begun, how far they are and which are done, kept on disk between commands.

One file for each exercise, written before anything is created, so that whatever ends a command its namespace can be
found and removed. Beside it a recording of what the cluster showed at the start: what is explained at the end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kcompanion.cluster import recording
from kcompanion.errors import CompanionError


@dataclass(frozen=True)
class Attempt:
    """The last time an exercise was begun."""

    exercise: str
    run: str
    server: str
    context: str
    namespace: str
    image: str
    hints: int = 0
    solved: bool = False
    open: bool = True  # its namespace has not been removed
    done: bool = False  # solved, this time or before


def folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where they are kept."""
    environ = os.environ if environ is None else environ
    state = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "kcompanion" / "practice"


class Attempts:
    """The attempts kept in a folder."""

    def __init__(self, where: Path) -> None:
        self._where = where

    def all(self) -> dict[str, Attempt]:
        """Every attempt by its exercise; what cannot be read as one is passed over."""
        found = [_read(path) for path in sorted(self._where.glob("*.json"))]
        return {one.exercise: one for one in found if one is not None}

    def keep(self, attempt: Attempt) -> None:
        """Writes an attempt in place of the one before.

        Raises:
            CompanionError: it cannot be written; then nothing must be created.
        """
        path = self._where / f"{attempt.exercise}.json"
        try:
            self._where.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CompanionError(
                f"{self._where} cannot be made: {error.strerror}",
                "exercises keep there what they make; set XDG_STATE_HOME to a folder of yours",
            ) from error
        recording.write_whole(path, (json.dumps(asdict(attempt), sort_keys=True) + "\n").encode(), mode=0o600)

    def recording(self, exercise: str) -> Path:
        """Where the recording of its start is."""
        return self._where / f"{exercise}.kcr"


def _read(path: Path) -> Attempt | None:
    try:
        return Attempt(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
