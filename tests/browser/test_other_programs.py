"""Mermaid and Graphviz themselves draw what we write for them: every box, every frame, every line, as text alone.

Mermaid comes from its package, once, and only for this test; without npm, Graphviz or a network it fails.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page

from kcompanion.cli.context import recording_path
from kcompanion.cli.reporting import gathered
from kcompanion.cluster import recording
from kcompanion.render.dot import dot
from kcompanion.render.mermaid import mermaid
from kcompanion.report.document import Diagram
from kcompanion.report.page import Picture
from kcompanion.report.whole.gathered import Scope
from kcompanion.report.whole.page import page as report
from kcompanion.report.whole.picture import as_diagram
from lab import cache
from tests.report.whole.odd import hostile, session

pytestmark = pytest.mark.full

MERMAID = "11.17.2"
INTEGRITY = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
SCRIPT = "package/dist/mermaid.min.js"
NAMES = ("three-nodes", "ha-one-down", "faulty", "eks", "shop-node-lost", "hostile")
SVG = "{http://www.w3.org/2000/svg}"
_DRAW = """async text => {
  mermaid.initialize({startOnLoad: false, securityLevel: 'strict'});
  const {svg} = await mermaid.render('drawn', text);
  document.body.innerHTML = svg;
}"""


def diagram(name: str, scope: Scope) -> Diagram:
    """The picture of a whole cluster, or the owners in a namespace."""
    held = hostile() if name == "hostile" else recording.load(recording_path(f"demo:{name}"))
    drawn = report(gathered(session(held), scope)).picture
    return as_diagram(drawn) if isinstance(drawn, Picture) else drawn


SCOPES = [
    *((name, Scope()) for name in NAMES),
    ("shop-node-lost", Scope("namespace", "shop")),
    ("hostile", Scope("namespace", "kube-system")),
]
drawings = pytest.mark.parametrize(("name", "scope"), SCOPES, ids=[f"{name}-{scope.kind}" for name, scope in SCOPES])
languages = pytest.mark.parametrize("language", ["en", "ko"])


@pytest.fixture(scope="module")
def script() -> Path:
    """Mermaid for browsers, of the very version and bytes that were looked at."""

    def fill(folder: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("no npm to get Mermaid with: install Node.js")
        command = [npm, "pack", "--silent", f"mermaid@{MERMAID}", "--pack-destination", str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        (archive,) = folder.glob("*.tgz")
        assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == INTEGRITY
        with tarfile.open(archive) as tar:
            tar.extract(SCRIPT, folder, filter="data")
        archive.unlink()

    return cache.entry(f"mermaid-{MERMAID}", fill) / SCRIPT


@pytest.fixture
def canvas(browser: Browser, script: Path) -> Page:
    """A page with Mermaid in it and no way out."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.set_content("<!doctype html><body></body>")
    page.add_script_tag(path=script)
    return page


@languages
@drawings
def test_mermaid_draws_it(canvas: Page, name: str, scope: Scope, language: str) -> None:
    told = diagram(name, scope)
    canvas.evaluate(_DRAW, mermaid(told, language))
    drawn = canvas.locator("svg .node:not([id*=legend])")
    assert drawn.count() == len(told.boxes)
    assert canvas.locator("svg .cluster").count() == len(told.frames)
    lines = [arrow for arrow in told.arrows if arrow.source != arrow.target]
    assert canvas.locator("svg path.flowchart-link").count() == len(lines)
    text = " ".join(canvas.locator("svg .nodeLabel").all_inner_texts())
    assert [box.name for box in told.boxes if name != "hostile" and box.name not in text] == []
    assert "Unsupported markdown" not in text
    assert "Syntax error" not in text
    assert canvas.locator("svg script, svg img, svg a").count() == 0


@languages
@drawings
def test_graphviz_draws_it(name: str, scope: Scope, language: str) -> None:
    program = shutil.which("dot")
    if program is None:
        pytest.fail("no Graphviz to draw with: install it (Debian: apt install graphviz)")
    told = diagram(name, scope)
    done = subprocess.run(
        [program, "-Tsvg"], input=dot(told, language), capture_output=True, text=True, check=True, timeout=120
    )
    assert [line for line in done.stderr.splitlines() if "font" not in line.lower()] == []
    count: Callable[[str], int] = _counter(done.stdout)
    assert count("node") == len(told.boxes)
    assert count("cluster") == len(told.frames)
    assert count("edge") == len(told.arrows)


def _counter(text: str) -> Callable[[str], int]:
    groups = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", text)).iter(f"{SVG}g")
    kinds = [group.get("class") for group in groups]
    return kinds.count
