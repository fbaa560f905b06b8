"""Times as the API writes them; ages as kubectl prints them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kcompanion.model.times import format_time, human_age, parse_time, seconds_between

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


# The table of TestHumanDuration in k8s.io/apimachinery/pkg/util/duration, and the edges between its rows.
@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (1, "1s"),
        (70, "70s"),
        (119, "119s"),
        (120, "2m"),
        (190, "3m10s"),
        (70 * MINUTE, "70m"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE + 59, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 30 * MINUTE, "7h30m"),
        (8 * HOUR + 30 * MINUTE, "8h"),
        (47 * HOUR + 59 * MINUTE, "47h"),
        (48 * HOUR, "2d"),
        (49 * HOUR, "2d1h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY + 5 * HOUR, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR - 1, "7y364d"),
        (8 * YEAR + 100 * DAY, "8y"),
        (0, "0s"),
        (-5, "0s"),
    ],
)
def test_ages_are_kubectls(seconds: int, age: str) -> None:
    assert human_age(seconds) == age


@pytest.mark.parametrize("text", ["2026-11-21T06:30:00Z", "2026-11-21T06:30:00.000000Z", "2026-11-21T07:30:00+01:00"])
def test_times(text: str) -> None:
    assert parse_time(text) == datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
    assert format_time(datetime(2026, 11, 21, 6, 30, 5, 999, tzinfo=UTC)) == "2026-11-21T06:30:05Z"


@pytest.mark.parametrize("text", ["", None, 5, "soon", "2026-13-01T00:00:00Z"])
def test_what_is_no_time(text: object) -> None:
    assert parse_time(text) is None
    assert seconds_between(text, datetime.now(UTC)) is None


def test_clocks_that_differ_make_nothing_younger_than_now() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert seconds_between("2026-11-21T00:00:09Z", now) == 0
    assert seconds_between("2026-11-20T23:59:00Z", now) == 60
