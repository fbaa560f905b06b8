"""Durations in a sentence: English has kubectl's spelling (`5m30s`), Korean its own words (`5분 30초`)."""

from __future__ import annotations

import re

from kcompanion.model.times import Age

_PART = re.compile(r"(\d+)([smhdy])")
_WORDS = {"ko": {"s": "초", "m": "분", "h": "시간", "d": "일", "y": "년"}}


def spelled(age: Age, language: str) -> str:
    """The duration as a sentence of the language has it."""
    words = _WORDS.get(language)
    return " ".join(count + words[unit] for count, unit in _PART.findall(age)) if words else str(age)
