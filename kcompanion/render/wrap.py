"""Line breaking by columns on the screen: a Hangul syllable takes two."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wcwidth import wcswidth

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def width(text: str) -> int:
    """Columns the text takes on the screen; colour sequences and characters without a width count as none."""
    return max(0, wcswidth(_COLOUR.sub("", text)))


def wrap(text: str, columns: int, indent: str = "", first: str | None = None) -> list[str]:
    """Breaks at spaces so that no line is wider than `columns`, where words allow it.

    Args:
        text: one paragraph.
        columns: the width of the screen.
        indent: put before every line but the first.
        first: put before the first line (`indent` if not given).
    """
    lines: list[str] = []
    line = indent if first is None else first
    empty = True
    for word in text.split():
        if not empty and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line, empty = indent, True
        line += word if empty else f" {word}"
        empty = False
    lines.append(line.rstrip())
    return lines


def limited(lines: Sequence[str], most: int, columns: int) -> list[str]:
    """The lines if there are at most `most` (0: any number), else so many, the last one ending in an ellipsis."""
    if not most or len(lines) <= most:
        return list(lines)
    last = lines[most - 1]
    rest = " ".join(line.strip() for line in lines[most:])
    return [*lines[: most - 1], _shortened(f"{last} {rest}", columns)]


def _shortened(text: str, columns: int) -> str:
    kept = ""
    for char in text:
        if width(kept + char) > columns - 1:
            break
        kept += char
    return kept.rstrip() + "…"
