from __future__ import annotations

import pytest

from operators.replicaset.bucket import Bucket


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    bucket = Bucket(20, 30, Clock())
    waits = [bucket.reserve() for _ in range(50)]
    assert waits[:30] == [0.0] * 30
    assert waits[30:] == pytest.approx([n / 20 for n in range(1, 21)])


def test_a_pause_fills_it_but_not_beyond_the_burst() -> None:
    clock = Clock()
    bucket = Bucket(20, 30, clock)
    for _ in range(30):
        bucket.reserve()
    clock.now += 0.5
    assert [bucket.reserve() for _ in range(11)] == pytest.approx([0.0] * 10 + [0.05])
    clock.now += 1000
    assert [bucket.reserve() for _ in range(31)] == pytest.approx([0.0] * 30 + [0.05])


def test_no_rate_is_no_limit() -> None:
    bucket = Bucket(0, 0, Clock())
    assert {bucket.reserve() for _ in range(10_000)} == {0.0}


def test_allowing_never_borrows() -> None:
    clock = Clock()
    bucket = Bucket(1 / 300, 2, clock)
    assert [bucket.allow() for _ in range(10)] == [True, True] + [False] * 8
    clock.now += 301
    assert [bucket.allow() for _ in range(3)] == [True, False, False]
