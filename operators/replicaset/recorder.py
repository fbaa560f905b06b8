"""Events about ReplicaSets, put together and held back as client-go's correlator does it.

A thousand pods are a thousand times "Created pod", and nobody wants to read, nor the API server to store, as many
events. So of one object: 25 at once and then one in five minutes (the spam filter); ten or more of one reason in ten
minutes become one event that counts; the same sentence again only raises the count of the first
(EventCorrelator in client-go, tools/record/events_cache.go).
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kcompanion.reconcile.moments import SECOND, api_time
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.requests import JSON, STRATEGIC
from kcompanion.reconcile.steps import Event
from operators.replicaset.bucket import Bucket
from operators.replicaset.client import Client
from operators.replicaset.logs import Log

SIMILAR, WITHIN = 10, 600.0
SPAM_BURST, SPAM_RATE = 25, 1 / 300.0
REMEMBERED = 4096  # of each memory; the least recently used go first
WAITING = 1000
TRIES, BETWEEN = 12, 10.0  # only while there is no answer at all
COURTESY, A_MOMENT = 1.0, 0.02  # seconds for which an event lets more urgent requests go first; between two looks
COMBINED = "(combined from similar events): "
LONGEST = 1024  # the API server refuses a longer message

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Write:
    """One request: a new event, or the count of a known one."""

    method: str
    path: str
    payload: Mapping[str, Any]
    content_type: str
    accept: str = JSON


@dataclass(slots=True)
class _Similar:
    messages: set[str] = field(default_factory=set)
    last: float = 0.0


@dataclass(slots=True)
class _Known:
    """An event as it was sent, with what it takes to send it again."""

    name: str = ""
    count: int = 0
    first: int = 0


class Correlator:
    """Decides what becomes of an event. No I/O; the time comes with each event."""

    def __init__(self, component: str) -> None:
        self._component = component
        self._spam: OrderedDict[str, Bucket] = OrderedDict()
        self._similar: OrderedDict[tuple[str, ...], _Similar] = OrderedDict()
        self._known: OrderedDict[tuple[str, ...], _Known] = OrderedDict()
        self._now = 0.0

    def correlate(self, event: Event, moment: int) -> Write | None:
        """The request for an event at a time in nanoseconds; None for one too many."""
        self._now = moment / SECOND
        owner = event.owner
        message, key = self._aggregated((owner.uid, event.type, event.reason), event.message)
        known = _touched(self._known, key, _Known)
        known.count += 1
        if not _touched(self._spam, owner.uid, self._bucket).allow():
            return None
        if known.name:
            return self._raised(known, owner, message, moment)
        known.name, known.first = f"{owner.name[:200]}.{moment:x}", moment
        return self._posted(known, event, message, moment)

    def anew(self, event: Event, refused: Write, moment: int) -> Write:
        """For a count that could not be raised since its event is gone (they live for an hour)."""
        name = refused.path.rpartition("/")[2]
        known = next((one for one in self._known.values() if one.name == name), _Known(count=1))
        known.name, known.first = f"{event.owner.name[:200]}.{moment:x}", moment
        return self._posted(known, event, str(refused.payload["message"]), moment)

    def _bucket(self) -> Bucket:
        return Bucket(SPAM_RATE, SPAM_BURST, lambda: self._now)

    def _aggregated(self, group: tuple[str, ...], message: str) -> tuple[str, tuple[str, ...]]:
        """The message to send, and the key under which it is counted."""
        similar = _touched(self._similar, group, _Similar)
        if self._now - similar.last > WITHIN:
            similar.messages.clear()
        similar.last = self._now
        similar.messages.add(message)
        if len(similar.messages) < SIMILAR:
            return message[:LONGEST], (*group, message)
        similar.messages.pop()
        return (COMBINED + message)[:LONGEST], group

    def _posted(self, known: _Known, event: Event, message: str, moment: int) -> Write:
        owner = event.owner
        payload = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": known.name, "namespace": owner.namespace},
            "involvedObject": {
                "apiVersion": owner.target.api_version,
                "kind": owner.target.kind,
                "namespace": owner.namespace,
                "name": owner.name,
                "uid": owner.uid,
                "resourceVersion": str(owner.version),
            },
            "type": event.type,
            "reason": event.reason,
            "message": message,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "firstTimestamp": api_time(known.first),
            "lastTimestamp": api_time(moment),
            "count": known.count,
        }
        return Write("POST", _path(owner), payload, JSON)

    def _raised(self, known: _Known, owner: ReplicaSet, message: str, moment: int) -> Write:
        payload = {"count": known.count, "lastTimestamp": api_time(moment), "message": message}
        return Write("PATCH", f"{_path(owner)}/{known.name}", payload, STRATEGIC)


class Recorder:
    """Sends events one after the other, and rather loses one than keeps a sync waiting.

    While pods are made, an event lets them go first, for a second at most: the first hundred pods are a hundred
    requests, and their events 25 more.
    """

    def __init__(self, client: Client, component: str, now: Callable[[], int], log: Log) -> None:
        self.dropped = 0
        self.busy: Callable[[], bool] = lambda: False  # whether a sync is under way
        self._client, self._now, self._log = client, now, log
        self._correlator = Correlator(component)
        self._waiting: asyncio.Queue[tuple[Event, int]] = asyncio.Queue(WAITING)

    def record(self, event: Event) -> None:
        try:
            self._waiting.put_nowait((event, self._now()))
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        while True:
            event, moment = await self._waiting.get()
            write = self._correlator.correlate(event, moment)
            if write is not None:
                await self._let_go_first(moment)
                await self._send(event, write)

    async def _let_go_first(self, moment: int) -> None:
        while self.busy() and self._now() - moment < COURTESY * SECOND:
            await asyncio.sleep(A_MOMENT)

    async def _send(self, event: Event, write: Write) -> None:
        for _ in range(TRIES):
            body = json.dumps(write.payload).encode()
            answer = await self._client.ask(write.method, write.path, body, write)
            if answer.code == 404 and write.method == "PATCH":
                write = self._correlator.anew(event, write, self._now())
                continue
            if answer.code:  # also a refusal: in a namespace that is being deleted there are no events
                return
            await asyncio.sleep(BETWEEN)
        self.dropped += 1
        self._log.warning("an event was lost", reason=event.reason, object=str(event.owner.key))


def _path(owner: ReplicaSet) -> str:
    return f"/api/v1/namespaces/{owner.namespace}/events"


def _touched(memory: OrderedDict[K, V], key: K, new: Callable[[], V]) -> V:
    """The entry of a memory that forgets what was not used for longest."""
    found = memory.get(key)
    if found is None:
        found = memory[key] = new()
        if len(memory) > REMEMBERED:
            memory.popitem(last=False)
    else:
        memory.move_to_end(key)
    return found
