"""Drives the core: takes keys from the queue, performs the steps a sync asks for, and puts back what is not done.

How often a ReplicaSet is looked at is decided here too. While it waits for its own pods to appear in the watch, a
sync can do nothing but count, and each count is a status to write. So it is looked at anew when the last of them is
seen, and before that at most every `PAUSE`; likewise when only counts can have changed since the last status was
written. Upstream counts after each pod.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kcompanion.model.resources import PODS, Resource
from kcompanion.reconcile.decision import Action, Decision
from kcompanion.reconcile.expectations import Books, Kept
from kcompanion.reconcile.requests import Answer, Request
from kcompanion.reconcile.steps import Outcome, Step, Sync
from kcompanion.reconcile.sync import sync
from kcompanion.reconcile.target import Key, Target
from kcompanion.reconcile.triggers import Cause, Wake
from kcompanion.reconcile.view import View
from operators.replicaset.chronicle import Chronicle
from operators.replicaset.client import Client
from operators.replicaset.logs import Log
from operators.replicaset.metrics import Counter, Registry, exponential
from operators.replicaset.queue import Queue
from operators.replicaset.recorder import Recorder

WORKERS = 5  # --concurrent-replicaset-syncs
PAUSE = 0.1  # seconds between two syncs of one ReplicaSet that only count
_ACTING = frozenset({Action.CREATE, Action.DELETE, Action.CLAIM_FAILED})
_COUNTING = frozenset({Cause.POD_ADDED, Cause.POD_CHANGED, Cause.POD_READY, Cause.POD_GONE})


@dataclass(frozen=True, slots=True)
class _Look:
    """The last sync of a key: when it ended, and whether the watch has yet to show what it did."""

    at: float
    waiting: bool


class Meters:
    """What is counted about reconciling: as upstream does, and beyond."""

    def __init__(self, registry: Registry, queue: Queue, target: Target) -> None:
        _measure(registry, queue)
        plain = registry.carrying()
        self._stale = plain.counter(
            "replicaset_controller_stale_sync_skips_total",
            "Syncs skipped because a watch lags behind our own writes, by the kind that lags.",
            labelled=True,
        )
        self._ages = plain.histogram(
            "replicaset_controller_sorting_deletion_age_ratio",
            "Age of a ready pod chosen for deletion, in whole multiples of the youngest ready pod's.",
            exponential(0.25, 2, 6),
        )
        self._kinds: dict[Kept, Resource] = {"pods": PODS, "owners": target}
        pods = "kcompanion_operator_pods_total"
        self._done = registry.counter(pods, "Pods, by what was done to them.", labelled=True)
        self.errors: Counter = registry.counter("kcompanion_operator_sync_errors_total", "Syncs that failed.")

    def count(self, outcome: Outcome) -> None:
        decision = outcome.decision
        for what, pods in (
            ("created", decision.created),
            ("deleted", decision.deleted),
            ("adopted", decision.adopted),
            ("released", decision.released),
        ):
            if pods:
                self._done.add(len(pods), action=what)
        for ratio in decision.age_ratios:
            self._ages.observe(ratio)
        if outcome.stale is not None:
            kind = self._kinds[outcome.stale]
            self._stale.add(group=kind.group, resource=kind.plural)
        elif outcome.error is not None:
            self.errors.add()


def _measure(registry: Registry, queue: Queue) -> None:
    """What client-go tells of a queue, and below what ours has beside."""
    named, edges = registry.carrying("name"), exponential(10e-9, 10, 10)
    waited, worked = "workqueue_queue_duration_seconds", "workqueue_work_duration_seconds"
    queue.waited = named.histogram(waited, "From a key's coming until it was got.", edges).observe
    queue.worked = named.histogram(worked, "From then until its sync had ended.", edges).observe
    readings: tuple[tuple[Registry, str, str, Callable[[], float], str], ...] = (
        (named, "workqueue_depth", "Keys added and not yet got.", lambda: queue.depth, "gauge"),
        (named, "workqueue_adds_total", "Keys added.", lambda: queue.adds, "counter"),
        (named, "workqueue_retries_total", "Keys added for later.", lambda: queue.retries, "counter"),
        (
            named,
            "workqueue_unfinished_work_seconds",
            "For how long the keys in work have been so, all together.",
            lambda: sum(queue.ages()),
            "gauge",
        ),
        (
            named,
            "workqueue_longest_running_processor_seconds",
            "For how long the first of them has been so.",
            lambda: max(queue.ages(), default=0.0),
            "gauge",
        ),
        (registry, "kcompanion_operator_keys_delayed", "Keys that come later.", lambda: queue.delayed, "gauge"),
        (registry, "kcompanion_operator_keys_in_work", "Keys in work.", lambda: queue.processing, "gauge"),
        (registry, "kcompanion_operator_syncs_held_total", "Keys held to count later.", lambda: queue.held, "counter"),
    )
    for where, name, meaning, read, kind in readings:
        where.gauge(name, meaning, read, kind)


class Controller:
    """The workers of one target."""

    def __init__(
        self,
        view: View,
        books: Books,
        client: Client,
        recorder: Recorder,
        chronicle: Chronicle,
        registry: Registry,
        log: Log,
        *,
        now: Callable[[], int] = time.time_ns,
        workers: int = WORKERS,
    ) -> None:
        self.queue = Queue(hold=self._pause)
        self._view, self._books, self._client = view, books, client
        self._recorder, self._chronicle, self._log, self._now = recorder, chronicle, log, now
        self._workers = workers
        self._meters = Meters(registry, self.queue, view.target)
        self._looked: dict[Key, _Look] = {}  # of those that wait for the watch, or whose status was just written
        registry.gauge("kcompanion_operator_expectations", "ReplicaSets that wait for the watch.", self._waiting)

    def wake(self, wakes: Iterable[Wake]) -> None:
        """Puts keys into the queue, now or later."""
        for wake in wakes:
            if wake.after_seconds:
                self.queue.add_after(wake, wake.after_seconds)
            else:
                self.queue.add(wake)

    async def run(self) -> None:
        """Works until it is cancelled; a sync that is cut off leaves its doubt in the books."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    def _pause(self, key: Key, wakes: Iterable[Wake]) -> float:
        """Seconds to wait before this key is looked at again; 0 when a look may lead to an act."""
        last = self._looked.get(key)
        if last is None:
            return 0.0
        if not self._waits(key) and (last.waiting or any(map(self._may_act, wakes))):
            return 0.0
        return last.at + PAUSE - time.monotonic()

    def _may_act(self, wake: Wake) -> bool:
        if wake.cause is not Cause.OWNER_CHANGED:
            return wake.cause not in _COUNTING
        owner = self._view.owner(wake.key)  # nearly always it is our own status that comes back
        return owner is None or owner.deleting or owner.generation != owner.status.get("observedGeneration")

    def _waits(self, key: Key) -> bool:
        pending = self._books.expectations.pending(key, self._now())
        return pending is not None and not pending.fulfilled

    async def _work(self) -> None:
        while True:
            key, wakes = await self.queue.get()
            try:
                outcome = await self._drive(sync(key, self._view, self._books, self._now, wakes))
                self._settle(key, outcome)
            except Exception as error:  # noqa: BLE001 - one odd object must not end the work on all others
                self.queue.retry(Wake(key, Cause.RETRY))
                self._meters.errors.add()
                self._log.error("sync failed unexpectedly", key=str(key), error=f"{type(error).__name__}: {error}")
            finally:
                self.queue.done(key)

    async def _drive(self, turn: Sync) -> Outcome:
        answers: tuple[Answer, ...] | None = None
        try:
            while True:
                step: Step = next(turn) if answers is None else turn.send(answers)
                for event in step.events:
                    self._recorder.record(event)
                answers = await self._perform(step.requests)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        finally:
            turn.close()

    async def _perform(self, requests: tuple[Request, ...]) -> tuple[Answer, ...]:
        if len(requests) == 1:
            return (await self._client.send(requests[0]),)
        return tuple(await asyncio.gather(*map(self._client.send, requests)))

    def _settle(self, key: Key, outcome: Outcome) -> None:
        self._meters.count(outcome)
        self._chronicle.add(outcome.decision)
        self._tell(outcome.decision)
        if outcome.error is not None:
            self.queue.retry(Wake(key, Cause.RETRY))
        else:
            self.queue.forget(key)
        if outcome.again is not None:
            self.queue.add_after(outcome.again, outcome.again.after_seconds)
        self._remember(key, outcome)

    def _remember(self, key: Key, outcome: Outcome) -> None:
        acted = outcome.decision.action in (Action.CREATE, Action.DELETE)
        if acted or self._waits(key) or outcome.decision.changes:
            self._looked[key] = _Look(time.monotonic(), acted or self._waits(key))
        else:
            self._looked.pop(key, None)

    def _tell(self, decision: Decision) -> None:
        """A line for what was done or failed; counting alone is told only when asked for."""
        if decision.idle:
            return
        loud = decision.action in _ACTING or decision.adopted or decision.released
        if decision.error is not None and decision.action is not Action.STALE:
            self._log.warning("sync failed", error=decision.error, decision=decision.to_json())
        elif loud:
            self._log.info("reconciled", decision=decision.to_json())
        else:
            self._log.debug("reconciled", decision=decision.to_json())

    def _waiting(self) -> float:
        return sum(map(self._waits, self._books.expectations.keys()))
