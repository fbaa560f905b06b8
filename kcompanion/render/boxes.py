"""What stands in a diagram's boxes, and the colours of their edges: the same in every notation."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.model.finding import Status
from kcompanion.render.clean import clean
from kcompanion.render.screen import Screen
from kcompanion.render.svgparts import cut
from kcompanion.render.theme import MARKS
from kcompanion.report.document import Box, Cell, Row

# Seen on light and on dark paper; the mark in the box says the same without colour.
STROKES = {
    Status.OK: "#2e8b57",
    Status.WARN: "#c98a00",
    Status.FAIL: "#d1343f",
    Status.UNKNOWN: "#8a5bd6",
    Status.NOT_VISIBLE: "#808080",
}
GREY = STROKES[Status.NOT_VISIBLE]
_LONGEST = 70  # columns of one fact; what is longer is cut


def words(box: Box, screen: Screen) -> list[tuple[str, str]]:
    """The lines of a box, each with what it is (kind, name, state, row): plain text, still to be escaped."""
    mark = _mark(box.status)
    name = clean(box.name) + (" ◀" if box.marked else "")
    if box.kind or box.word:
        lines = [("kind", clean(box.kind)), ("name", name), ("state", clean(f"{mark}{box.word}".strip()))]
    else:  # the mark alone would make a line of its own
        lines = [("name", mark + name)]
    lines += [("row", _row(row, screen)) for row in box.rows]
    return [(kind, text) for kind, text in lines if text]


def joined(cells: Sequence[Cell], screen: Screen) -> str:
    """Facts on one line."""
    return " · ".join(cut(screen.words(cell), _LONGEST) for cell in cells if cell not in (None, ""))


def _row(row: Row, screen: Screen) -> str:
    return _mark(row.status) + joined(row.told, screen)


def _mark(status: Status | None) -> str:
    return f"{MARKS[status]} " if status is not None else ""
