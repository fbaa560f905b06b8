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


def line_of(one: Happening, shown: Words) -> str:
    """`   1234 ms  kubelet                  pod/web-1: container web runs`."""
    told: Message = one.told
    actor = shown.words(one.actor)
    return f"{one.ms:>{MS}} ms  {actor:<{ACTOR}}  {shown.words(one.subject)}: {shown.words(told)}"
