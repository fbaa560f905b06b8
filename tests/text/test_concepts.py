"""docs/concepts.*.md promise only what there is: each command is parsed, runs on a recording, and keeps its promise."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from kcompanion.cli.main import COMMANDS, cli
from tests.text.promises import LIVE, PROMISES
from tools import excerpts

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TABLES = {"en": "concepts.md", "ko": "concepts.ko.md"}


class Row(NamedTuple):
    number: str
    link: str
    concept: str
    commands: list[str]  # each after `kcompanion`


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(language: str) -> list[Row]:
    """The rows of the table; a line that begins like one has to be one."""
    found = []
    for line in text(TABLES[language]).splitlines():
        if not line.startswith("| [S"):
            continue
        first, concept, cell = (part.strip() for part in line.strip("|").split("|"))
        linked = re.fullmatch(r"\[(S\d\d)\]\((.+)\)", first)
        commands = re.findall(r"`kcompanion ([^`]+)`", cell)
        assert linked, first
        assert cell == "<br>".join(f"`kcompanion {command}`" for command in commands), f"{first}: {cell}"
        found.append(Row(linked[1], linked[2], concept, commands))
    return found


ROWS = {language: rows(language) for language in TABLES}


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row.number for row in ROWS["en"]] == [f"S{number:02}" for number in range(1, 59)]


def test_both_tables_promise_the_same() -> None:
    english, korean = ([(row.number, row.commands) for row in ROWS[language]] for language in TABLES)
    assert english == korean
    assert [row.number for row in ROWS["ko"] if not re.search("[가-힣]", row.concept)] == []


# ---------------------------------------------------------------------------------------- the commands


def leads_to(words: list[str]) -> click.Command:
    """The command of these words, after click has parsed them all.

    Raises:
        click.UsageError: there is no such command, option or choice.
    """
    command: click.Command = cli
    context = click.Context(cli, info_name="kcompanion")
    while isinstance(command, click.Group):
        name, inner, words = command.resolve_command(context, words)
        assert inner is not None
        command = inner
        if not isinstance(command, click.Group):
            command.make_context(name, list(words), parent=context)
    return command


@pytest.mark.parametrize("command", sorted({command for row in ROWS["en"] for command in row.commands}))
def test_click_takes_the_command(command: str) -> None:
    assert leads_to(shlex.split(command)).callback


def test_click_refuses_what_does_not_exist() -> None:
    for wrong in ("nodes --podz", "controlplane lunch", "nothing"):
        with pytest.raises(click.UsageError):
            leads_to(wrong.split())


def fixed(command: str) -> set[str]:
    """The words of a command that are no placeholder."""
    return {word for word in command.split() if not re.search("[A-Z]{3}", word)}


@pytest.mark.parametrize("row", ROWS["en"], ids=lambda row: row.number)
def test_each_command_of_a_row_is_proved(row: Row) -> None:
    proofs = PROMISES[row.number]
    unproved = [
        command
        for command in row.commands
        if command not in LIVE
        and not any(fixed(command) <= set(run.split()) and run.split()[0] == command.split()[0] for run in proofs)
    ]
    assert unproved == []


@pytest.mark.parametrize("command", LIVE)
def test_what_needs_a_cluster_is_tested_on_one(command: str) -> None:
    tested = (ROOT / LIVE[command]).read_text(encoding="utf-8")
    assert all(f'"{word}"' in tested for word in fixed(command) - {"key", "trace"}), LIVE[command]
    assert any(command in row.commands for row in ROWS["en"])


@cache
def said(run: str) -> str:
    """What a command prints, in one line."""
    return " ".join(excerpts.printed(run, "en").split())


@pytest.mark.parametrize("number", PROMISES)
def test_the_commands_of_a_row_say_what_it_promises(number: str) -> None:
    missing = [
        (run, pattern)
        for run, patterns in PROMISES[number].items()
        for pattern in patterns
        if not re.search(pattern, said(run))
    ]
    assert missing == []


def test_every_row_promises() -> None:
    assert list(PROMISES) == [row.number for row in ROWS["en"]]


# ---------------------------------------------------------------------------------------- the tutorials


def sections(language: str) -> Iterator[tuple[str, str]]:
    """Anchor and prose of every section, without the outputs."""
    prose = re.sub(r"^```.*?^```$", "", text(f"tutorial.{language}.md"), flags=re.MULTILINE | re.DOTALL)
    for section in re.split(r"^## ", prose, flags=re.MULTILINE)[1:]:
        heading = section.splitlines()[0]
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"), section


@pytest.mark.parametrize("language", TABLES)
def test_rows_lead_to_the_section_that_shows_them(language: str) -> None:
    shown = {anchor: set(re.findall(r"S\d\d", section)) for anchor, section in sections(language)}
    assert set().union(*shown.values()) == {row.number for row in ROWS["en"]}
    astray = [
        row.number
        for row in ROWS[language]
        if row.number not in shown[row.link.removeprefix(f"tutorial.{language}.md#")]
    ]
    assert astray == []


def test_both_tutorials_show_the_same_steps() -> None:
    english, korean = ([sorted(set(re.findall(r"S\d\d", prose))) for _, prose in sections(lang)] for lang in TABLES)
    assert english == korean


@pytest.mark.parametrize("page", ["tutorial", "corrections"])
def test_both_editions_run_the_same_commands(page: str) -> None:
    english, korean = (re.findall(r"^\$ .*$", text(f"{page}.{lang}.md"), re.MULTILINE) for lang in TABLES)
    assert english == korean
    assert len(english) >= 10


@pytest.mark.parametrize("page", excerpts.PAGES)
def test_named_commands_exist(page: str) -> None:
    named = re.findall(
        r"^\$ kcompanion ([a-z-]+)|`kcompanion ([a-z-]+)", (ROOT / page).read_text("utf-8"), re.MULTILINE
    )
    assert named
    assert {at_line or quoted for at_line, quoted in named} <= set(COMMANDS)


@pytest.mark.parametrize("page", excerpts.PAGES)
def test_outputs_are_of_today(page: str) -> None:
    assert (ROOT / page).read_text("utf-8") == excerpts.filled(
        (ROOT / page).read_text("utf-8"), excerpts.PAGES[page]
    ), "run `make docs`"
