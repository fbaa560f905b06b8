from __future__ import annotations

import asyncio
from collections.abc import Iterable

from kcompanion.reconcile.target import Key
from kcompanion.reconcile.triggers import Cause, Wake
from operators.replicaset.queue import Queue
from tests.operators.loops import in_loop

A, B = Key("n", "a"), Key("n", "b")


def wake(key: Key, cause: Cause = Cause.POD_ADDED, pod: str = "") -> Wake:
    return Wake(key, cause, pod)


@in_loop
async def test_a_key_stands_in_it_once_and_tells_why() -> None:
    queue = Queue()
    for pod in ("1", "2", "3"):
        queue.add(wake(A, pod=pod))
    queue.add(wake(B))
    assert len(queue) == 2
    key, wakes = await queue.get()
    assert key == A
    assert [one.pod for one in wakes] == ["1", "2", "3"]


@in_loop
async def test_only_the_last_reasons_are_kept() -> None:
    queue = Queue()
    for number in range(1000):
        queue.add(wake(A, pod=str(number)))
    _, wakes = await queue.get()
    assert [one.pod for one in wakes] == [str(number) for number in range(990, 1000)]


@in_loop
async def test_a_key_in_work_comes_back_only_when_it_is_done() -> None:
    queue = Queue()
    queue.add(wake(A))
    await queue.get()
    queue.add(wake(A))
    queue.add(wake(B))
    assert (await queue.get())[0] == B
    assert len(queue) == 0
    queue.done(A)
    assert (await queue.get())[0] == A


@in_loop
async def test_of_two_delays_the_shorter_counts() -> None:
    queue = Queue()
    queue.add_after(wake(A, pod="late"), 30)
    queue.add_after(wake(A, pod="soon"), 0.02)
    queue.add_after(wake(A, pod="later"), 60)
    _, wakes = await asyncio.wait_for(queue.get(), 1)
    assert [one.pod for one in wakes] == ["soon"]
    assert queue.delayed == 0


@in_loop
async def test_errors_come_back_later_each_time_until_all_is_well() -> None:
    queue = Queue()
    delays = [queue.retry(wake(A)) for _ in range(6)]
    assert delays == [0.005, 0.01, 0.02, 0.04, 0.08, 0.16]
    queue.forget(A)
    assert queue.retry(wake(A)) == 0.005
    queue.stop()


@in_loop
async def test_the_delay_has_an_end() -> None:
    queue = Queue()
    for _ in range(40):
        queue.retry(wake(A))
    assert 999 < queue.retry(wake(A)) <= 1000
    queue.stop()


@in_loop
async def test_all_keys_together_have_ten_retries_a_second_after_the_first_hundred() -> None:
    queue = Queue(clock=lambda: 0.0)
    delays = [queue.retry(wake(Key("n", str(number)))) for number in range(120)]
    assert delays[:100] == [0.005] * 100
    assert [round(delay, 3) for delay in delays[100:103]] == [0.1, 0.2, 0.3]
    queue.stop()


@in_loop
async def test_a_held_key_waits_until_a_reason_is_urgent() -> None:
    def hold(_: Key, wakes: Iterable[Wake]) -> float:
        return 0.0 if any(one.cause is Cause.POD_LEAVING for one in wakes) else 30.0

    queue = Queue(hold=hold)
    queue.add(wake(A))
    queue.add(wake(A))
    assert len(queue) == 0
    assert queue.held == 1
    queue.add(wake(A, Cause.POD_LEAVING))
    assert len(queue) == 1
    assert len((await queue.get())[1]) == 3
    queue.done(A)
    assert len(queue) == 0
    queue.stop()


@in_loop
async def test_a_held_key_comes_by_itself() -> None:
    queue = Queue(hold=lambda _key, _wakes: 0.02)
    queue.add(wake(A))
    key, _ = await asyncio.wait_for(queue.get(), 1)
    assert key == A
