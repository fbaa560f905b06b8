"""What a status says, and when it is written.

The cases of TestCalculateStatus(Conditions), TestControllerUpdateStatusWithFailure and TestReplicaSetAvailabilityCheck
in pkg/controller/replicaset, TestNextPodAvailabilityCheck and TestFindMinNextPodAvailability(SimpleCheck) in
pkg/controller (Kubernetes, Apache-2.0): inputs and expected results.
"""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.reconcile.decision import Observed
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import Pod
from kcompanion.reconcile.requests import Answer, ReadOwner, Request, WriteStatus
from kcompanion.reconcile.status import Failure, applied, changes, news, next_look, observe
from kcompanion.reconcile.target import COMPANION
from kcompanion.reconcile.triggers import Cause
from tests.reconcile.build import NOW, SECOND, View, limited, owner, pod, turn, well

PLAIN, FULL = {"name": "foo"}, {"name": "foo", "type": "production"}
TWO_LABELS = owner(2, labels=FULL)
ONE_LABEL = owner(1, labels=PLAIN)
SLOW = owner(1, labels=FULL, minReadySeconds=3600)
LESS: dict[str, Any] = {"labels": PLAIN}
ALL: dict[str, Any] = {"labels": FULL}
STATUS: dict[str, tuple[ReplicaSet, list[Pod], int, Observed]] = {
    "1 fully labelled": (TWO_LABELS, [pod("a", **ALL)], 0, Observed(1, 1, 1, 1)),
    "1 not fully labelled": (TWO_LABELS, [pod("a", **LESS)], 0, Observed(1, 1, 1, 0)),
    "2 fully labelled": (TWO_LABELS, [pod("a", **ALL), pod("b", **ALL)], 0, Observed(2, 2, 2, 2)),
    "1 and 1": (TWO_LABELS, [pod("a", **LESS), pod("b", **ALL)], 0, Observed(2, 2, 2, 1)),
    "more labels than asked for": (ONE_LABEL, [pod("a", **ALL)], 0, Observed(1, 1, 1, 1)),
    "1 not ready": (TWO_LABELS, [pod("a", ready=False, ready_since=0, **ALL)], 0, Observed(1, 0, 0, 1)),
    "1 ready, not yet available": (SLOW, [pod("a", ready_since=NOW, **ALL)], 0, Observed(1, 1, 0, 1)),
    "1 just available": (SLOW, [pod("a", ready_since=NOW - 3600 * SECOND, **ALL)], 0, Observed(1, 1, 1, 1)),
    "1 long available": (SLOW, [pod("a", ready_since=NOW - 7200 * SECOND, **ALL)], 0, Observed(1, 1, 1, 1)),
    "ready since nobody knows": (SLOW, [pod("a", ready_since=0, **ALL)], 0, Observed(1, 1, 0, 1)),
    "1 and 2 terminating": (TWO_LABELS, [pod("a", **ALL)], 2, Observed(1, 1, 1, 1, 2)),
}


@pytest.mark.parametrize(("of", "pods", "terminating", "expected"), STATUS.values(), ids=STATUS)
def test_counts(of: ReplicaSet, pods: list[Pod], terminating: int, expected: Observed) -> None:
    assert observe(of, pods, terminating, NOW) == expected


def test_terminating_pods_are_counted_unless_finished_or_relabelled() -> None:
    mine = owner(0)
    gone = {"deleting": True}
    pods = [
        pod("pending", mine, phase="Pending", **gone),
        pod("running", mine, **gone),
        pod("succeeded", mine, phase="Succeeded", **gone),
        pod("failed", mine, phase="Failed", **gone),
        pod("relabelled", mine, labels={"app": "x"}, **gone),
        pod("orphan", None, **gone),
    ]
    assert turn(View([mine], pods)).outcome.decision.observed.terminating == 2


def status_of(of: ReplicaSet, observed: Observed, failure: Failure | None = None) -> dict[str, Any]:
    return applied(of.status, news(of, observed, failure))


def test_terminating_replicas_are_written_even_when_there_are_none() -> None:
    assert status_of(owner(0), Observed()) == {
        "replicas": 0,
        "fullyLabeledReplicas": 0,
        "readyReplicas": 0,
        "availableReplicas": 0,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }


def test_our_own_kind_tells_its_selector_as_text() -> None:
    assert status_of(owner(0, target=COMPANION), Observed())["selector"] == "app=web"


FAILED = Failure("FailedCreate", "no room", NOW)
EARLIER = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "before"}
FOREIGN = {"type": "StatusUpdate", "status": "True", "reason": "E2E"}
TOLD = EARLIER | {"message": "no room", "lastTransitionTime": "2027-01-15T08:00:00Z"}


@pytest.mark.parametrize(
    ("before", "failure", "after"),
    [
        ([], FAILED, [TOLD]),
        ([FOREIGN], FAILED, [FOREIGN, TOLD]),
        ([EARLIER], FAILED, [EARLIER]),
        ([EARLIER, FOREIGN], None, [FOREIGN]),
        ([EARLIER], None, []),
        ([], None, []),
    ],
)
def test_the_first_failure_is_told_until_one_sync_goes_well(before: list[Any], failure: Any, after: list[Any]) -> None:
    of = owner(status={"replicas": 0} | ({"conditions": before} if before else {}))
    assert status_of(of, Observed(), failure).get("conditions", []) == after


def settled(replicas: int = 1, **more: Any) -> ReplicaSet:
    counts = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    return owner(
        replicas, status=dict.fromkeys(counts, replicas) | {"terminatingReplicas": 0, "observedGeneration": 1} | more
    )


def test_nothing_is_asked_when_nothing_has_changed() -> None:
    made = turn(View([settled()], [pod("a", settled())]))
    assert made.steps == []
    assert made.outcome.decision.idle


@pytest.mark.parametrize(
    "older",
    [{"observedGeneration": 0}, {"terminatingReplicas": None}, {"readyReplicas": 0}, {"conditions": [EARLIER]}],
    ids=str,
)
def test_one_difference_is_enough(older: dict[str, Any]) -> None:
    made = turn(View([settled(**older)], [pod("a", settled())]))
    assert len(made.of(WriteStatus)) == 1
    assert made.status["observedGeneration"] == 1
    assert "conditions" not in made.status


def test_zeros_that_the_api_leaves_out_are_no_difference() -> None:
    old = {"replicas": 0, "terminatingReplicas": 0, "observedGeneration": 1}
    assert changes(old, status_of(owner(0), Observed())) == ()


def test_the_whole_object_is_written_with_the_version_that_was_seen() -> None:
    mine = owner(0)
    (written,) = turn(View([mine])).of(WriteStatus)
    assert written.path == "/apis/apps/v1/namespaces/shop/replicasets/web/status"
    assert written.payload["metadata"] == mine.raw["metadata"]
    assert written.payload["spec"] == mine.raw["spec"]
    assert (written.payload["apiVersion"], written.payload["kind"]) == ("apps/v1", "ReplicaSet")


def conflicting(view: View, fresh: Answer, times: int = 2) -> Any:
    good, left = well(view), [times]

    def serve(request: Request) -> Answer:
        if isinstance(request, ReadOwner):
            return fresh
        if isinstance(request, WriteStatus) and left[0]:
            left[0] -= 1
            return Answer(409, reason="Conflict", message=f"conflict {times - left[0]}")
        return good(request)

    return serve


def test_a_refused_status_is_written_once_more_and_no_more() -> None:
    view = View([owner(0)])
    made = turn(view, serve=conflicting(view, Answer(200, view.known[0].raw)))
    assert [type(request) for request in made.requests] == [WriteStatus, ReadOwner, WriteStatus]
    assert made.outcome.error == "conflict 2"


def test_when_it_cannot_be_read_that_is_the_error() -> None:
    view = View([owner(0)])
    made = turn(view, serve=conflicting(view, Answer(503, message="away")))
    assert (len(made.requests), made.outcome.error) == (2, "away")


def test_what_others_wrote_meanwhile_is_kept_and_the_generation_is_that_of_the_look() -> None:
    view = View([owner(0)])
    meanwhile = owner(3, status={"replicas": 0, "conditions": [FOREIGN]}).raw
    meanwhile = {**meanwhile, "metadata": {**meanwhile["metadata"], "generation": 2, "resourceVersion": "9"}}
    made = turn(view, serve=conflicting(view, Answer(200, meanwhile), times=1))
    assert made.outcome.error is None
    assert made.status["conditions"] == [FOREIGN]
    assert made.status["observedGeneration"] == 1
    assert made.of(WriteStatus)[-1].payload["metadata"]["resourceVersion"] == "9"


def test_a_namesake_gets_no_status_of_ours() -> None:
    view = View([owner(0)])
    made = turn(view, serve=conflicting(view, Answer(200, owner(uid="new").raw)))
    assert len(made.of(WriteStatus)) == 1
    assert "got uid new, wanted web-uid" in str(made.outcome.error)


def test_a_write_whose_answer_was_lost_is_not_repeated() -> None:
    view = View([owner(0)])
    written = {**view.known[0].raw, "status": status_of(view.known[0], Observed())}
    made = turn(view, serve=conflicting(view, Answer(200, written)))
    assert [type(request) for request in made.requests] == [WriteStatus, ReadOwner]
    assert made.outcome.error is None


def test_the_status_is_written_even_when_creating_failed() -> None:
    view = View([owner(3)], [pod("a", owner())])
    made = turn(view, serve=limited(view, 0, Answer(403, message="exceeded quota")))
    assert made.status["replicas"] == 1
    assert made.status["conditions"][0]["message"] == made.outcome.error == "exceeded quota"


def aged(*ages: float | None) -> list[Pod]:
    return [
        pod(f"p{i}", ready=a is not None, ready_since=0 if a is None else NOW - int(a * SECOND))
        for i, a in enumerate(ages)
    ]


@pytest.mark.parametrize(
    ("ages", "min_ready", "delay", "expected"),
    [
        ([], 0, 0, None),
        ([None, None], 0, 0, None),
        ([0, 0], 0, 0, None),
        ([0], 1, 0, 1),
        ([20], 30, 0, 10),
        ([51], 50, 0, None),
        ([None, 2, 0, 4, None], 10, 0, 6),
        ([None, 15, 11, 10, None], 10, 0, None),
        ([None, 2, 0, 4, None], 10, 2, 4),
        ([None, 2, 0, 4, None], 10, 7, 0),
    ],
)
def test_the_next_look_is_when_the_first_becomes_available(
    ages: list[float | None], min_ready: int, delay: int, expected: float | None
) -> None:
    assert next_look(aged(*ages), min_ready, NOW, NOW + delay * SECOND) == expected


def test_a_pod_ready_since_nobody_knows_has_no_next_look() -> None:
    assert next_look([pod("a", ready_since=0)], 1, NOW, NOW) is None
    mine = owner(1, minReadySeconds=7)
    assert turn(View([mine], [pod("a", mine, ready_since=0)])).outcome.requeue_after == 7


def test_availability_is_looked_at_again_without_any_event() -> None:
    mine = owner(4, minReadySeconds=5)
    ages = (None, 0, 2, 4.3)
    pods = [
        pod(f"p{i}", mine, ready=a is not None, ready_since=NOW - int((a or 0) * SECOND)) for i, a in enumerate(ages)
    ]
    made = turn(View([mine], pods))
    assert (made.status["readyReplicas"], made.status["availableReplicas"]) == (3, 0)
    assert made.outcome.requeue_after == pytest.approx(0.7)
    assert made.outcome.again is not None
    assert made.outcome.again.cause is Cause.AVAILABILITY
