"""A sentence before it has a language.

Judging code never writes sentences. It names one by its id in the catalogues of `kcompanion.text` and gives the
values; the words are chosen when something is printed. That keeps JSON the same in every language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Message:
    """An id of the catalogue and the values for its placeholders (text, numbers, other messages)."""

    id: str
    values: tuple[tuple[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "values": {key: _plain(value) for key, value in self.values}}


def say(id: str, /, **values: Any) -> Message:  # noqa: ANN401 - a placeholder takes anything printable
    """`say("leader.held", holder=node, age=12)`."""
    return Message(id, tuple(sorted(values.items())))


def one_or_many(id: str, count: int) -> str:
    """`id`, or `id_one` when there is just one: English needs both, Korean says the same twice."""
    return f"{id}_one" if count == 1 else id


def _plain(value: object) -> object:
    return value.to_json() if isinstance(value, Message) else value
