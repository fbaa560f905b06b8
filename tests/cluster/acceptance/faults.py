"""F01 to F13: between our controller and the API server things go wrong, or it is killed.

In the end there are as many pods as asked for, and never was one made that was not needed, nor one lost.
"""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from lab.controllers import Controller
from tests.cluster.acceptance.bed import Bed, active, controller_uid
from tests.cluster.acceptance.catalogue import BUILT_IN, OURS, OURS_APPS, Case, Turn, case
from tests.operators.faultproxy import FaultProxy, faulty

_ROUNDS = 6
_LONG_ROUNDS = 60
_GROWTH = 1.15  # of memory over the second half of a long run


def fault(number: str, title: str, *, long: bool = False) -> Callable[[Case], Case]:
    """Our kind stands for both targets in CI: what is behind the proxy is the same engine."""
    full = (BUILT_IN, *OURS) if long else (BUILT_IN, OURS_APPS)
    return case(number, title, only=OURS, turn=Turn.OWN, full=full, patience=900 if long else 240)


@asynccontextmanager
async def behind(bed: Bed, number: str, *flags: str) -> AsyncIterator[tuple[FaultProxy, Controller]]:
    """Our controller for this namespace alone, with a proxy on its way."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            proxy, way = await asyncio.to_thread(stack.enter_context, faulty(bed.controller.account, Path(folder)))
            controller = bed.controller.own(bed, way, number, *flags)
            try:
                await asyncio.to_thread(controller.start)
                yield proxy, controller
            finally:
                await asyncio.to_thread(controller.stop)


@asynccontextmanager
async def between(bed: Bed, number: str, *flags: str) -> AsyncIterator[FaultProxy]:
    """The same for a case that cares for the proxy alone."""
    async with behind(bed, number, *flags) as (proxy, _):
        yield proxy


def most(bed: Bed) -> int:
    """The largest number of active pods of the owner that there ever was at a time."""
    owner = bed.owner()
    assert owner is not None
    alive: set[str] = set()
    largest = 0
    for one in bed.space.history:
        if one.resource == "pods" and controller_uid(one.object) == owner["metadata"]["uid"]:
            there = one.type != "DELETED" and active(one.object)
            (alive.add if there else alive.discard)(one.object["metadata"]["uid"])
            largest = max(largest, len(alive))
    return largest


async def lose(bed: Bed, count: int) -> None:
    """Deletes so many pods behind the controller's back."""
    names = bed.names()[:count]
    await asyncio.gather(*(bed.remove_pod(name) for name in names))
    await bed.until(lambda: not any(bed.find(name) for name in names), "the pods are gone")


@fault("F01", "watches that are held back: nothing is done twice meanwhile, all of it afterwards")
async def hold(bed: Bed) -> None:
    async with between(bed, "F01") as proxy:
        await bed.create(replicas=3)
        await bed.steady(3)
        proxy.held = True
        await bed.scale(6)
        await lose(bed, 1)
        await asyncio.sleep(2)
        assert len(bed.created()) == 3
        proxy.held = False
        await bed.steady(6)
        assert (len(bed.created()), most(bed)) == (7, 6)


@fault("F02", "a connection that is gone for a while: what was deleted meanwhile is missed by nobody")
async def cut(bed: Bed) -> None:
    async with between(bed, "F02") as proxy:
        await bed.create(replicas=5)
        await bed.steady(5)
        proxy.refusing = True
        proxy.cut()
        await lose(bed, 2)
        proxy.refusing = False
        await bed.steady(5)
        assert (len(bed.created()), most(bed)) == (7, 5)


@fault("F03", "a version too old: the list that follows tells what the watch could not")
async def expire(bed: Bed) -> None:
    async with between(bed, "F03") as proxy:
        await bed.create(replicas=5)
        await bed.steady(5)
        proxy.held = True
        await lose(bed, 2)
        proxy.inject("watch", "pods", 410)
        assert proxy.fail(410) >= 2
        proxy.held = False
        await bed.steady(5)
        assert (len(bed.created()), most(bed)) == (7, 5)


@fault("F04", "an error of the server within a watch is survived")
async def fail(bed: Bed) -> None:
    async with between(bed, "F04") as proxy:
        await bed.create(replicas=5)
        await bed.steady(5)
        for _ in range(3):
            proxy.fail(500, message="etcdserver: leader changed")
            await lose(bed, 1)
            await bed.steady(5)
        assert (len(bed.created()), most(bed)) == (8, 5)


@fault("F05", "a status that was written by somebody else meanwhile is written again")
async def conflict(bed: Bed) -> None:
    async with between(bed, "F05") as proxy:
        await bed.create(replicas=2)
        await bed.steady(2)
        proxy.inject("update", f"{bed.target.plural}/status", 409, times=5)
        await bed.scale(4)
        await bed.steady(4)
        assert len(bed.created()) == 4


@fault("F06", "told to come back later, it does, and makes none twice")
async def throttle(bed: Bed) -> None:
    async with between(bed, "F06") as proxy:
        await bed.create(replicas=1)
        await bed.steady(1)
        proxy.inject("create", "pods", 429, times=4, retry_after=1)
        await bed.scale(12)
        await bed.steady(12)
        assert (len(bed.created()), most(bed)) == (12, 12)


@fault("F07", "answers to creations get lost: the pods that came of them are not made again")
async def drop_creations(bed: Bed) -> None:
    async with between(bed, "F07") as proxy:
        await bed.create(replicas=0)
        await bed.steady(0)
        proxy.drop_answers("create", "pods", times=5)
        await bed.scale(20)
        await bed.steady(20, patience=120)
        assert (len(bed.created()), most(bed)) == (20, 20)


@fault("F08", "answers to deletions get lost: no other pod has to go for it")
async def drop_deletions(bed: Bed) -> None:
    async with between(bed, "F08") as proxy:
        await bed.create(replicas=12)
        await bed.steady(12)
        proxy.drop_answers("delete", "pods", times=3)
        await bed.scale(6)
        await bed.steady(6)
        await bed.synced()
        assert len(bed.created()) == 12


@fault("F09", "a watch that says nothing more and does not end is given up")
async def stall(bed: Bed) -> None:
    async with between(bed, "F09", "--watch-silence=4") as proxy:
        await bed.create(replicas=3)
        await bed.steady(3)
        proxy.stalled = True
        await bed.scale(5)
        await lose(bed, 1)
        await asyncio.sleep(1)
        proxy.stalled = False
        await bed.steady(5)
        assert (len(bed.created()), most(bed)) == (6, 5)


@fault("F10", "watches a second late: slower, and not one pod more")
async def delay(bed: Bed) -> None:
    async with between(bed, "F10") as proxy:
        proxy.delay = 1.0
        await bed.create(replicas=20)
        await bed.until(lambda: len(bed.created()) >= 5, "five pods")
        await bed.scale(4)
        await bed.steady(4, patience=120)
        await bed.scale(9)
        await bed.steady(9, patience=120)
        assert most(bed) <= 20
        assert len(bed.created()) <= 20 + 5


@fault("F11", "creations fail in the server: tried again until all are there")
async def refuse(bed: Bed) -> None:
    async with between(bed, "F11") as proxy:
        proxy.inject("create", "pods", 500, times=5)
        await bed.create(replicas=10)
        await bed.steady(10)
        await bed.until(lambda: not bed.status().get("conditions"), "the condition is gone")
        assert (len(bed.created()), most(bed)) == (10, 10)


@fault("F12", "killed and held at random while it scales")
async def strike(bed: Bed) -> None:
    await storm(bed, "F12", random.Random(12), _ROUNDS)  # noqa: S311 - the same moments every time


@fault("F13", "the same for long; then faults for long, and memory stays flat", long=True)
async def endure(bed: Bed) -> None:
    await storm(bed, "F13", random.Random(13), _LONG_ROUNDS)  # noqa: S311 - as above
    async with behind(bed, "F13-memory") as (proxy, controller):
        await churn(bed, proxy, _LONG_ROUNDS // 2)
        before = memory(controller)
        await churn(bed, proxy, _LONG_ROUNDS // 2)
        assert memory(controller) < before * _GROWTH


async def storm(bed: Bed, number: str, chance: random.Random, rounds: int) -> None:
    """Scales, and in the middle of it kills the controller or makes it stand still."""
    controller = bed.controller.own(bed, bed.controller.account, number)
    await asyncio.to_thread(controller.start)
    try:
        await bed.create(replicas=1)
        wanted = [1]
        for _ in range(rounds):
            wanted.append(chance.randrange(5, 80))
            await bed.scale(wanted[-1])
            await asyncio.sleep(chance.random())
            if chance.random() < 0.5:
                await asyncio.to_thread(controller.kill)
                await asyncio.to_thread(controller.start)
            else:
                controller.send(signal.SIGSTOP)
                await asyncio.sleep(chance.random())
                controller.send(signal.SIGCONT)
        await bed.steady(wanted[-1], patience=120)
        await bed.synced()
        assert len(bed.active()) == wanted[-1]
        assert most(bed) <= max(wanted)
    finally:
        await asyncio.to_thread(controller.stop)


async def churn(bed: Bed, proxy: FaultProxy, rounds: int) -> None:
    """Up and down, each time with another fault of the watches."""
    for turn in range(rounds):
        replicas = 60 if turn % 2 else 5
        await bed.scale(replicas)
        if turn % 3 == 0:
            proxy.cut()
        else:
            proxy.fail(500 if turn % 3 == 1 else 410)
        await bed.steady(replicas, patience=120)


def memory(controller: Controller) -> int:
    """What it holds of the machine's memory, in KiB."""
    status = Path(f"/proc/{controller.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
