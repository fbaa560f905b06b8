"""Chromium, driven by Playwright, and what a test may look at in a page. Without a browser these tests fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# No sandbox as root in CI, and no word to anybody: what a page asks for is all that may be asked for.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 120_000  # milliseconds, on a machine that is busy with other tests
# A table as a list of rows, each a mapping from its column's head to its text.
_TABLES = """section => [...section.querySelectorAll('table')].map(table => {
  const heads = [...table.querySelectorAll('th')].map(one => one.textContent);
  return [...table.querySelectorAll('tbody tr')].map(row =>
    Object.fromEntries([...row.cells].map((cell, at) => [heads[at], cell.textContent])));
})"""
Row = dict[str, str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or the one that CHROMIUM names.

    It ends with the module: while it runs, nothing else in its process may have an event loop.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.fail("no Chromium: install it (Debian: apt install chromium), or name one in CHROMIUM")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=list(FLAGS), timeout=PATIENCE)
        yield started
        started.close()


@contextmanager
def opened(browser: Browser, file: Path, **wishes: Any) -> Iterator[Page]:
    """The page; at the end it must have asked for nothing and complained of nothing."""
    context = browser.new_context(**wishes)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert asked == [file.as_uri()]
    assert complaints == []


def tables(page: Page, chapter: str) -> list[list[Row]]:
    """The tables of a chapter as they can be read there."""
    found: list[list[Row]] = page.locator(f"section#{chapter}").evaluate(_TABLES)
    return found


def rows(page: Page, chapter: str, *heads: str) -> list[Row]:
    """The rows of the chapter's one table that has these columns."""
    (found,) = (table for table in tables(page, chapter) if table and set(heads) <= set(table[0]))
    return found
