from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kcompanion.access.steps import REACH, Reach, Step, findings, reach_of, reading, worst_step
from kcompanion.model.ask import Outcome, Reading
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Snapshot

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GOOD = Step("connect", Status.OK, "10.0.0.1:6443", 3)


def codes(reach: Reach) -> set[str]:
    return {f.code for f in findings(reach, "https://10.0.0.1:6443")}


def test_a_recording_keeps_the_way() -> None:
    way = Reach((GOOD, Step("tls", Status.WARN, "TLSv1.3")), 12, -3)
    held = Reading(REACH, Outcome.OK, body=reading(way))
    assert reach_of(Snapshot(NOW, readings={REACH.key: held})) == way
    assert reach_of(Snapshot(NOW)) is None


def test_the_failed_step_is_named() -> None:
    way = Reach((GOOD, Step("tls", Status.FAIL, "expired")))
    assert way.failed is not None
    assert way.failed.name == "tls"
    assert codes(way) == {"KC4020"}
    assert worst_step(way.steps) is Status.FAIL


@pytest.mark.parametrize(("skew", "expected"), [(0, set()), (9, set()), (10, {"KC4021"}), (-300, {"KC4021"})])
def test_clocks_that_are_apart(skew: int, expected: set[str]) -> None:
    assert codes(Reach((GOOD,), 5, skew)) == expected


def test_slow_answers_and_unchecked_certificates() -> None:
    assert codes(Reach((Step("tls", Status.WARN),), 1500, 0)) == {"KC4022", "KC4023"}
