"""A tree for the terminal: box characters, then state and age in columns, then what is to be said of a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kcompanion.render.clean import clean
from kcompanion.render.screen import Screen
from kcompanion.render.theme import MARKS
from kcompanion.render.wrap import width, wrap
from kcompanion.report.document import Branch, Tree

ASKED = " ◀"
_ROOM = 28  # columns that state and age get at least; longer names push them to the right
_BESIDE = 24  # columns a note needs beside its line; with less it goes below


@dataclass(frozen=True)
class _Row:
    left: str
    below: str  # what stands at the left of further lines about the same object
    state: str
    branch: Branch


def tree(block: Tree, screen: Screen) -> str:
    """The trees, one below the other, apart where they have branches."""
    trees = [list(_rows(root, "", "", screen)) for root in block.roots]
    rows = [row for those in trees for row in those]
    names = max((width(row.left) for row in rows), default=0)
    states = max((width(row.state) for row in rows), default=0)
    ages = max((width(row.branch.age) for row in rows), default=0)
    left = min(names, max(screen.columns - _ROOM, 20)) if not screen.wide else names
    told = ["\n".join(line for row in those for line in _lines(row, (left, states, ages), screen)) for those in trees]
    return ("\n\n" if len(rows) > len(trees) else "\n").join(told)


def _rows(branch: Branch, prefix: str, below: str, screen: Screen) -> Iterator[_Row]:
    mark = f"{MARKS[branch.status]} " if branch.status is not None else ""
    name = prefix + screen.words(branch.label) + (ASKED if branch.marked else "")
    more = below + ("│  " if branch.children else "   ")
    yield _Row(name, more, mark + clean(branch.word), branch)
    for index, child in enumerate(branch.children):
        last = index == len(branch.children) - 1
        yield from _rows(child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), screen)


def _lines(row: _Row, columns: tuple[int, int, int], screen: Screen) -> list[str]:
    left, states, ages = columns
    line = "  " + _padded(row.left, left)
    if not (row.state or row.branch.age or row.branch.notes):
        return [_painted(line.rstrip(), row, screen)]
    notes = " · ".join(screen.words(note) for note in row.branch.notes)
    line += "  " + _padded(row.state, states) + "  " + _padded(row.branch.age, ages)
    at = width(line) + 2
    if not notes:
        return [_painted(line.rstrip(), row, screen)]
    if screen.wide or at + min(width(notes), _BESIDE) <= screen.columns:
        room = at + width(notes) if screen.wide else screen.columns
        first, *rest = wrap(notes, room, " " * at, line + "  ")
        rest = ["  " + _padded(row.below, at - 2) + more.strip() for more in rest]
    else:
        first = line.rstrip()
        rest = wrap(notes, screen.columns, f"  {row.below}  ")
    return [_painted(first, row, screen), *(screen.theme.dim(more) for more in rest)]


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _painted(line: str, row: _Row, screen: Screen) -> str:
    """The state in its colour; what was asked for in bold."""
    status = row.branch.status
    told = line
    if row.state and status is not None and row.state in line[len(row.left) :]:
        head, _, tail = told[len(row.left) :].partition(row.state)
        told = told[: len(row.left)] + head + screen.theme.paint(row.state, status) + tail
    if row.branch.marked:
        return told.replace(row.left.strip(), screen.theme.bold(row.left.strip()), 1)
    return told
