"""The client's own limit: kube-controller-manager's `--kube-api-qps` and `--kube-api-burst`.

A token bucket as golang.org/x/time/rate has it: a caller takes its token at once, if need be from the future, and
waits for that moment. So callers go in the order in which they came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Bucket:
    """So many a second, and `burst` at once after a pause; without a rate it never makes anybody wait."""

    __slots__ = ("_burst", "_clock", "_last", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, max(1, burst), clock
        self._tokens, self._last = float(self._burst), clock()

    def reserve(self) -> float:
        """Takes one token and tells how many seconds to wait for it."""
        if self._rate <= 0:
            return 0.0
        self._fill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def allow(self) -> bool:
        """Takes one token if there is one now."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now

    async def take(self) -> float:
        """Waits for one token; the seconds waited."""
        wait = self.reserve()
        if wait > 0:
            await asyncio.sleep(wait)
        return wait
