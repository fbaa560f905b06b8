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
    if not screen.wide:  # one long state does not push all ages out of the screen
        states = min(states, max(screen.columns - left - ages - 6, 0))
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
    if not (row.state or row.branch.age or row.branch.notes):
        return [_painted("  " + row.left, row, screen)]
    left, states, ages = columns
    above: list[str] = []
    line = "  " + _padded(row.left, left) + "  " + _padded(row.state, states) + "  " + _padded(row.branch.age, ages)
    if not screen.wide and width(line.rstrip()) > screen.columns:
        # out of the columns rather than out of the screen; where that does not do, below the name
        least = f"  {row.state}  {row.branch.age}".rstrip()
        room = screen.columns - 2 - width(least)
        if width(row.left) <= room:
            line = "  " + _padded(row.left, min(left, room)) + least
        else:
            above = [_painted("  " + row.left, row, screen)]
            line = "  " + _padded(row.below, min(left, room)) + least
    return [*above, *_noted(line, row, screen)]


def _noted(line: str, row: _Row, screen: Screen) -> list[str]:
    """The line with its notes beside or below it."""
    notes = " · ".join(screen.words(note) for note in row.branch.notes)
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
    begin = len(row.left) if row.left in line else 0
    told = line
    if row.state and status is not None and row.state in line[begin:]:
        head, _, tail = told[begin:].partition(row.state)
        told = told[:begin] + head + screen.theme.paint(row.state, status) + tail
    if row.branch.marked:
        return told.replace(row.left.strip(), screen.theme.bold(row.left.strip()), 1)
    return told
