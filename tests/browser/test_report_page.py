"""Reports in a real browser: whole, silent, accessible, in both languages, schemes and widths, and on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browsing import opened
from tests.cli.test_report import CHAPTERS
from tests.report.whole.big import big
from tests.report.whole.odd import HANGUL, hostile

RECORDINGS = ("three-nodes", "ha", "ha-one-down", "faulty")
Made = Callable[..., Path]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", RECORDINGS)
def test_every_chapter_is_there_and_nothing_is_asked(browser: Browser, made: Made, name: str, language: str) -> None:
    with opened(browser, made(name, language), viewport={"width": 1600, "height": 1000}) as page:
        for chapter in ("summary", "picture", *CHAPTERS):
            section = page.locator(f"section#{chapter}")
            assert section.count() == 1, chapter
            assert section.inner_text().strip(), chapter
        assert page.locator("#picture svg text").count() > 20
        assert page.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "language"), [("faulty", "en"), ("ha-one-down", "ko")])
def test_nothing_serious_for_axe(browser: Browser, made: Made, name: str, language: str, scheme: str) -> None:
    with opened(browser, made(name, language), color_scheme=scheme, viewport={"width": 1280, "height": 900}) as page:
        found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in serious] == []


@pytest.mark.parametrize("width", [390, 1600])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_fits_its_window(browser: Browser, made: Made, width: int, language: str) -> None:
    with opened(browser, made("ha-one-down", language), viewport={"width": width, "height": 900}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("h1").bounding_box()["width"] <= width  # type: ignore[index] # it is on the page


def test_hostile_text_fits_too(browser: Browser, made: Made) -> None:
    with opened(browser, made("hostile", "ko", hostile()), viewport={"width": 390, "height": 900}) as page:
        assert HANGUL in page.locator("main").inner_text()
        assert page.locator("script").count() == 1
        assert page.locator("main img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_schemes_follow_the_system_and_the_reader(browser: Browser, made: Made) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    grounds = {}
    for scheme in ("light", "dark"):
        with opened(browser, made("three-nodes", "en"), color_scheme=scheme) as page:
            grounds[scheme] = page.evaluate(ground)
            page.click("#theme")
            assert page.evaluate(ground) != grounds[scheme]
    assert grounds["light"] != grounds["dark"]


def test_search_shows_what_fits_and_folds_open(browser: Browser, made: Made) -> None:
    with opened(browser, made("faulty", "en")) as page:
        page.fill("#search", "KC5061")
        page.locator("#found:not(:empty)").wait_for()
        assert page.locator(".cause:visible").count() == 1
        assert page.locator("section#certificates:visible").count() == 0
        page.fill("#search", "")
        page.locator("#found:empty").wait_for(state="attached")
        assert page.locator("section#certificates:visible").count() == 1
        page.click("#fold")  # the search had opened all
        assert page.locator("details[open]").count() == 0
        page.click("#fold")
        assert page.locator("details:not([open])").count() == 0


def test_a_keyboard_reaches_everything(browser: Browser, made: Made) -> None:
    with opened(browser, made("three-nodes", "en")) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#main"
        page.locator("summary").first.focus()
        before = page.locator("details[open]").count()
        page.keyboard.press("Enter")
        assert page.locator("details[open]").count() == before - 1


def test_it_reads_without_its_script(browser: Browser, made: Made) -> None:
    with opened(browser, made("faulty", "ko"), java_script_enabled=False) as page:
        assert page.locator("section.chapter").count() >= len(CHAPTERS)
        assert page.locator(".tools:visible").count() == 0
        assert page.locator("#KC5061:visible").count() == 1


def test_on_paper_it_is_whole(browser: Browser, made: Made, tmp_path: Path) -> None:
    for name, language in (("three-nodes", "en"), ("ha-one-down", "ko")):
        with opened(browser, made(name, language)) as page:
            page.emulate_media(media="print")
            assert page.locator("nav:visible").count() == 0
            page.pdf(path=tmp_path / "report.pdf", format="A4")
        data = (tmp_path / "report.pdf").read_bytes()
        assert data.startswith(b"%PDF")
        assert data.count(b"/Type /Page") > 3 or data.count(b"/Type/Page") > 3


def test_a_large_cluster_stays_light(browser: Browser, made: Made) -> None:
    file = made("big", "en", big())
    assert file.stat().st_size < 3 << 20
    with opened(browser, file, viewport={"width": 1600, "height": 1000}) as page:
        assert page.evaluate("document.querySelectorAll('*').length") <= 15_000
        assert page.locator(".tree .s.fail").count() > 0
