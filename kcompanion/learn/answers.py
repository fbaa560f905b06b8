"""What was asked and what came back, as claims see it: without secrets, the same live and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kcompanion.learn import fill


@dataclass(frozen=True)
class Request:
    """A request with nothing left open."""

    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"
    credentials: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "body": self.body,
            "contentType": self.content_type if self.body is not None else None,
            "credentials": self.credentials or "own",
        }


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `raw` is the answer with its secrets, for requests that follow, and never kept."""

    name: str
    request: Request
    status: int
    body: Any
    at_ms: int  # since the lesson began, when the answer was there
    tries: int = 1
    held: bool = True  # what was waited for came, or stayed
    raw: Any = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        answer = {"status": self.status, "body": self.body, "atMs": self.at_ms, "tries": self.tries, "held": self.held}
        return {"name": self.name, "request": self.request.to_json(), "answer": answer}


class Answers:
    """The answers so far, by the name of their act; a later act of the same name replaces an earlier one."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._raw: dict[str, Any] = {}
        self._exchanges: dict[str, Exchange] = {}

    def keep(self, exchange: Exchange) -> None:
        self._exchanges[exchange.name] = exchange
        self._values[exchange.name] = exchange.body
        self._raw[exchange.name] = exchange.body if exchange.raw is None else exchange.raw

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        self._values[name] = self._raw[name] = value

    @property
    def raw(self) -> Mapping[str, Any]:
        """For requests only: what they are filled with."""
        return self._raw

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - JSON
        return self._values[name]

    def at(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """The value at a dotted path, None where a part is missing."""
        try:
            return fill.at(self._values, path)
        except fill.NotThere:
            return None

    def ms(self, name: str) -> int:
        """When the answer came, in milliseconds since the lesson began."""
        return self._exchanges[name].at_ms

    def exchange(self, name: str) -> Exchange | None:
        return self._exchanges.get(name)
