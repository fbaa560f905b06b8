"""How to print on a terminal: language, width, colour; and cells as words."""

from __future__ import annotations

from dataclasses import dataclass, field

from kcompanion.model.finding import Status
from kcompanion.model.message import Message, say
from kcompanion.render.clean import clean
from kcompanion.render.theme import MARKS, Theme
from kcompanion.report.document import Cell
from kcompanion.text.catalog import phrase


@dataclass(frozen=True)
class Screen:
    """How to print: language, width in columns, wide tables, headings, colour."""

    language: str = "en"
    columns: int = 80
    wide: bool = False
    headers: bool = True
    theme: Theme = field(default_factory=Theme)

    def words(self, cell: Cell) -> str:
        """A cell as text, still without colour."""
        if cell is None or cell == "":
            return "-"
        if isinstance(cell, Status):
            return f"{MARKS[cell]} {phrase(say(f'common.status.{cell.value}'), self.language)}"
        if isinstance(cell, Message):
            return phrase(cell, self.language, clean)
        return clean(str(cell))
