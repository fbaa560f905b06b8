"""Status as a mark, a word and a colour; never by colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from kcompanion.model.finding import Severity, Status

MARKS = {
    Status.OK: "✔",
    Status.WARN: "▲",
    Status.FAIL: "✖",
    Status.UNKNOWN: "?",
    Status.NOT_VISIBLE: "·",
}
_COLOURS = {
    Status.OK: "32",
    Status.WARN: "33",
    Status.FAIL: "31;1",
    Status.UNKNOWN: "35",
    Status.NOT_VISIBLE: "2",
}
SEVERITY_STATUS = {
    Severity.CRITICAL: Status.FAIL,
    Severity.WARNING: Status.WARN,
    Severity.INFO: Status.NOT_VISIBLE,
}


@dataclass(frozen=True)
class Theme:
    """ANSI colours or none."""

    colour: bool = False

    def paint(self, text: str, status: Status) -> str:
        return self._wrap(text, _COLOURS[status])

    def bold(self, text: str) -> str:
        return self._wrap(text, "1")

    def dim(self, text: str) -> str:
        return self._wrap(text, "2")

    def _wrap(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text
