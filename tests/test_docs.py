"""The documents agree with the code and with each other, and say nothing of the machine they were written on."""

import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from kcompanion.cli.main import COMMANDS
from kcompanion.model.message import say
from kcompanion.report.controlplane import VIEWS
from kcompanion.text.catalog import phrase
from tools import cast, film, finding_codes, gen_docs, rule_pages

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.ko.md")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "lab/*.md")
    for path in ROOT.glob(pattern)
    if path.is_file()
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MACHINE = re.compile(r"/(?:work|root|home|Users)/\w|/tmp/(?!x\b)\w")
# Hosts of package registries: a mirror stands for them in many places. Image names may name their registries.
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|proxy\.golang\.org|sum\.golang\.org|registry\.npmjs\.org|crates\.io"
    r"|repo\d?\.maven\.org|deb\.debian\.org|archive\.ubuntu\.com"
)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def finding_page() -> str:
    return gen_docs.finding_page()


def headings(page: str) -> list[tuple[int, str]]:
    """Level and words of every heading outside of code."""
    found = re.findall(r"^(#+) +(.+)$", FENCE.sub("", text(page)), re.MULTILINE)
    return [(len(marks), words) for marks, words in found]


def anchor(words: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


# ------------------------------------------------------------------------------------- generated pages


def test_command_page_is_of_todays_help() -> None:
    assert text("docs/cli.md") == gen_docs.command_page(), "run `make docs`"


def test_finding_page_is_of_todays_findings() -> None:
    assert text("docs/findings.md") == finding_page(), "run `make docs`"


def test_rule_pages_are_of_todays_rules() -> None:
    pages = rule_pages.pages(gen_docs.NOTICE)
    assert {file.name for file in (ROOT / "docs" / "rules").glob("*.md")} == set(pages), "run `make docs`"
    stale = [name for name, page in pages.items() if text(f"docs/rules/{name}") != page]
    assert stale == [], "run `make docs`"


def test_rule_pages_lead_somewhere() -> None:
    rules = ROOT / "docs" / "rules"
    broken = [
        (file.name, link)
        for file in rules.glob("*.md")
        for link in LINK.findall(file.read_text(encoding="utf-8"))
        if not (rules / link).exists()
    ]
    assert broken == []


def test_rule_pages_say_nothing_of_this_machine() -> None:
    whole = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs" / "rules").glob("*.md"))
    assert MACHINE.findall(whole) == []
    assert REGISTRIES.findall(whole) == []


def test_a_code_is_told_where_a_report_says_it_is() -> None:
    told = phrase(say("report.lead.findings"), "en")
    assert "docs/rules/CODE.md for KC5…, docs/findings.md for all others" in told
    others = re.findall(r"^### (KC\d{4})", text("docs/findings.md"), re.MULTILINE)
    ruled = [file.stem for file in (ROOT / "docs" / "rules").glob("KC*.md")]
    assert others
    assert (
        [code for code in ruled if not code.startswith("KC5")]
        == [code for code in others if code.startswith("KC5")]
        == []
    )


def test_no_meaning_is_left_over() -> None:
    page = finding_page()
    unused = [name for name in gen_docs.PLACEHOLDERS if f"`{name.rpartition('.')[2]}`: " not in page]
    assert unused == []


@pytest.mark.parametrize("picture", cast.CASTS, ids=lambda picture: picture.name)
def test_picture_is_of_todays_output(picture: cast.Cast) -> None:
    drawn = cast.svg(picture, cast.printed(picture))
    assert text(f"docs/img/{picture.name}.svg") == drawn, "run `make docs`"


@pytest.mark.parametrize("language", film.TITLES)
def test_film_is_of_todays_demo(language: str) -> None:
    drawn = text(f"docs/img/demo.{language}.svg")
    assert drawn == film.svg(language), "run `make docs`"
    assert len(film.steps(language)) >= 5
    assert not re.search(r"<script|<foreignObject|href|url\((?!#)|@import", drawn), "GitHub shows pictures, no pages"
    still = drawn.partition("@media(prefers-reduced-motion:no-preference)")[0]
    assert "animation" not in still, "who wants no motion sees the first step stand still"
    assert ".s0{visibility:visible}" in still
    wide = float(re.findall(r'viewBox="0 0 ([\d.]+)', drawn)[0])
    ends = {
        float(x) + float(length) for x, length in re.findall(r'<text x="([\d.]+)"[^>]* textLength="([\d.]+)"', drawn)
    }
    assert max(ends) <= wide, "a line runs out of the picture"


# --------------------------------------------------------------------------------------------- READMEs


@pytest.mark.parametrize("page", [*READMES, "docs/cli.md"])
def test_every_command_is_there(page: str) -> None:
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", text(page)))
    assert sorted(set(COMMANDS) - words) == []


@pytest.mark.parametrize("page", READMES)
def test_every_view_is_there(page: str) -> None:
    shown = set(re.findall(r"`kcompanion controlplane (\w+)", text(page)))
    assert set(VIEWS) - {"overview"} == shown


def test_both_readmes_have_the_same_sections() -> None:
    english, korean = ([level for level, _ in headings(page)] for page in READMES)
    assert english == korean
    assert len(english) >= 10


def test_both_readmes_show_the_same_commands() -> None:
    english, korean = (
        [re.sub(r" +# .*", "", line) for block in FENCE.findall(text(page)) for line in block.splitlines()]
        for page in READMES
    )
    assert english == korean


def test_both_readmes_have_the_same_tables() -> None:
    english, korean = (re.findall(r"^\| (`.+?`|\d+)[ ,]", text(page), re.MULTILINE) for page in READMES)
    assert english == korean
    assert len(english) > len(COMMANDS)


def test_both_readmes_link_to_the_same_pages() -> None:
    english, korean = (sorted(set(LINK.findall(text(page)))) for page in READMES)
    editions = {link.replace(".en.", ".ko.").replace("/concepts.", "/concepts.ko.") for link in english}
    assert editions - {"README.ko.md"} == {*korean} - {"README.md"}


@pytest.mark.parametrize("page", READMES)
def test_the_tested_version_is_the_pinned_one(page: str) -> None:
    pinned = re.search(r"kindest/node:v(1\.\d+)\.", text("kind-config.yaml"))
    assert pinned
    line = next(line for line in text(page).splitlines() if "`kind-config.yaml`" in line)
    assert pinned[1] in re.split(r"expected|1\.33~", line)[0]


def test_architecture_names_every_package() -> None:
    packages = {folder.parent.name for folder in (ROOT / "kcompanion").glob("*/__init__.py")}
    named = set(re.findall(r"^\| `(\w+)` \|", text("docs/architecture.md"), re.MULTILINE))
    assert packages <= named


# ------------------------------------------------------------------------------------------- all pages


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", text(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        known = not fragment or fragment in {anchor(words) for _, words in headings(str(target.relative_to(ROOT)))}
        if not (target.exists() and known):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", [*PAGES, *(f"docs/img/{picture.name}.svg" for picture in cast.CASTS)])
def test_nothing_of_this_machine(page: str) -> None:
    assert [match[0] for match in MACHINE.finditer(text(page))] == []
    assert [match[0] for match in REGISTRIES.finditer(text(page))] == []


# ---------------------------------------------------------------------------------------- the tools


def test_runs_know_columns_and_styles() -> None:
    found = cast.runs("\x1b[32m✔ 정상\x1b[0m  a & b")
    assert [(run.column, run.text, run.style.colour, run.cells) for run in found] == [
        (0, "✔", "green", 1),
        (2, "정상", "green", 4),
        (8, "a", "", 1),
        (10, "&", "", 1),
        (12, "b", "", 1),
    ]


def test_styles_add_up_and_end() -> None:
    styles = [style for _, style in cast.styled("a\x1b[31;1mb\x1b[2mc\x1b[0md")]
    assert styles == [
        cast.PLAIN,
        cast.Style("red", bold=True),
        cast.Style("red", bold=True, dim=True),
        cast.PLAIN,
    ]


def test_a_colour_without_a_place_in_the_palette_is_refused() -> None:
    with pytest.raises(ValueError, match="44"):
        cast.runs("\x1b[44mx")


def test_pictures_escape_what_they_show() -> None:
    picture = cast.svg(cast.Cast("x", 'a "title" & more', "x <y>"), "<script>&\n")
    assert "<script>" not in picture
    assert "&lt;script&gt;&amp;" in picture
    assert 'aria-label="a &quot;title&quot; &amp; more"' in picture


def test_pictures_say_when_they_leave_something_out() -> None:
    assert cast.shown("a\n\nb\n\nc\n", 2) == "a\n\nb\n\n\x1b[2m…\x1b[0m"
    assert cast.shown("a\n\nb\n", 2) == cast.shown("a\n\nb\n", 0) == "a\n\nb"


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(set(cast.PALETTE) - {"ground", "edge"}))
def test_colours_can_be_read(name: str, scheme: int) -> None:
    lighter, darker = sorted((luminance(cast.PALETTE[one][scheme]) for one in (name, "ground")), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


SOURCE = """
def rule(bad, mode):
    yield Finding("KC9001", Severity.INFO, "x")
    yield Finding("KC9002" if bad else "KC9003", Severity.CRITICAL if bad else Severity.WARNING, "x")
    yield Finding("KC9004", Severity.CRITICAL if bad else Severity.WARNING, "x")
    code = {"a": "KC9005", "b": "KC9006"}.get(mode)
    severity = Severity.INFO if code == "KC9005" else Severity.CRITICAL
    yield Finding(code, severity, "x")
"""


def test_severities_are_read_from_the_source(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(SOURCE)
    assert finding_codes.severities(tmp_path) == {
        "KC9001": ("info",),
        "KC9002": ("critical",),
        "KC9003": ("warning",),
        "KC9004": ("critical", "warning"),
        "KC9005": ("info",),
        "KC9006": ("critical",),
    }


def test_as_many_acceptance_cases_are_told_as_there_are() -> None:
    found = import_module("tests.cluster.acceptance.test_acceptance")  # its modules enter the cases into the catalogue
    catalogue = import_module("tests.cluster.acceptance.catalogue")
    cases = [one for one in found.CASES.values() if one.number.startswith("P") and not one.strict]
    ours, own = (sum(target in one.targets for one in cases) for target in (catalogue.OURS_APPS, catalogue.OURS_CRS))
    told = re.search(
        r"^- (\d+) acceptance cases .* controller's place, and (\d+)$", text("docs/operator.md"), re.MULTILINE
    )
    assert told
    assert told.groups() == (str(ours), str(own))
