"""docs/concepts.md promises only what there is."""

import re
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from kcompanion.cli.main import COMMANDS, cli

DOCS = Path(__file__).parents[2] / "docs"


class Row(NamedTuple):
    number: str
    concept: str
    words: list[str]  # of the command, after `kcompanion`
    state: str


def rows() -> list[Row]:
    """The rows of the table; a line that begins like one has to be one."""
    found = []
    for line in (DOCS / "concepts.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("| S"):
            continue
        number, concept, command, state = (cell.strip() for cell in line.strip("|").split("|"))
        quoted = re.fullmatch(r"`kcompanion ([a-z][a-z0-9 -]*)`", command)
        assert quoted, f"{number}: {command} is not one command in backticks"
        found.append(Row(number, concept, quoted[1].split(), state))
    return found


ROWS = rows()


def test_the_table_has_its_heading() -> None:
    text = (DOCS / "concepts.md").read_text(encoding="utf-8")
    assert "\n| row | concept | command | state |\n|---|---|---|---|\n| S01 |" in text


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row.number for row in ROWS] == [f"S{number:02}" for number in range(1, 59)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_row_is_whole(row: Row) -> None:
    assert row.concept
    assert row.state in ("today", "planned")


@pytest.mark.parametrize("row", [row for row in ROWS if row.state == "today"], ids=lambda row: row.number)
def test_what_is_there_today_exists(row: Row) -> None:
    assert row.words[0] in COMMANDS
    command = cli.get_command(click.Context(cli), row.words[0])
    assert command is not None
    allowed = [
        set(parameter.type.choices)
        for parameter in command.params
        if isinstance(parameter, click.Argument) and isinstance(parameter.type, click.Choice)
    ]
    for word, choices in zip(row.words[1:], allowed, strict=False):
        assert word in choices


@pytest.mark.parametrize("row", [row for row in ROWS if row.state == "planned"], ids=lambda row: row.number)
def test_what_is_planned_is_not_there_yet(row: Row) -> None:
    assert row.words[0] not in COMMANDS, "it is there: say `today`"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_corrections_use_commands_that_exist(language: str) -> None:
    text = (DOCS / f"corrections.{language}.md").read_text(encoding="utf-8")
    used = re.findall(r"^\$ kcompanion (\w+)|`kcompanion (\w+)", text, re.MULTILINE)
    assert used
    assert {at_line or quoted for at_line, quoted in used} <= set(COMMANDS)


def test_both_corrections_run_the_same_commands() -> None:
    english, korean = (
        re.findall(r"^\$ .*$", (DOCS / f"corrections.{language}.md").read_text("utf-8"), re.MULTILINE)
        for language in ("en", "ko")
    )
    assert english == korean
    assert len(english) >= 10
