"""Watches that outlive disconnects: a list, then every change after it, then on where the last one broke off.

One daemon thread per watch puts notices into a queue, stamped when they arrive. The server ends every watch after a
while; that and broken connections are resumed at the last resourceVersion. When that is too old (410), everything is
listed anew and the differences are told as changes.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kcompanion.cluster import scrub
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.model.ask import Ask, Outcome, listing, outcome_of
from kcompanion.model.fields import map_at, text_at
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object

SERVER_ENDS = 50  # seconds after which the server ends a watch, so that a dead connection is noticed
SILENCE = SERVER_ENDS + 15.0
REQUEST = 10.0  # seconds for a list
_WAITS = (0.2, 0.5, 1.0, 2.0)  # seconds between attempts while the server cannot be reached
# Types of notices beside the API's ADDED, MODIFIED and DELETED.
PRESENT, SYNCED, AGAIN, BLIND, TROUBLE = "PRESENT", "SYNCED", "AGAIN", "BLIND", "TROUBLE"


@dataclass(frozen=True)
class Notice:
    """One thing a watch learnt. `at` is `time.monotonic()` when it arrived."""

    at: float
    resource: Resource
    type: str
    item: Object
    detail: str = ""
    outcome: Outcome = Outcome.OK  # of BLIND and TROUBLE: what kind of failure it was


class _Expired(Exception):
    """The resourceVersion is older than what the server keeps."""


class _Refused(Exception):
    """The server will not let us watch; the text says why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome_of(status)


class Watch:
    """A watch on a resource in a namespace (or everywhere), narrowed by a field selector."""

    def __init__(
        self,
        connection: Connection,
        resource: Resource,
        namespace: str | None,
        notices: queue.SimpleQueue[Notice],
        fields: str = "",
    ) -> None:
        self._transport = Transport(connection)
        self._ask: Ask = listing(resource, namespace, fields=fields, keep_managed_fields=True)
        self._path = resource.path(namespace)
        self._query = {"fieldSelector": fields} if fields else {}
        self._resource = resource
        self._notices = notices
        self._known: dict[str, Object] = {}  # by uid
        self._version = ""
        self._stopped = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Lets the thread end with its next line; it is a daemon and holds nothing up."""
        self._stopped.set()

    def _tell(self, kind: str, item: Object | None = None, detail: str = "", outcome: Outcome = Outcome.OK) -> None:
        self._notices.put(Notice(time.monotonic(), self._resource, kind, item or {}, detail, outcome))

    def _run(self) -> None:
        failures, listed = 0, False
        while not self._stopped.is_set():
            try:
                if not self._version:
                    self._list(first=not listed)
                    listed = True
                self._follow()
                failures = 0
            except _Expired:
                self._version = ""
            except _Refused as refusal:
                self._tell(BLIND, detail=str(refusal), outcome=refusal.outcome)
                return
            except (TransportError, ValueError) as error:  # the server is away, or its answer was cut off
                if not listed:
                    outcome = error.outcome if isinstance(error, TransportError) else Outcome.ERROR
                    self._tell(TROUBLE, detail=str(error), outcome=outcome)
                failures += 1
                self._stopped.wait(_WAITS[min(failures, len(_WAITS)) - 1])

    # ------------------------------------------------------------------------------------- list

    def _list(self, *, first: bool) -> None:
        response = self._transport.request(f"{self._path}?{urlencode(self._query)}", timeout=REQUEST)
        _check(response.status, response.body)
        page = json.loads(response.body)
        items = scrub.objects(self._ask, page.get("items") or [])
        self._version = text_at(page, "metadata", "resourceVersion")
        now = {text_at(item, "metadata", "uid"): item for item in items}
        if first:
            for item in items:
                self._tell(PRESENT, item)
            self._tell(SYNCED)
        else:
            self._catch_up(now)
        self._known = now

    def _catch_up(self, now: dict[str, Object]) -> None:
        """What happened while nobody looked, as far as before and after tell."""
        self._tell(AGAIN)
        for uid, item in now.items():
            before = self._known.get(uid)
            if before is None:
                self._tell("ADDED", item)
            elif text_at(before, "metadata", "resourceVersion") != text_at(item, "metadata", "resourceVersion"):
                self._tell("MODIFIED", item)
        for uid in self._known.keys() - now.keys():
            self._tell("DELETED", self._known[uid])

    # ------------------------------------------------------------------------------------ follow

    def _follow(self) -> None:
        """Reads changes until the server ends the watch."""
        query = {
            **self._query,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(SERVER_ENDS),
        }
        with self._transport.lines(f"{self._path}?{urlencode(query)}", timeout=SILENCE) as answer:
            if answer.status != 200:
                _check(answer.status, b"".join(answer.lines))
            for change in _changes(answer.lines):
                if self._stopped.is_set():
                    return
                self._take(change)

    def _take(self, change: dict[str, Any]) -> None:
        kind, item = text_at(change, "type"), change.get("object")
        if kind == "ERROR" or not isinstance(item, dict):
            _check(int(map_at(change, "object").get("code") or 500), b"")
            return
        self._version = text_at(item, "metadata", "resourceVersion") or self._version
        if kind == "BOOKMARK":
            return
        scrub.objects(self._ask, [item])
        uid = text_at(item, "metadata", "uid")
        if kind == "DELETED":
            self._known.pop(uid, None)
        else:
            self._known[uid] = item
        self._tell(kind, item)


def _changes(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.strip():
            change = json.loads(line)
            if isinstance(change, dict):
                yield change


def _check(status: int, body: bytes) -> None:
    """Raises what a status means for a watch.

    Raises:
        _Expired, _Refused, TransportError: too old, not allowed, or try again.
    """
    if status == 410:
        raise _Expired
    if status < 300:
        return
    try:
        detail = str(json.loads(body).get("message") or "")
    except (ValueError, AttributeError):
        detail = ""
    told = " ".join(detail.split())[:200] or f"HTTP {status}"
    if status in (401, 403, 404, 405):
        raise _Refused(status, told)
    raise TransportError(Outcome.ERROR, told, transient=True)
