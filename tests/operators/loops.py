"""Async tests without a plugin: a decorator that gives each its own loop, and waiting for a condition."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 30))

    return run


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "did not come about in time"
        await asyncio.sleep(0.01)


async def hang_up() -> None:
    """Ends every connection of this loop, before the loop ends.

    aiohttp leaves a connection whose watch was given up to say goodbye by itself, for up to 30 seconds, and tells
    nobody; what a busy API server has not answered by then would be a ResourceWarning in whichever test comes next.
    """
    # No public way leads to them: asyncio's own list of what it reads and writes.
    for transport in list(asyncio.get_running_loop()._transports.values()):  # type: ignore[attr-defined]
        transport.abort()
    await asyncio.sleep(0)
