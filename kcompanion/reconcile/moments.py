"""Times as whole nanoseconds since 1970, as Go counts them: victims are ranked by the logarithm of these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from kcompanion.model.times import format_time, parse_time

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
UNKNOWN = 0  # no time at all; Go's zero time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=8192)  # pods made together carry the same second, and each is parsed at every change
def nanoseconds(text: str) -> int:
    """An API time in nanoseconds, UNKNOWN for anything that is none."""
    moment = parse_time(text)
    return UNKNOWN if moment is None else since_1970(moment)


def since_1970(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def api_time(moment: int) -> str:
    """`2026-11-21T06:30:00Z`."""
    return format_time(datetime.fromtimestamp(moment // SECOND, UTC))
