"""The reports that the browser opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kcompanion.cli.commands.report import drawings
from kcompanion.cli.context import recording_path
from kcompanion.cli.reporting import gathered
from kcompanion.cluster import recording
from kcompanion.cluster.session import Session
from kcompanion.model.snapshot import Snapshot
from kcompanion.report.whole.gathered import Scope
from kcompanion.report.whole.page import page
from tests.browsing import browser

__all__ = ["browser"]

Made = Callable[..., Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Writes the report of a shipped recording (or of a snapshot under a name) and returns its file; each once."""
    folder = tmp_path_factory.mktemp("reports")

    def make(name: str, language: str, snapshot: Snapshot | None = None) -> Path:
        file = folder / f"{name}.{language}.html"
        if not file.exists():
            held = snapshot or recording.load(recording_path(f"demo:{name}"))
            whole = page(gathered(Session(recording.RecordedSource(held)), Scope()))
            file.write_text(drawings(whole, language)["html"](), encoding="utf-8")
        return file

    return make
