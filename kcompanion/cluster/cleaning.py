"""Takes back what a lesson did: the changes of its journal in reverse, then its namespace or what has its label."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kcompanion.cluster.bench import ask
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.journal import Entry, Head
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import MERGE, Undo
from kcompanion.learn.mark import LESSON, UNCORDON
from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, maps_at, name_of, text_at, texts_at
from kcompanion.model.message import Message, say
from kcompanion.model.times import parse_time

OLD = timedelta(minutes=30)  # longer than any lesson: without a journal here, such a namespace is a leftover
EVERY = 0.3
_DELETE = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}


class Unread(Exception):
    """What may be left could not be listed."""


@dataclass(frozen=True)
class Patience:
    """How many seconds a deletion is waited for."""

    whole: float = 300.0  # until the object has to be gone: on a loaded machine ending pods takes minutes
    quiet: float = 15.0  # until the person is told that and why it takes so long
    silence: float = 30.0  # without any answer, until nobody is thought to answer any more


class Cleaner:
    """Removes over one connection; what it could not remove is told, never raised."""

    def __init__(
        self,
        connection: Connection,
        timeout: float,
        tell: Callable[[Message], None] = lambda _: None,
        patience: Patience | None = None,
    ) -> None:
        self._transport = Transport(connection)
        self._timeout = timeout
        self._tell = tell
        self._patience = patience or Patience()

    def clean(self, head: Head, undos: Sequence[Undo]) -> list[str]:
        """Takes one run back and waits until its objects are gone; what is left, empty when nothing is."""
        left = [one for undo in reversed(undos) for one in self._undo(undo)]
        if head.own:
            path = r.NAMESPACES.path(None, head.namespace)
            return [*left, *self._undo(Undo("DELETE", path, _DELETE))]
        for collection in head.collections:
            left += self._labelled(collection, head.run)
        return left

    def leftovers(self, known: Iterable[Entry], now: datetime) -> Iterator[Undo]:
        """What carries our label, is old, and belongs to no run known here; as the requests that remove it.

        Raises:
            Unread: that could not be listed.
        """
        runs = {entry.head.run for entry in known}
        for item in self._listed(r.NAMESPACES.path(), LESSON):
            made = parse_time(text_at(item, "metadata", "creationTimestamp"))
            if labels_of(item).get(LESSON) not in runs and made is not None and now - made > OLD:
                yield Undo("DELETE", r.NAMESPACES.path(None, name_of(item)), _DELETE)
        for item in self._listed(r.NODES.path(), LESSON):
            if labels_of(item).get(LESSON) not in runs:
                yield Undo("PATCH", r.NODES.path(None, name_of(item)), UNCORDON, MERGE)

    def undo(self, undo: Undo) -> list[str]:
        """Takes one change back; what is left of it."""
        return self._undo(undo)

    def _undo(self, undo: Undo) -> list[str]:
        status, body = self._send(Request(undo.method, undo.path, undo.body, undo.content_type))
        if status == 404:
            return []
        if not 200 <= status < 300:
            return [f"{undo.method} {undo.path}: {text_at(body, 'message') or f'HTTP {status}'}"]
        return self._going(undo.path) if undo.method == "DELETE" else []

    def _labelled(self, collection: str, run: str) -> list[str]:
        """Deletes what carries the run's label in a collection, and waits until it is gone."""
        try:
            return [
                one
                for item in self._listed(collection, f"{LESSON}={run}")
                for one in self._undo(Undo("DELETE", f"{collection}/{name_of(item)}", _DELETE))
            ]
        except Unread as error:
            return [str(error)]

    def _listed(self, collection: str, selector: str) -> list[dict[str, Any]]:
        request = Request("GET", f"{collection}?labelSelector={selector}")
        try:
            status, body = ask(self._transport, request, self._timeout)
        except TransportError as error:
            raise Unread(f"{collection} could not be listed: {error.detail}") from error
        if status != 200:
            raise Unread(f"{collection} could not be listed: {text_at(body, 'message') or status}")
        return [dict(item) for item in maps_at(body, "items")]

    def _going(self, path: str) -> list[str]:
        """Waits until an object that is being deleted is gone; what is left of it."""
        began = heard = time.monotonic()
        told = False
        while True:
            status, body = self._send(Request("GET", path))
            if status == 404:
                return []
            now = time.monotonic()
            heard = now if status else heard
            if now - heard > self._patience.silence:
                return [f"{path} may be left: {text_at(body, 'message')}"]
            why = held_by(body)
            if now - began > self._patience.whole:
                return [f"{path} is still being deleted" + (f": {why}" if why else "")]
            if not told and now - began > self._patience.quiet:
                told = True
                self._tell(say("learn.still_there" if why else "learn.still_there_somehow", path=path, why=why))
            time.sleep(EVERY)

    def _send(self, request: Request) -> tuple[int, Any]:
        """Status and answer; 0 and why where there was none."""
        try:
            return ask(self._transport, request, self._timeout)
        except TransportError as error:
            return 0, {"message": error.detail}


def held_by(item: object) -> str:
    """What keeps an object that is being deleted, in its own words: its conditions, else its finalizers."""
    conditions = (one for one in maps_at(item, "status", "conditions") if text_at(one, "status") == "True")
    said = [text_at(one, "message") for one in conditions]
    return " ".join(filter(None, said)) or ", ".join(texts_at(item, "metadata", "finalizers"))
