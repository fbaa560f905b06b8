"""Times as the API writes them, and ages as kubectl prints them."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: object) -> datetime | None:
    """An RFC 3339 time (with or without fractions) as an aware datetime, None for anything else."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds: `2026-11-21T06:30:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_between(earlier: object, later: datetime) -> int | None:
    """Whole seconds from an API time to `later`, not below zero (clocks differ); None if there is no time."""
    moment = parse_time(earlier)
    return None if moment is None else max(0, int((later - moment).total_seconds()))


# (below this many seconds, unit, seconds per unit, smaller unit, seconds per smaller unit): the thresholds of
# HumanDuration in k8s.io/apimachinery/pkg/util/duration, which kubectl's AGE column uses.
_AGE_STEPS: tuple[tuple[float, str, int, str, int], ...] = (
    (120, "s", 1, "", 0),
    (10 * 60, "m", 60, "s", 1),
    (3 * 3600, "m", 60, "", 0),
    (8 * 3600, "h", 3600, "m", 60),
    (48 * 3600, "h", 3600, "", 0),
    (8 * 86400, "d", 86400, "h", 3600),
    (2 * 365 * 86400, "d", 86400, "", 0),
    (8 * 365 * 86400, "y", 365 * 86400, "d", 86400),
    (float("inf"), "y", 365 * 86400, "", 0),
)


class Age(str):
    """A duration in kubectl's spelling, told apart from other text: a sentence may spell it in its own language."""

    __slots__ = ()


def human_age(seconds: int) -> Age:
    """`5m30s`, `3h`, `8d`: a duration in kubectl's spelling; clocks differ, so nothing is younger than 0s."""
    seconds = max(0, seconds)
    for limit, unit, size, small, small_size in _AGE_STEPS:
        if seconds < limit:
            rest = seconds % size // small_size if small else 0
            return Age(f"{seconds // size}{unit}" + (f"{rest}{small}" if rest else ""))
    raise AssertionError("the last step has no limit")
