"""Quantities mean what the official client says they mean."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity as official

from kcompanion.model.quantities import human_bytes, parse_quantity

_SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]


@settings(deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(0, 999), st.booleans(), st.sampled_from(_SUFFIXES))
def test_as_the_official_client(whole: int, fraction: int, has_fraction: bool, suffix: str) -> None:
    text = f"{whole}.{fraction}{suffix}" if has_fraction else f"{whole}{suffix}"
    assert parse_quantity(text) == official(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("2e3", 2000), ("1E3", 1000), ("1E", 10**18), ("100m", "0.1"), (".5", "0.5"), ("1.", 1), ("+3", 3), (7, 7)],
)
def test_spellings(text: object, number: object) -> None:
    assert parse_quantity(text) == Decimal(str(number))


@pytest.mark.parametrize(
    "text",
    ["", "m", "Ki", "1KiB", "one", "1_000", "NaN", "Infinity", "\u0661", "1e99999", None, True, [], float("inf")],
)
def test_what_is_no_quantity(text: object) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 20, "3.0 MiB"), (5 << 50, "5120.0 TiB")]
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert human_bytes(count) == text
