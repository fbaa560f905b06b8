"""Kubernetes quantities: `100m`, `1.5Gi`, `2e3`.

Written here because importing the official client's parser costs 0.4 s; a test holds the two together.
"""

from __future__ import annotations

import re
from decimal import Decimal

# Decimal alone would also take "1_000", "Infinity" and the digits of every script.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")

_SUFFIXES: dict[str, Decimal] = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    "M": Decimal(1000**2),
    "G": Decimal(1000**3),
    "T": Decimal(1000**4),
    "P": Decimal(1000**5),
    "E": Decimal(1000**6),
    "Ki": Decimal(1024),
    "Mi": Decimal(1024**2),
    "Gi": Decimal(1024**3),
    "Ti": Decimal(1024**4),
    "Pi": Decimal(1024**5),
    "Ei": Decimal(1024**6),
}


def parse_quantity(text: object) -> Decimal | None:
    """The number a quantity stands for, None when it is not one."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _decimal(str(text))
    if not isinstance(text, str):
        return None
    word = text.strip()
    for length in (2, 1):
        suffix = word[-length:]
        if len(word) > length and suffix in _SUFFIXES:
            number = _decimal(word[:-length])
            return None if number is None else number * _SUFFIXES[suffix]
    return _decimal(word)


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def human_bytes(count: int) -> str:
    """`3.4 MiB`: a size for people."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("the last unit has no limit")
