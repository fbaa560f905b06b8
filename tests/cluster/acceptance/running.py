"""Puts the cases through the controllers: many cases at a time, those that stop the controller one by one.

The two targets on apps/v1 take turns, since one of them at a time may keep ReplicaSets; our own kind goes on
beside them. All of it happens in one event loop on a thread of its own, and each test waits for its case.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lab import controllers
from lab.controllers import Controller
from tests.cluster.acceptance.api import Api
from tests.cluster.acceptance.bed import Bed, World
from tests.cluster.acceptance.catalogue import OURS_CRS, Entry, Target, Turn
from tests.cluster.acceptance.metrics import Metrics
from tests.cluster.acceptance.observed import Observer
from tests.operators.loops import hang_up

AT_ONCE = 12  # cases of one target at a time: mostly they wait
CONTROLLERS_AT_ONCE = 4
Result = concurrent.futures.Future[float]
Work = dict[tuple[Target, Entry], Result]


class Running:
    """The controller under test, as the cases handle it."""

    def __init__(self, target: Target, account: Path, folder: Path) -> None:
        self._target = target
        self.account = account
        self._folder = folder
        self._count = 0
        self._now = self._make()

    def _make(self, *, elected: bool = False) -> Controller:
        self._count += 1
        log = self._folder / f"{self._target}-{self._count}.log"
        if not self._target.operator:
            lease = self._target.lease if elected else ""
            return controllers.built_in(self.account, log, qps=1000, burst=2000, lease=lease)
        flags = [f"--leader-elect={str(elected).lower()}"]
        return controllers.ours(self.account, log, self._target.operator, *flags)

    async def start(self) -> None:
        """Starts one, unless one runs."""
        if self._now.running:
            return
        self._now = self._make()
        await asyncio.to_thread(self._now.start)

    async def stop(self) -> None:
        """Ends it as a user would; ours says 0."""
        code = await asyncio.to_thread(self._now.stop)
        assert code == 0 or not self._target.operator, f"it ended with {code}"

    async def kill(self) -> None:
        await asyncio.to_thread(self._now.kill)

    def own(self, bed: Bed, kubeconfig: Path, name: str, *flags: str) -> Controller:
        """One for the namespace of a case, by its own way to the API server."""
        log = self._folder / f"{self._target}-{name}.log"
        scope = [f"--namespace={bed.namespace}", "--leader-elect=false"]
        return controllers.ours(kubeconfig, log, self._target.operator, *scope, *flags)

    @asynccontextmanager
    async def elected(self) -> AsyncIterator[tuple[Controller, Controller]]:
        """Two that contend for the lease; the first one, which has it, and the one that waits."""
        pair = self._make(elected=True), self._make(elected=True)
        try:
            for one in pair:
                await asyncio.to_thread(one.start)
            yield pair
        finally:
            for one in pair:
                await asyncio.to_thread(one.stop)


async def put_through(kubeconfig: Path, kubectl: Path, folder: Path, work: Work) -> None:
    """Fills in every result."""
    account = await asyncio.to_thread(controllers.as_account, kubeconfig, folder / "kubeconfig")
    paths = {"pods": "/api/v1/pods"}
    for target in {target for target, _ in work}:
        paths[target.plural] = f"{target.path}/{target.plural}"
    async with Api(kubeconfig) as api, Observer(api, paths) as observer:
        metrics = Metrics(api)
        world = World(api, observer, metrics, kubeconfig, kubectl, folder)
        await metrics.open(observer)
        try:
            apart = [[key for key in work if (key[0] is OURS_CRS) == ours] for ours in (False, True)]
            await asyncio.gather(*(_in_turn(world, account, folder, keys, work) for keys in apart))
        finally:
            await metrics.close()


async def _in_turn(world: World, account: Path, folder: Path, keys: list[tuple[Target, Entry]], work: Work) -> None:
    for target in dict.fromkeys(target for target, _ in keys):
        entries = [entry for one, entry in keys if one is target]
        controller = Running(target, account, folder)
        try:
            await controller.start()
            await _all(world, target, controller, entries, work)
        finally:
            await controller.stop()


async def _all(world: World, target: Target, controller: Running, entries: list[Entry], work: Work) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(entry: Entry) -> None:
        async with room:
            await _settle(work[target, entry], _run(Bed(world, target, controller, strict=entry.strict), entry))

    by_turn = {turn: [entry for entry in entries if entry.turn is turn] for turn in Turn}
    longest_first = sorted(by_turn[Turn.TOGETHER], key=lambda entry: -entry.patience)
    await asyncio.gather(*(one(entry) for entry in longest_first))
    for entry in by_turn[Turn.ALONE]:
        await controller.start()
        await one(entry)
    await controller.stop()
    room = asyncio.Semaphore(CONTROLLERS_AT_ONCE)
    await asyncio.gather(*(one(entry) for entry in by_turn[Turn.OWN]))


async def _settle(result: Result, running: Coroutine[Any, Any, float]) -> None:
    try:
        result.set_result(await running)
    except BaseException as error:  # noqa: BLE001 - it is the test's to raise
        result.set_exception(error)


async def _run(bed: Bed, entry: Entry) -> float:
    """How long the case took, in seconds."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(entry.patience):
            await bed.begin()
            await entry.run(bed)
            bed.check()
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30):
                await bed.end()
    return time.monotonic() - started


class Thread:
    """Runs a coroutine beside the tests; what goes wrong there is every waiting test's failure."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, None]], results: Iterable[Result]) -> None:
        self._make = make
        self._results = list(results)
        self._thread = threading.Thread(target=self._main, name="acceptance", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits until cluster and processes are as before; where tests gave up early, it gives up too."""
        given_up = not all(result.done() for result in self._results)
        if given_up and self._loop and self._task:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout=120)

    def _main(self) -> None:
        try:
            asyncio.run(self._supervised())
        except BaseException as error:  # noqa: BLE001 - told to those who wait
            for result in self._results:
                if not result.done():
                    result.set_exception(error)

    async def _supervised(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._make())
        try:
            await self._task
        finally:
            await hang_up()
