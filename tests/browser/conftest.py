"""Chromium, driven by Playwright, and the reports it opens. Without a browser these tests fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from kcompanion.cli.commands.report import drawings
from kcompanion.cli.context import recording_path
from kcompanion.cli.reporting import gathered
from kcompanion.cluster import recording
from kcompanion.cluster.session import Session
from kcompanion.model.snapshot import Snapshot
from kcompanion.report.whole.gathered import Scope
from kcompanion.report.whole.page import page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# No sandbox as root in CI, and no word to anybody: what a page asks for is all that may be asked for.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
Made = Callable[..., Path]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or the one that CHROMIUM names."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.fail("no Chromium: install it (Debian: apt install chromium), or name one in CHROMIUM")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        yield started
        started.close()


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
