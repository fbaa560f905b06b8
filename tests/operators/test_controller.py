"""The workers on a small real server, and what they measure.

With the case of TestControllerUpdateRequeue in pkg/controller/replicaset (Kubernetes, Apache-2.0).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target as Connection
from kcompanion.reconcile.expectations import Books, Kept
from kcompanion.reconcile.target import BUILT_IN, COMPANION, Key, Target
from kcompanion.reconcile.triggers import Cause, Wake
from operators.replicaset.chronicle import Chronicle
from operators.replicaset.client import Client
from operators.replicaset.controller import Controller, Meters
from operators.replicaset.login import Logins
from operators.replicaset.logs import Log
from operators.replicaset.metrics import Registry
from operators.replicaset.queue import Queue
from operators.replicaset.recorder import Recorder
from operators.replicaset.store import Store
from tests.operators.loops import in_loop, until
from tests.reconcile.build import NOW, SECOND, View, owner, pod, turn
from tests.servers import Api, refusal, serving, write_kubeconfig

# Names, labels and edges of component-base's workqueue metrics and of pkg/controller/replicaset/metrics.
SECONDS = "1e-08 1e-07 1e-06 9.999999999999999e-06 9.999999999999999e-05 0.001 0.01 0.1 1 10 +Inf"
UPSTREAM = {
    "workqueue_depth": ("gauge", "name"),
    "workqueue_adds_total": ("counter", "name"),
    "workqueue_queue_duration_seconds": ("histogram", "name", SECONDS),
    "workqueue_work_duration_seconds": ("histogram", "name", SECONDS),
    "workqueue_unfinished_work_seconds": ("gauge", "name"),
    "workqueue_longest_running_processor_seconds": ("gauge", "name"),
    "workqueue_retries_total": ("counter", "name"),
    "replicaset_controller_sorting_deletion_age_ratio": ("histogram", "", "0.25 0.5 1 2 4 8 +Inf"),
    "replicaset_controller_stale_sync_skips_total": ("counter", "group resource"),
}
A, B = Key("n", "a"), Key("n", "b")


@dataclass
class Measured:
    """A queue with a clock of its own, its meters, and what /metrics tells of them."""

    target: Target = BUILT_IN

    def __post_init__(self) -> None:
        self.now = 1000.0
        self.queue = Queue(clock=lambda: self.now)
        self.registry = Registry(name="replicaset", target=self.target.name)
        self.meters = Meters(self.registry, self.queue, self.target)

    def value(self, sample: str) -> float:
        """The value of a sample, its labels included in what it is called."""
        return float(self.told()[sample])

    def told(self) -> dict[str, str]:
        lines = self.registry.text().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def stale(measured: Measured, kept: Kept) -> None:
    """One sync that is skipped because this watch lags."""
    mine, books = owner(target=measured.target), Books()
    books.versions.wrote(mine.key, mine.uid, kept, 9)
    measured.meters.count(turn(View([mine], versions={"pods": 8, "owners": 8}), books).outcome)


def test_what_upstream_measures_has_upstreams_names_labels_and_edges() -> None:
    measured = Measured()
    stale(measured, "pods")
    text = measured.registry.text()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    found: dict[str, tuple[str, ...]] = {}
    for name, kind in kinds.items():
        inside = re.findall(rf"^{name}(?:_bucket)?(?:{{(.*)}})? \S+$", text, re.MULTILINE)
        labels = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in inside]
        edges = " ".join(one.pop("le") for one in labels if "le" in one)
        found[name] = (kind, " ".join(labels[0]) if labels else "", *([edges] if edges else []))
    assert {name: what for name, what in found.items() if not name.startswith("kcompanion_")} == UPSTREAM
    assert 'workqueue_depth{name="replicaset"} 0' in text.splitlines()
    assert "replicaset_controller_sorting_deletion_age_ratio_count 0" in text.splitlines()


@pytest.mark.parametrize("target", [BUILT_IN, COMPANION], ids=lambda target: target.kind)
def test_stale_views_are_counted_by_group_and_resource(target: Target) -> None:
    measured = Measured(target)
    name = "replicaset_controller_stale_sync_skips_total"
    assert not [sample for sample in measured.told() if sample.startswith(name)]
    for kept in ("pods", "owners", "owners"):
        stale(measured, kept)
    assert measured.value(f'{name}{{group="",resource="pods"}}') == 1
    assert measured.value(f'{name}{{group="{target.group}",resource="{target.plural}"}}') == 2


@in_loop
async def test_work_that_is_not_done_shows_while_it_goes_on() -> None:
    measured = Measured()
    queue = measured.queue
    queue.add(Wake(A, Cause.OWNER_ADDED))
    measured.now += 5
    await queue.get()
    queue.add(Wake(A, Cause.OWNER_CHANGED))  # once more, as soon as it is done
    queue.add(Wake(B, Cause.OWNER_ADDED))
    measured.now += 2
    await queue.get()
    measured.now += 1

    def told(name: str) -> float:
        return measured.value(f'workqueue_{name}{{name="replicaset"}}')

    assert (told("depth"), told("adds_total")) == (1, 3)
    assert (told("unfinished_work_seconds"), told("longest_running_processor_seconds")) == (4, 3)
    assert (told("queue_duration_seconds_count"), told("queue_duration_seconds_sum")) == (2, 7)
    assert told("work_duration_seconds_count") == 0
    queue.done(A)
    queue.done(B)
    await queue.get()
    assert (told("depth"), told("unfinished_work_seconds")) == (0, 0)
    assert told("queue_duration_seconds_sum") == 7 + 3  # from its coming, also while its sync went on
    assert (told("work_duration_seconds_count"), told("work_duration_seconds_sum")) == (2, 4)


@in_loop
async def test_retries_are_all_that_upstream_adds_for_later() -> None:
    measured = Measured()
    measured.queue.retry(Wake(A, Cause.RETRY))
    measured.queue.add_after(Wake(B, Cause.AVAILABILITY), 0)
    measured.queue.add_after(Wake(B, Cause.TIMEOUT), 301)
    measured.queue.add(Wake(B, Cause.POD_READY))
    assert measured.value('workqueue_retries_total{name="replicaset"}') == 2
    measured.queue.stop()


def test_ages_of_the_chosen_are_measured_against_the_youngest_ready_pod() -> None:
    measured, mine = Measured(), owner(1)
    ages = {"young": 10, "old": 59, "older": 100}
    pods = [pod(name, mine, created=NOW - age * SECOND, deletion_cost=-age) for name, age in ages.items()]
    pods.append(pod("unready", mine, ready=False, created=NOW - SECOND))  # goes, and counts for nothing
    pods.append(pod("stays", mine, created=NOW - 20 * SECOND, deletion_cost=5))
    measured.meters.count(turn(View([mine], pods)).outcome)
    name = "replicaset_controller_sorting_deletion_age_ratio"
    counts = [measured.value(f'{name}_bucket{{le="{edge}"}}') for edge in ("0.5", "1", "2", "4", "8", "+Inf")]
    assert counts == [0, 1, 1, 1, 2, 3]
    assert measured.value(f"{name}_sum") == 1 + 5 + 10


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as server:
        yield server


@in_loop
async def test_whose_status_cannot_be_written_comes_again_later_each_time(api: Api, tmp_path: Path) -> None:
    mine = owner(1, status={"replicas": 2})
    store = Store(BUILT_IN)
    store.put_owner(mine)
    store.put_pod(pod("a", mine))
    path = BUILT_IN.path(mine.namespace, mine.name)
    api.answers[f"{path}/status"] = refusal(409, "failed to update status")
    config = write_kubeconfig(tmp_path / "config", api.url, {"token": "secret"})
    client = Client(Logins(Connection(kubeconfig=str(config))), qps=0.0, burst=0)
    registry = Registry(name="replicaset", target=BUILT_IN.name)
    recorder = Recorder(client, "replicaset-controller", time.time_ns, Log("events"))
    controller = Controller(store, Books(), client, recorder, Chronicle(time.time_ns), registry, Log("controller"))
    controller.wake([Wake(mine.key, Cause.OWNER_ADDED)])
    working = asyncio.create_task(controller.run())
    try:
        await until(lambda: len(api.asked(f"{path}/status")) >= 3)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        controller.queue.stop()
        await client.close()
    assert controller.queue.retries >= 2
    assert re.search(r"^kcompanion_operator_sync_errors_total{.*} [2-9]", registry.text(), re.MULTILINE)
