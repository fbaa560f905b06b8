"""`report` as users call it: formats, files, scopes, and the same bytes for the same recording."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Command, complained

FORMATS = ("html", "md", "json", "yaml", "svg", "mermaid", "dot", "table", "wide", "name")
CHAPTERS = (
    "control-plane", "etcd", "versions", "certificates", "flags", "nodes", "network", "addons", "storage",
    "namespaces", "workloads", "services", "findings", "remarks", "glossary",
)  # fmt: skip


class Page(HTMLParser):
    """What a page holds, and whether every tag is closed in order."""

    VOID = frozenset({"meta", "input", "br", "img", "hr", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.titles: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [str(given["id"])] if "id" in given else []
        self.links += [str(given["href"])] if "href" in given else []
        assert not [name for name in given if name.startswith("on")], attrs
        assert "style" not in given
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_recording_gives_the_same_bytes(inside: Command, form: str) -> None:
    words = ("report", "--from", "demo:ha-one-down", "--format", form, "--lang", "ko")
    first, second = inside(*words), inside(*words)
    assert first.code == 0
    assert first.out == second.out
    assert first.out.strip()


@pytest.mark.parametrize(
    ("name", "language"),
    [("three-nodes", "ko"), ("ha", "en"), ("ha-one-down", "ko"), ("faulty", "en"), ("eks", "ko")],
)
def test_a_page_is_whole_and_asks_nothing(inside: Command, name: str, language: str) -> None:
    text = inside("report", "--from", f"demo:{name}", "--lang", language).out
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(CHAPTERS) <= {*page.ids}
    assert {link[1:] for link in page.links if link.startswith("#")} <= {*page.ids}
    assert all(link.startswith(("#", "https://kubernetes.io/", "https://etcd.io/", "https://github.com/"))
               for link in page.links)  # fmt: skip
    assert not {"img", "link", "iframe", "object", "base", "form"} & {*page.tags}
    assert page.tags.count("script") == 1
    assert not re.search(r"url\((?!#)|@import", text)
    assert f'<html lang="{language}">' in text
    assert "default-src &#39;none&#39;" in text
    assert not re.search(r"\breport\.[a-z_]+\b", text), "a text without words"


@pytest.mark.parametrize(
    ("file", "begins"),
    [
        ("r.html", "<!doctype html>"),
        ("r.md", "# "),
        ("r.json", "{"),
        ("r.svg", "<svg "),
        ("r.dot", "digraph "),
        ("r.mmd", "%%{init"),
        ("r", "<!doctype html>"),
    ],
)
def test_the_suffix_tells_the_format(inside: Command, tmp_path: Path, file: str, begins: str) -> None:
    ran = inside("report", "--from", "demo:three-nodes", "-O", str(tmp_path / file))
    assert (ran.code, ran.out) == (0, "")
    assert str(tmp_path / file) in ran.err
    assert (tmp_path / file).read_text().startswith(begins)


def test_a_given_format_outranks_the_suffix_and_a_dash_is_stdout(inside: Command, tmp_path: Path) -> None:
    inside("report", "--from", "demo:three-nodes", "-o", "svg", "-O", str(tmp_path / "r.html"))
    assert (tmp_path / "r.html").read_text().startswith("<svg ")
    ran = inside("report", "--from", "demo:three-nodes", "--format", "md", "-O", "-")
    assert ran.out.startswith("# ")
    assert ran.err == ""


def test_a_file_that_cannot_be_written_leaves_nothing(inside: Command, tmp_path: Path) -> None:
    complained(inside("report", "--from", "demo:three-nodes", "-O", str(tmp_path / "no" / "r.html")), 1, "written")
    complained(inside("report", "--from", "demo:three-nodes", "-O", str(tmp_path)), 2, "folder")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".html"] == []


def test_svg_is_xml_and_scales(inside: Command) -> None:
    for name, language in (("ha-one-down", "ko"), ("eks", "en")):
        root = ElementTree.fromstring(inside("report", "--from", f"demo:{name}", "-o", "svg", "--lang", language).out)
        assert root.get("viewBox")
        assert root.get("role") == "img"
        wide = float(str(root.get("width")))
        for one in root.iter("{http://www.w3.org/2000/svg}text"):
            assert float(str(one.get("x"))) + float(str(one.get("textLength"))) <= wide


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--scope", "pod"), 2, "needs a name"),
        (("--scope", "namespace"), 2, "needs a name"),
        (("--scope", "app"), 2, "belong together"),
        (("--scope", "cluster", "x"), 2, "takes no name"),
        (("--scope", "pod", "nobody"), 4, "no pod"),
        (("--scope", "pod", "nobody", "-A"), 2, "-A names none"),
        (("-O", ""), 2, "names no file"),
        (("-l", "app=nothing-like-it"), 4, "nothing has the labels"),
        (("-n", "nowhere"), 4, "nothing in namespace"),
    ],
)
def test_complaints(inside: Command, words: tuple[str, ...], code: int, told: str) -> None:
    complained(inside("report", "--from", "demo:faulty", *words), code, told)


def test_fail_on_counts_the_causes(inside: Command) -> None:
    assert inside("report", "--from", "demo:faulty", "-o", "json", "--fail-on", "critical").code == 1
    assert inside("report", "--from", "demo:three-nodes", "-o", "json", "--fail-on", "warning").code == 0


def test_who_may_read_little_gets_gaps_and_no_comfort(inside: Command) -> None:
    data = Path(__file__).parents[1] / "data" / "restricted.kcr"
    ran = inside("report", "--from", str(data), "-o", "json", "-A")
    body = json.loads(ran.out)
    assert ran.code == 5
    assert body["status"] in ("unknown", "fail")
    assert body["gaps"]
    page = inside("report", "--from", str(data), "-A").out
    assert 'id="gaps"' in page


@pytest.mark.parametrize(("language", "words"), [("en", "All that belongs here: "), ("ko", "여기에 속한 전체: ")])
@pytest.mark.parametrize("scope", [("namespace", "shop"), ("app", "-l", "app=web", "-n", "shop")], ids=lambda s: s[0])
def test_the_picture_of_a_scope_says_what_it_holds(
    inside: Command, language: str, words: str, scope: tuple[str, ...]
) -> None:
    ran = inside("report", "--from", "demo:shop", "--scope", *scope, "--format", "svg", "--lang", language)
    assert f"<title>{words}" in ran.out
