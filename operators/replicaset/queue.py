"""The work queue: keys, each at most once, never in two hands, and some of them only later.

What client-go's workqueue guarantees, in one loop and without threads. Two things are added. Beside the key it keeps
the last few reasons for which the key was added, so that a decision can be told with what woke it. And a key can be
held for a moment, as long as none of its reasons is urgent.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kcompanion.reconcile.target import Key
from kcompanion.reconcile.triggers import Cause, Wake
from operators.replicaset.bucket import Bucket

FIRST_RETRY, LAST_RETRY = 0.005, 1000.0  # DefaultTypedControllerRateLimiter in client-go
RETRIES_PER_SECOND, RETRIES_AT_ONCE = 10, 100
REASONS = 10
Hold = Callable[[Key, Iterable[Wake]], float]  # seconds for which a key with these reasons may wait


@dataclass(slots=True)
class _Dirty:
    """A key that is to be processed: since when, why, and whether it can be got already."""

    since: float
    reasons: deque[Wake]
    ready: bool = False


class Queue:
    """Belongs to one loop. Whoever gets a key has to say `done`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, hold: Hold = lambda _key, _wakes: 0.0) -> None:
        self.adds = self.retries = self.held = 0
        self.waited: Callable[[float], None] = lambda _seconds: None  # told how long each key stood in the queue,
        self.worked: Callable[[float], None] = lambda _seconds: None  # and how long it was in work
        self._clock, self._hold = clock, hold
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._dirty: dict[Key, _Dirty] = {}
        self._processing: dict[Key, float] = {}  # since when
        self._holding: dict[Key, asyncio.TimerHandle] = {}
        self._later: dict[Key, tuple[float, asyncio.TimerHandle]] = {}
        self._failures: dict[Key, int] = {}
        self._bucket = Bucket(RETRIES_PER_SECOND, RETRIES_AT_ONCE, clock)

    def __len__(self) -> int:
        return self._ready.qsize()

    @property
    def depth(self) -> int:
        """Keys that were added and not yet got, as client-go counts them: also those in work once more, and held."""
        return len(self._dirty)

    @property
    def delayed(self) -> int:
        return len(self._later)

    @property
    def processing(self) -> int:
        return len(self._processing)

    def ages(self) -> list[float]:
        """For how many seconds each key in work has been so."""
        now = self._clock()
        return [now - began for began in self._processing.values()]

    def add(self, wake: Wake) -> None:
        """Now, or as soon as whoever has the key is done with it."""
        key = wake.key
        if (dirty := self._dirty.get(key)) is None:
            self._dirty[key] = dirty = _Dirty(self._clock(), deque(maxlen=REASONS))
            self.adds += 1
        dirty.reasons.append(wake)
        if not dirty.ready and key not in self._processing:
            self._admit(key, dirty)

    def add_after(self, wake: Wake, seconds: float) -> None:
        """Later; of several delays of one key the shortest counts, as in client-go."""
        if wake.cause is not Cause.TIMEOUT:  # a look that is ours alone; client-go counts all others
            self.retries += 1
        if seconds <= 0:
            self.add(wake)
            return
        due = self._clock() + seconds
        if (known := self._later.get(wake.key)) is not None:
            if known[0] <= due:
                return
            known[1].cancel()
        timer = asyncio.get_running_loop().call_later(seconds, self._mature, wake)
        self._later[wake.key] = due, timer

    def retry(self, wake: Wake) -> float:
        """Once more after an error: later each time, and not too many of all keys together; the delay."""
        failures = self._failures.get(wake.key, 0)
        self._failures[wake.key] = failures + 1
        # beyond 2**20 the limit has long been reached, and floats end somewhere
        delay = min(FIRST_RETRY * 2.0 ** min(failures, 20), LAST_RETRY)
        delay = max(delay, self._bucket.reserve())
        self.add_after(wake, delay)
        return delay

    def forget(self, key: Key) -> None:
        """The last try went well: the next error starts with a short delay again."""
        self._failures.pop(key, None)

    async def get(self) -> tuple[Key, tuple[Wake, ...]]:
        """The next key, and why it is in the queue."""
        key = await self._ready.get()
        dirty = self._dirty.pop(key)
        self._processing[key] = now = self._clock()
        self.waited(now - dirty.since)
        return key, tuple(dirty.reasons)

    def done(self, key: Key) -> None:
        self.worked(self._clock() - self._processing.pop(key))
        if (dirty := self._dirty.get(key)) is not None:
            self._admit(key, dirty)

    def stop(self) -> None:
        """Nothing comes later any more."""
        for timer in (*self._holding.values(), *(timer for _, timer in self._later.values())):
            timer.cancel()
        self._holding.clear()
        self._later.clear()

    def _mature(self, wake: Wake) -> None:
        self._later.pop(wake.key, None)
        self.add(wake)

    def _admit(self, key: Key, dirty: _Dirty) -> None:
        """Lets a dirty key in, or holds it; asked again with each new reason."""
        wait = self._hold(key, dirty.reasons)
        if wait <= 0:
            self._enter(key)
        elif key not in self._holding:
            self.held += 1
            self._holding[key] = asyncio.get_running_loop().call_later(wait, self._enter, key)

    def _enter(self, key: Key) -> None:
        if (timer := self._holding.pop(key, None)) is not None:
            timer.cancel()
        self._dirty[key].ready = True
        self._ready.put_nowait(key)
