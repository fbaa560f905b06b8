"""One line per happening of a live trace: milliseconds, actor, object, what happened."""

from __future__ import annotations

from typing import Protocol

from kcompanion.model.message import Message
from kcompanion.report.document import Cell
from kcompanion.trace.live import Happening

MS, ACTOR = 9, 24  # columns


class Words(Protocol):
    """What turns cells into clean text of a language (render.screen.Screen)."""

    def words(self, cell: Cell) -> str: ...


def line_of(one: Happening, shown: Words) -> tuple[str, str]:
    """The columns on the left, `   1234 ms  kubelet                 `, and the sentence beside them."""
    told: Message = one.told
    left = f"{one.ms:>{MS}} ms  {shown.words(one.actor):<{ACTOR}}  "
    return left, f"{shown.words(one.subject)}: {shown.words(told)}"
