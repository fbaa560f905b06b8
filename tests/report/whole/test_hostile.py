"""Names, labels, annotations and messages of a hostile cluster, in every format."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape, unescape
from xml.etree import ElementTree

import pytest

from kcompanion.cli.commands.report import drawings
from kcompanion.cli.reporting import gathered
from kcompanion.model.message import say
from kcompanion.render.page.html import html
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report.document import Lines, Section
from kcompanion.report.page import Page
from kcompanion.report.whole.gathered import Gathered, Scope
from kcompanion.report.whole.page import document, page, to_json
from kcompanion.text.catalog import phrase
from tests.cli.test_report import Page as Parsed
from tests.report.whole.odd import HANGUL, LONG, SCRIPT, hostile, session

CONTROL = [chr(code) for code in (*range(9), 11, 12, *range(14, 32), 0x7F, 0x202E, 0x2066, 0x200F)]


@pytest.fixture(scope="module")
def found() -> Gathered:
    return gathered(session(hostile()), Scope())


@pytest.fixture(scope="module", params=["en", "ko"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def whole(found: Gathered) -> Page:
    return page(found)


def test_the_page_holds_them_as_text_alone(whole: Page, language: str) -> None:
    text = drawings(whole, language)["html"]()
    parsed = Parsed(text)
    assert parsed.open == []
    assert parsed.tags.count("script") == 1
    assert "img" not in parsed.tags
    assert not any(link.startswith("javascript") for link in parsed.links)
    assert SCRIPT not in text
    assert HANGUL in text
    assert LONG in text
    assert not any(char in text for char in CONTROL)
    assert SCRIPT in unescape(text)


def test_code_in_a_sentence_is_code_and_what_the_cluster_says_in_it_is_text(whole: Page, language: str) -> None:
    told = Lines([say("operator.ready", seconds=f"`{SCRIPT}`"), "the cluster's `own`"])
    [chapter] = [replace(one, sections=(Section(one.title, (told,)),)) for one in whole.chapters[:1]]
    text = html(replace(whole, chapters=(chapter,)), language, "1")
    assert "<code>kcompanion operator status</code>" in text
    assert f"<code>{escape(SCRIPT)}</code>" in text
    assert "the cluster&#39;s `own`" in text
    assert Parsed(text).tags.count("script") == 1


def test_markdown_stays_text(whole: Page, language: str) -> None:
    text = drawings(whole, language)["md"]()
    assert not any(char in text for char in CONTROL)
    for line in text.splitlines():
        if line.startswith("| "):
            bare = line.replace(r"\|", "")
            assert bare.count("|") in (3, 4, 5, 6, 7, 8, 9, 10), line
    outside = [line for line in text.splitlines() if "<img" in line and "`" not in line]
    assert outside == [line for line in outside if r"\<img" in line]
    assert "[click](" not in "".join(part for part in text.split("`")[::2])


@pytest.mark.parametrize("form", ["svg", "mermaid", "dot"])
def test_pictures_stay_pictures(whole: Page, language: str, form: str) -> None:
    text = drawings(whole, language)[form]()
    assert SCRIPT not in text
    assert not any(char in text for char in CONTROL)
    if form == "svg":
        names = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(text).iter()}
        assert names <= {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g"}


def test_a_terminal_is_not_told_what_to_do(whole: Page, language: str) -> None:
    text = render(document(whole), Screen(language))
    assert not any(char in text for char in CONTROL)


def test_json_keeps_what_was_read(found: Gathered) -> None:
    body = json.dumps(to_json(found, lambda message: phrase(message, "en")))
    assert json.loads(body)["scope"]["kind"] == "cluster"
    assert LONG in body
