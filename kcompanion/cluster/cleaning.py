"""Takes back what a lesson did: the changes of its journal in reverse, then its namespace or what has its label."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kcompanion.cluster.bench import ask
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.journal import Entry, Head
from kcompanion.cluster.kinds import handed_over, is_kind, objects_of, used_by
from kcompanion.cluster.mending import mend
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import MERGE, RUN, Undo
from kcompanion.learn.lessons import LESSONS
from kcompanion.learn.mark import LESSON, UNCORDON
from kcompanion.learn.needs import gap
from kcompanion.learn.places import everywhere
from kcompanion.model import resources as r
from kcompanion.model.ask import outcome_of
from kcompanion.model.fields import labels_of, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Gap
from kcompanion.model.times import parse_time

OLD = timedelta(minutes=30)  # longer than any lesson: without a journal here, what is older is a leftover
EVERY = 0.3
_DELETE = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}


class Unread(Exception):
    """What may be left could not be listed; `gap` says why."""

    def __init__(self, collection: str, gap: Gap) -> None:
        super().__init__(f"{collection} could not be listed: {gap.detail}")
        self.gap = gap


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
        """Takes one run back and waits until its objects are gone; what is left, empty when nothing is.

        Nodes come first: without them there may be no API server to ask.
        """
        commands = [undo for undo in undos if undo.method == RUN]
        left = mend(commands, self._send, self._tell) if commands else []
        left += [one for undo in reversed(undos) if undo.method != RUN for one in self._undo(undo)]
        if head.own:
            path = r.NAMESPACES.path(None, head.namespace)
            return [*left, *self._undo(Undo("DELETE", path, _DELETE))]
        for collection in head.collections:
            left += self._labelled(collection, head.run)
        return left

    def leftovers(self, known: Iterable[Entry], now: datetime, namespace: str | None) -> Iterator[Undo]:
        """What carries our label and belongs to no run that may be alive; as the requests that remove it.

        Whether a run whose journal is not here is alive is told by age alone.

        Raises:
            Unread: that could not be listed.
        """
        runs = {entry.head.run for entry in known}
        spaces = [] if namespace else self._listed(r.NAMESPACES.path(), LESSON)
        runs |= {str(labels_of(space).get(LESSON)) for space in spaces if not _old(space, now)}
        for collection in everywhere(LESSONS, namespace):
            for item in self._listed(collection, LESSON):
                inside = any(name_of(space) == namespace_of(item) for space in spaces)  # goes with its namespace
                owned = any(True for _ in maps_at(item, "metadata", "ownerReferences"))  # goes with its owner
                if not inside and not owned and labels_of(item).get(LESSON) not in runs and _old(item, now):
                    yield Undo("DELETE", _path(collection, item), _DELETE)
        for item in [] if namespace else self._listed(r.NODES.path(), LESSON):
            if labels_of(item).get(LESSON) not in runs and _old(item, now):
                yield Undo("PATCH", r.NODES.path(None, name_of(item)), UNCORDON, MERGE)

    def undo(self, undo: Undo) -> list[str]:
        """Takes one change back; what is left of it."""
        return self._undo(undo)

    def _undo(self, undo: Undo) -> list[str]:
        return self._kinds(undo.path) if undo.method == "DELETE" and is_kind(undo.path) else self._sent(undo)

    def _kinds(self, path: str) -> list[str]:
        """Deletes the kinds that a lesson made, but for those that somebody else uses by now: they stay."""
        status, body = self._send(Request("GET", path))
        if status == 404:
            return []
        if status != 200:
            return [f"{path} could not be read: {text_at(body, 'message') or status}"]
        kinds = [dict(one) for one in maps_at(body, "items")] if "items" in body else [body]
        return [problem for kind in kinds for problem in self._kind(kind)]

    def _kind(self, kind: Mapping[str, Any]) -> list[str]:
        path = r.CRDS.path(None, name_of(kind))
        try:
            objects = self._listed(objects_of(kind), "")
        except Unread as error:
            return [f"{path} may be in use: {error}"]
        who = used_by(kind, objects)
        if not who:
            version = {"uid": text_at(kind, "metadata", "uid")}
            return self._sent(Undo("DELETE", path, {**_DELETE, "preconditions": version}))
        self._tell(say("learn.kind_kept", name=name_of(kind), who=who))
        return self._sent(Undo("PATCH", path, handed_over(objects, labels_of(kind).get(LESSON)), MERGE))

    def _sent(self, undo: Undo) -> list[str]:
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
            raise Unread(collection, gap(request, error.outcome, error.detail)) from error
        if status == 404:  # this cluster does not serve the kind
            return []
        if status != 200:
            why = text_at(body, "message") or f"HTTP {status}"
            raise Unread(collection, gap(request, outcome_of(status), why))
        return [dict(item) for item in maps_at(body, "items")]

    def _going(self, path: str) -> list[str]:
        """Waits until an object that is being deleted is gone; what is left of it."""
        began = heard = time.monotonic()
        told = False
        while True:
            status, body = self._send(Request("GET", path))
            if status == 404 or (status == 200 and isinstance(body, dict) and body.get("items") == []):
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


def _old(item: Mapping[str, Any], now: datetime) -> bool:
    """Whether our label is there for longer than any lesson takes; a node's is younger than the node."""
    entries = [entry for entry in maps_at(item, "metadata", "managedFields") if f"f:{LESSON}" in str(entry)]
    times = [text_at(entry, "time") for entry in entries] or [text_at(item, "metadata", "creationTimestamp")]
    made = parse_time(max(times))
    return made is not None and now - made > OLD


def _path(collection: str, item: Mapping[str, Any]) -> str:
    """An object's own path, from that of a collection in one or in all namespaces."""
    root, _, plural = collection.rpartition("/")
    space = namespace_of(item)
    inside = f"/namespaces/{space}" if space and not root.endswith(f"/namespaces/{space}") else ""
    return f"{root}{inside}/{plural}/{name_of(item)}"


def held_by(item: object) -> str:
    """What keeps an object that is being deleted, in its own words: its conditions, else its finalizers."""
    conditions = (one for one in maps_at(item, "status", "conditions") if text_at(one, "status") == "True")
    said = [text_at(one, "message") for one in conditions]
    return " ".join(filter(None, said)) or ", ".join(texts_at(item, "metadata", "finalizers"))
