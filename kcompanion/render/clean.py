"""Cluster text made harmless for a terminal: no control characters, no escape sequences, no direction tricks."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_KEPT_FORMAT = {"\u200d"}  # the joiner of some scripts


def clean(text: str) -> str:
    """The text on one line, without ANSI sequences, control characters and bidirectional overrides."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(char) for char in _ESCAPE.sub("", text))


def _harmless(char: str) -> str:
    if char in "\n\r\t":
        return " "
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Co", "Zl", "Zp") or (category == "Cf" and char not in _KEPT_FORMAT):
        return ""
    return char
