"""List and watch: a copy of one kind of object that is held up to date, or says that it is not.

Not by Kopf's watching, for two reasons that were tried out with version 1.45.2. After a relist it never tells of the
objects that have vanished meanwhile; a controller would count such pods for ever and create too few. And a watch
that ends in an ERROR event other than 410 (etcd changes its leader) ends the whole operator. Besides it spends about
a millisecond of processor on each event, ten times what this costs.

What is survived here: cut and refused connections, 410 (list anew), ERROR events, expired continue tokens, and
silence. A healthy API server sends a bookmark every minute; a watch that says nothing for longer is dead, and is
opened anew from the last version seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from kcompanion.model.fields import maps_at, text_at
from kcompanion.reconcile.pod import version_of
from operators.replicaset import nesting
from operators.replicaset.client import Client, WatchEnded, query
from operators.replicaset.logs import Log

PAGE = 500
SILENCE = 75.0  # seconds: bookmarks come every 60
RENEWAL = (300, 600)  # seconds after which the server ends a watch by itself; at random, as in client-go
BACKOFF_FIRST, BACKOFF_MOST = 0.1, 10.0
QUIET = 5.0  # a watch that lasted as long was a good one: the back-off starts anew
PATIENCE = 3  # watches in a row that the server refused or broke off, before everything is listed anew
GONE = 410

T = TypeVar("T")


class Sink(Protocol[T]):
    """Who keeps the objects. All calls are synchronous: a storm of events only marks keys."""

    def replaced(self, items: list[T], version: int) -> None:
        """These are all there are; what was known beside them has vanished."""

    def changed(self, item: T) -> None:
        """One was added or modified."""

    def deleted(self, item: T) -> None: ...

    def reached(self, version: int) -> None:
        """Nothing happened up to this version (a bookmark)."""


class Reflector(Generic[T]):
    """Keeps one collection of the API in one sink."""

    def __init__(
        self,
        name: str,
        client: Client,
        path: str,
        parse: Callable[[Mapping[str, Any]], T],
        sink: Sink[T],
        log: Log,
        *,
        silence: float = SILENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.synced = asyncio.Event()
        self.lists = self.watches = self.events = 0
        self.trouble = ""  # why it is not up to date, for /readyz
        self._client, self._path, self._parse, self._sink, self._log = client, path, parse, sink, log
        self._silence, self._clock = silence, clock
        self._heard = clock()
        self._version = ""
        self._failures = 0  # in a row, for the back-off; a list that succeeds says nothing about watches
        self._broken = 0  # watches since the last list
        self._retry_after = 0.0
        self._troubled: float | None = None  # since when; only a watch that lives ends it
        self._listed = float("-inf")  # when the last complete list began
        self._turn: asyncio.Task[None] | None = None

    @property
    def silent(self) -> float:
        """Seconds since the server was last heard: an event, a bookmark, a list."""
        return self._clock() - self._heard

    @property
    def troubled(self) -> float:
        """Seconds since a watch last told something, if it has been refused or broken off since then; else 0."""
        return 0.0 if self._troubled is None else self._clock() - self._troubled

    async def run(self) -> None:
        """For ever: list when there is no version to go on from, else watch."""
        while True:
            self._turn = asyncio.create_task(self._once())
            try:
                await self._turn
            except asyncio.CancelledError:
                this = asyncio.current_task()
                if this is None or this.cancelling():
                    raise
            if self._failures:
                await asyncio.sleep(self._pause())

    async def fresh(self, since: float) -> None:
        """Returns when everything that was true at `since` is known: lists anew unless that was done later."""
        if self._listed < since:
            self.synced.clear()
            self._version = ""
            self._interrupt()
        await self.synced.wait()

    def reopen(self) -> None:
        """Gives up a watch that is suspected to be dead, and goes on from its last version."""
        self._interrupt()

    def _interrupt(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._failures = 0  # it is not the server that ends this turn
            self._turn.cancel()

    async def _once(self) -> None:
        lists, self._retry_after = not self._version, 0.0
        began: float | None = None
        try:
            if lists:
                await self._list()
            began = self._clock()
            await self._watch()
            if self._clock() - began > QUIET:
                self._failures, self._troubled = 0, None
            else:
                self._failures += 1
            self.trouble = ""
        except WatchEnded as error:
            lived = began is not None and self._clock() - began > QUIET
            self._fail(error, lived=lived, listed=lists)

    def _fail(self, error: WatchEnded, *, lived: bool, listed: bool) -> None:
        if lived:
            self._failures = self._broken = 0
        self._failures += 1
        self._broken += 1
        if error.code:  # an answer, if not the one that was wanted: the server is there
            self._heard = self._clock()
        if error.code == GONE:
            self._version = ""
            if not listed:
                self._failures = min(self._failures, 2)  # listing is what helps, so soon
        elif error.code and self._broken > PATIENCE:
            self._version = ""
        self._retry_after = min(error.retry_after or 0.0, self._silence)
        self._troubled = self._clock() if self._troubled is None else self._troubled
        self.trouble = f"{error.code or 'no answer'}: {error.message}"
        self._log.warning("watch interrupted", resource=self.name, code=error.code, said=error.message)

    def _pause(self) -> float:
        most: float = min(BACKOFF_FIRST * 2.0 ** (self._failures - 1), BACKOFF_MOST)
        return max(self._retry_after, most * random.uniform(0.5, 1.0))  # noqa: S311 - spreads clients, guards nothing

    async def _list(self) -> None:
        """A consistent list in pages; a cache behind another server's might miss our own last pods."""
        items: list[T] = []
        proceed, began = "", self._clock()
        while True:
            page = query(limit=PAGE, **({"continue": proceed} if proceed else {}))
            answer = await self._client.ask("GET", self._path + page, limited=False)
            if not answer.ok:
                raise WatchEnded(answer.code, answer.message, answer.retry_after)
            items += [self._parse(item) for item in maps_at(answer.body, "items")]
            self._heard = self._clock()
            proceed = text_at(answer.body, "metadata", "continue")
            if not proceed:
                break
        self._version = text_at(answer.body, "metadata", "resourceVersion")
        self.lists += 1
        self._listed, self._broken, self.trouble = began, 0, ""
        self._sink.replaced(items, version_of(answer.body))
        self.synced.set()
        self._log.info("listed", resource=self.name, objects=len(items), version=self._version)

    async def _watch(self) -> None:
        """One watch, until it ends.

        Raises:
            WatchEnded: otherwise than by the server's own time limit.
        """
        limit = random.randint(*RENEWAL)  # noqa: S311 - as above
        path = self._path + query(
            watch="true", allowWatchBookmarks="true", resourceVersion=self._version, timeoutSeconds=limit
        )
        self.watches += 1
        async for line in self._client.lines(path, silence=self._silence):
            self._heard = self._clock()
            self._take(line)
            self.trouble, self._troubled = "", None

    def _take(self, line: bytes) -> None:
        try:
            event = _event(line)
            kind, item = event["type"], event["object"]
        except (ValueError, KeyError, TypeError) as error:
            raise WatchEnded(0, "the watch sent a line that is no event") from error
        if kind == "ERROR":
            code = item.get("code") if isinstance(item, dict) else 0
            raise WatchEnded(code if isinstance(code, int) else 0, text_at(item, "message") or "error in the watch")
        self.events += 1
        if kind == "BOOKMARK":
            self._sink.reached(version_of(item))
        elif kind == "DELETED":
            self._sink.deleted(self._parse(item))
        else:
            self._sink.changed(self._parse(item))
        self._version = text_at(item, "metadata", "resourceVersion") or self._version


def _event(line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(line)
    except RecursionError:
        return nesting.event_of(line)
