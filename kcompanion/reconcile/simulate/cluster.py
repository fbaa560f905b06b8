"""A server, a controller's view of it, and a queue: everything moves only when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kcompanion.reconcile.expectations import Books, Kept
from kcompanion.reconcile.moments import SECOND, api_time
from kcompanion.reconcile.requests import Answer
from kcompanion.reconcile.simulate.server import Change, Server, Type
from kcompanion.reconcile.simulate.store import Store
from kcompanion.reconcile.steps import Event, Outcome, Step, Sync
from kcompanion.reconcile.sync import sync
from kcompanion.reconcile.target import Key, Target
from kcompanion.reconcile.triggers import Cause, Triggers, Wake

Serve = Callable[[Step], tuple[Answer, ...]]
KINDS: tuple[Kept, ...] = ("owners", "pods")


@dataclass(slots=True)
class Cluster:
    """Both sides. `queue` holds the keys to sync with what woke them, `later` those that are due at a time."""

    server: Server
    store: Store
    books: Books = field(default_factory=Books)
    queue: dict[Key, tuple[Wake, ...]] = field(default_factory=dict)
    later: dict[Key, tuple[int, Cause]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, target: Target, now: int = 0) -> Cluster:
        return cls(Server(target, now=now), Store(target))

    def copy(self) -> Cluster:
        """What happens to the copy leaves the original as it is."""
        books = self.books.copy()
        return Cluster(self.server.copy(), self.store.copy(), books, dict(self.queue), dict(self.later))

    @property
    def now(self) -> int:
        return self.server.now

    def pass_time(self, seconds: float) -> None:
        """Lets time go by, and puts into the queue what is due then."""
        self.server.now += int(seconds * SECOND)
        for key, cause in [(key, cause) for key, (at, cause) in self.later.items() if at <= self.now]:
            del self.later[key]
            self.wake([Wake(key, cause)])

    def wake(self, wakes: Iterable[Wake]) -> None:
        for wake in wakes:
            if wake.after_seconds:
                due = self.now + int(wake.after_seconds * SECOND), wake.cause
                self.later[wake.key] = min(due, self.later.get(wake.key, due))
            else:
                self.queue[wake.key] = (*self.queue.get(wake.key, ()), wake)

    def deliver(self, kept: Kept) -> Change:
        """Lets the watch show the next change."""
        change = self.server.undelivered[kept].pop(0)
        self.wake(self.store.take(kept, change, Triggers(self.server.target, self.store, self.books)))
        return change

    def deliver_all(self) -> None:
        for kept in KINDS:
            while self.server.undelivered[kept]:
                self.deliver(kept)

    def restart(self) -> None:
        """The controller dies and comes back: it knows nothing, and lists everything before it begins."""
        self.books, self.store, self.queue, self.later = Books(), Store(self.server.target), {}, {}
        self.server.undelivered = {"pods": [], "owners": []}
        triggers = Triggers(self.server.target, self.store, self.books)
        for kept in KINDS:
            items = self.server.owners if kept == "owners" else self.server.pods
            for item in items.values():
                self.wake(self.store.take(kept, Change(Type.ADDED, item), triggers))
            self.store.versions[kept] = self.server.version

    def run_pod(self, key: Key, node: str, ready: bool = True) -> None:
        """What scheduler and kubelet do for a pod."""

        def run(pod: dict[str, Any]) -> None:
            pod["spec"]["nodeName"] = node
            condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": api_time(self.now)}
            pod["status"] = {"phase": "Running", "conditions": [condition]}

        self.server.change_pod(key, run)

    def sync(self, key: Key, serve: Serve | None = None) -> Outcome:
        """Takes a key from the queue and syncs it; `serve` may answer in the server's place.

        An exception out of `serve` is the controller's sudden death in the middle.
        """
        running = sync(key, self.store, self.books, lambda: self.now, self.queue.pop(key, ()))
        outcome = _driven(running, serve or self.serve)
        if outcome.error is not None:
            self.wake([Wake(key, Cause.RETRY)])
        if outcome.again is not None:
            self.wake([outcome.again])
        return outcome

    def serve(self, step: Step) -> tuple[Answer, ...]:
        self.events += step.events
        return tuple(self.server.answer(request) for request in step.requests)

    def settle(self, limit: int = 1000) -> None:
        """Delivers and syncs until nothing is left to do."""
        for _ in range(limit):
            self.deliver_all()
            if not self.queue:
                return
            self.sync(next(iter(self.queue)))
        raise RuntimeError(f"not settled after {limit} syncs")


def _driven(running: Sync, answer: Serve) -> Outcome:
    try:
        step = next(running)
        while True:
            step = running.send(answer(step))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
