"""The last decisions, kept for /decisions and `kcompanion reconcile watch`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from kcompanion.reconcile.decision import Decision
from kcompanion.reconcile.moments import api_time

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision, numbered, so that a reader can go on where it stopped."""

    seq: int
    time: int
    decision: Decision
    run: str  # of the operator: another begins to count anew, also where it takes the place of the first

    def to_json(self) -> dict[str, Any]:
        told = self.decision.to_json()
        return {"run": self.run, "seq": self.seq, "time": api_time(self.time), "decision": told}


Wanted = Callable[[Entry], bool]


class Chronicle:
    """A ring of decisions; the dull ones (nothing to do, nothing written) do not push out the others."""

    def __init__(self, now: Callable[[], int], kept: int = KEPT) -> None:
        self.run = uuid4().hex[:8]
        self._now = now
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._seq = 0
        self._news = asyncio.Event()

    def add(self, decision: Decision) -> None:
        if decision.idle:
            return
        self._seq += 1
        self._entries.append(Entry(self._seq, self._now(), decision, self.run))
        self._news.set()

    def since(self, seq: int, wanted: Wanted) -> list[Entry]:
        return [entry for entry in self._entries if entry.seq > seq and wanted(entry)]

    async def follow(self, seq: int, wanted: Wanted) -> AsyncIterator[Entry]:
        """What is kept, then what comes, for ever."""
        while True:
            fresh = [entry for entry in self._entries if entry.seq > seq]
            for entry in fresh:  # more may come while one is sent
                seq = entry.seq
                if wanted(entry):
                    yield entry
            if self._seq <= seq or not fresh:
                self._news.clear()
                await self._news.wait()
