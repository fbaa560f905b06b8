from __future__ import annotations

from itertools import combinations_with_replacement

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.health import Check, Health, of_parts, readable, unread
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.message import say
from tests.controlplane.build import snap

OK, WARN, FAIL, UNKNOWN, HIDDEN = Status.OK, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_VISIBLE


def check(status: Status, source: str = "Pod kube-system/etcd-a") -> Check:
    return Check(status, say("controlplane.check.pod_ready"), Evidence(source, "status", "True"))


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ((), UNKNOWN),
        ((OK,), OK),
        ((OK, OK, OK), OK),
        ((FAIL,), FAIL),
        ((OK, FAIL, OK), WARN),  # redundancy is lost, the work goes on
        ((FAIL, FAIL), FAIL),
        ((OK, UNKNOWN), UNKNOWN),
        ((OK, FAIL, UNKNOWN), UNKNOWN),
        ((FAIL, UNKNOWN), FAIL),
        ((WARN, OK), WARN),
        ((HIDDEN, OK), OK),
    ],
)
def test_a_component_from_its_instances(parts: tuple[Status, ...], whole: Status) -> None:
    assert of_parts(parts) is whole
    assert of_parts(reversed(parts)) is whole


def test_an_instance_that_is_not_ok_never_leaves_the_whole_ok() -> None:
    for size in (1, 2, 3, 4):
        for parts in combinations_with_replacement((OK, WARN, FAIL, UNKNOWN), size):
            assert (of_parts(parts) is OK) == (set(parts) == {OK})


@pytest.mark.parametrize(
    ("statuses", "whole", "telling"),
    [
        ((), UNKNOWN, None),
        ((OK, OK), OK, 0),
        ((OK, FAIL, UNKNOWN), FAIL, 1),
        ((OK, UNKNOWN, WARN), UNKNOWN, 1),
        ((OK, WARN, WARN), WARN, 1),
    ],
)
def test_the_worst_check_counts_and_speaks(statuses: tuple[Status, ...], whole: Status, telling: int | None) -> None:
    made = tuple(check(status, str(index)) for index, status in enumerate(statuses))
    health = Health(made)
    assert health.status is whole
    assert health.telling is (None if telling is None else made[telling])


def test_health_in_json_names_its_sources() -> None:
    told = Health((check(FAIL),)).to_json()
    assert told["status"] == "fail"
    assert told["evidence"][0]["source"] == "Pod kube-system/etcd-a"
    assert told["evidence"][0]["status"] == "fail"


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.OK])
def test_whatever_is_not_an_answer_is_unknown(outcome: Outcome) -> None:
    snapshot = snap(outcomes={asks.PODS: outcome})
    missing = unread(snapshot, asks.PODS)
    assert missing is not None
    assert missing.status is UNKNOWN
    assert missing.evidence.source == "list pods -n kube-system"
    assert readable(snapshot, asks.PODS) is (outcome is Outcome.ABSENT)  # absence is an answer


def test_an_old_answer_is_unknown_too() -> None:
    snapshot = snap(stale=[asks.PODS])
    missing = unread(snapshot, asks.PODS)
    assert missing is not None
    assert (missing.status, missing.message.id) == (UNKNOWN, "controlplane.check.stale")
    assert not readable(snapshot, asks.PODS)


def test_a_fresh_answer_is_no_gap_even_when_it_is_empty() -> None:
    assert unread(snap(), asks.PODS) is None
    assert readable(snap(), asks.PODS)
