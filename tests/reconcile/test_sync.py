"""One turn of the loop as a whole.

The cases of TestSyncReplicaSetDoesNothing, TestSyncReplicaSetCreateFailures, TestSyncReplicaSetDormancy,
TestControllerBurstReplicas, TestRSSyncExpectations, TestOverlappingRSs and TestSlowStartBatch in
pkg/controller/replicaset, TestCreatePodsWithGenerateName and TestDeletePodsAllowsMissing in pkg/controller
(Kubernetes, Apache-2.0): inputs and expected results.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from kcompanion.reconcile.decision import Action
from kcompanion.reconcile.expectations import TIMEOUT, Books
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import Pod
from kcompanion.reconcile.requests import (
    Answer,
    CreatePod,
    DeletePod,
    ListPods,
    Request,
    WriteStatus,
    answer_of,
)
from kcompanion.reconcile.slowstart import batches
from kcompanion.reconcile.target import BUILT_IN, COMPANION, Key, Target
from kcompanion.reconcile.template import pod_from
from kcompanion.reconcile.triggers import Cause, Wake
from tests.reconcile.build import NOW, SECOND, View, limited, owner, pod, turn, well

REFUSED = Answer(403, reason="Forbidden", message="exceeded quota: pods")


def pods_of(of: ReplicaSet, count: int, **more: Any) -> list[Pod]:
    return [pod(f"p{i}", of, **more) for i in range(count)]


# ------------------------------------------------------------------------------------- creating


@pytest.mark.parametrize("target", [BUILT_IN, COMPANION], ids=lambda target: target.kind)
def test_a_pod_is_the_template_with_one_owner(target: Target) -> None:
    template = {
        "metadata": {
            "name": "ignored",
            "namespace": "ignored",
            "labels": {"app": "web"},
            "annotations": {"a": "b"},
            "finalizers": ["x/y"],
        },
        "spec": {"containers": [{"name": "c"}], "nodeName": "n"},
    }
    mine = owner(1, target=target, template=template)
    reference = {"apiVersion": target.api_version, "kind": target.kind, "name": "web", "uid": "web-uid"}
    assert pod_from(mine) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "web-",
            "namespace": "shop",
            "labels": {"app": "web"},
            "annotations": {"a": "b"},
            "finalizers": ["x/y"],
            "ownerReferences": [reference | {"controller": True, "blockOwnerDeletion": True}],
        },
        "spec": template["spec"],
    }
    (request,) = turn(View([mine])).of(CreatePod)
    assert (request.method, request.path) == ("POST", "/api/v1/namespaces/shop/pods")


def test_a_name_that_leaves_no_room_for_a_dash_is_taken_as_it_is() -> None:
    names = ["a" * 253, "a" * 252]
    prefixes = [(pod_from(owner(name=name)) or {})["metadata"]["generateName"] for name in names]
    assert prefixes == ["a" * 253, "a" * 252 + "-"]


def test_a_template_without_labels_makes_no_pod() -> None:
    mine = owner(1, template={"spec": {}})
    made = turn(View([mine]))
    assert made.of(CreatePod) == made.events == []
    assert made.outcome.error == "unable to create pods, no labels"
    assert made.status["conditions"][0]["reason"] == "FailedCreate"


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [1]), (10, [1, 2, 4, 3]), (500, [1, 2, 4, 8, 16, 32, 64, 128, 245])]
)
def test_batches_double(count: int, expected: list[int]) -> None:
    assert list(batches(count)) == expected


@pytest.mark.parametrize(("limit", "calls"), [(0, 1), (10, 10), (5, 7), (2, 3), (3, 7)])
def test_the_first_failure_ends_the_slow_start(limit: int, calls: int) -> None:
    view, books = View([owner(10)]), Books()
    made = turn(view, books, limited(view, limit, REFUSED))
    assert len(made.of(CreatePod)) == calls
    assert len(made.outcome.decision.created) == limit
    pending = books.expectations.pending(view.known[0].key, NOW)
    assert pending is not None
    assert pending.creations == limit
    assert made.outcome.error == (None if limit == 10 else "exceeded quota: pods")
    failed = [event for event in made.events if event.reason == "FailedCreate"]
    assert len(failed) == calls - limit
    assert {(event.type, event.message) for event in failed} <= {("Warning", "Error creating: exceeded quota: pods")}


def test_creations_are_expected_before_the_first_request_is_sent() -> None:
    view, books = View([owner(3)]), Books()
    seen = []

    def serve(request: Request) -> Answer:
        seen.append(books.expectations.pending(view.known[0].key, NOW))
        return well(view)(request)

    turn(view, books, serve)
    assert seen[0] is not None
    assert seen[0].creations == 3


@pytest.mark.parametrize(("replicas", "there", "done"), [(501, 0, 500), (0, 501, 500), (500, 0, 500), (3, 501, 498)])
def test_at_most_five_hundred_at_a_time(replicas: int, there: int, done: int) -> None:
    mine = owner(replicas)
    made = turn(View([mine], pods_of(mine, there)))
    assert len(made.of(CreatePod, DeletePod)) == done


def test_a_namespace_on_its_way_out_is_no_error_and_no_event() -> None:
    body = {"reason": "Forbidden", "message": "no", "details": {"causes": [{"reason": "NamespaceTerminating"}]}}
    view = View([owner(2)])
    made = turn(view, serve=lambda r: answer_of(403, body) if isinstance(r, CreatePod) else well(view)(r))
    assert (made.outcome.error, made.events) == (None, [])
    assert "conditions" not in made.status
    assert len(made.of(CreatePod)) == 2


# ------------------------------------------------------------------------------------- deleting


def test_all_are_deleted_at_the_same_time_each_by_its_uid() -> None:
    mine = owner(1)
    made = turn(View([mine], pods_of(mine, 4)))
    (step,) = [step for step in made.steps if any(isinstance(r, DeletePod) for r in step.requests)]
    assert len(step.requests) == 3
    request = step.requests[0]
    assert isinstance(request, DeletePod)
    assert request.payload["preconditions"] == {"uid": f"{request.name}-uid"}
    assert {event.message for event in made.events} == {f"Deleted pod: {r.name}" for r in made.of(DeletePod)}


@pytest.mark.parametrize(
    ("answer", "error", "events"),
    [
        (Answer(404, message="gone"), None, []),
        (Answer(409, reason="Conflict", message="another uid"), None, []),
        (Answer(403, message="no"), "unable to delete pods: no", ["Error deleting: no"]),
    ],
)
def test_a_deletion_that_fails_is_expected_no_longer(answer: Answer, error: str | None, events: list[str]) -> None:
    mine, books = owner(0), Books()
    view = View([mine], pods_of(mine, 1))
    made = turn(view, books, lambda r: answer if isinstance(r, DeletePod) else well(view)(r))
    assert made.outcome.error == error
    assert [event.message for event in made.events] == events
    assert books.expectations.satisfied(mine.key, NOW)
    assert bool(made.status.get("conditions")) is bool(error)


# ------------------------------------------------------------------------------ waiting, doubting


def test_while_pods_are_awaited_only_the_status_is_written() -> None:
    view, books = View([owner(3)]), Books()
    turn(view, books)
    again = turn(view, books)
    assert [type(request) for request in again.requests] == [WriteStatus]
    assert again.outcome.decision.action is Action.WAIT
    assert again.outcome.again == Wake(view.known[0].key, Cause.TIMEOUT, after_seconds=301)


def test_pods_that_have_shown_up_are_awaited_no_longer() -> None:
    mine, books = owner(2), Books()
    turn(View([mine]), books)
    books.expectations.creation_observed(mine.key, 2)
    assert turn(View([mine], pods_of(mine, 1)), books).of(CreatePod)


def doubtful(code: int) -> tuple[View, Books, ReplicaSet]:
    """A ReplicaSet of two, the answer to whose first creation was lost."""
    mine, books = owner(2), Books()
    view = View([mine])
    turn(view, books, limited(view, 0, Answer(code, message="timeout")))
    return view, books, mine


def listed(*pods: Pod) -> Any:
    items = [
        {
            "metadata": {
                "uid": one.uid,
                "ownerReferences": [{"uid": one.controller.uid, "controller": True}] if one.controller else [],
            }
            | ({"deletionTimestamp": "x"} if one.deleting else {})
        }
        for one in pods
    ]
    return lambda view: lambda r: Answer(200, {"items": items}) if isinstance(r, ListPods) else well(view)(r)


@pytest.mark.parametrize("code", [0, 500, 504])
def test_after_a_lost_answer_the_pods_are_counted_first(code: int) -> None:
    view, books, mine = doubtful(code)
    made = turn(view, books, listed(pod("born", mine), pod("strange", owner(uid="x")), pod("orphan"))(view))
    assert [type(request) for request in made.requests] == [ListPods, WriteStatus]
    assert made.outcome.decision.action is Action.WAIT
    assert made.requests[0].path == "/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb"
    books.expectations.creation_observed(mine.key)
    after = turn(View([mine], [pod("born", mine)]), books)
    assert len(after.of(CreatePod)) == 1
    assert after.of(ListPods) == []


def test_what_was_not_born_is_created_at_once() -> None:
    view, books, _ = doubtful(0)
    made = turn(view, books, listed()(view))
    assert [type(request) for request in made.requests][:3] == [ListPods, CreatePod, CreatePod]


def test_a_refusal_leaves_no_doubt() -> None:
    view, books, _ = doubtful(429)
    assert turn(view, books).of(ListPods) == []


def test_expectations_never_met_are_checked_and_not_just_given_up() -> None:
    view, books = View([owner(1)]), Books()
    turn(view, books)
    later = turn(view, books, listed(pod("unseen", view.known[0]))(view), NOW + TIMEOUT + SECOND)
    assert later.of(CreatePod) == []
    assert later.of(ListPods)


def test_a_deletion_in_doubt_is_awaited_if_it_happened() -> None:
    mine, books = owner(1), Books()
    view = View([mine], pods_of(mine, 2))
    turn(view, books, lambda r: Answer(0, message="cut") if isinstance(r, DeletePod) else well(view)(r))
    made = turn(view, books, listed(pod("p0", mine, deleting=True), pod("p1", mine))(view))
    assert (len(made.of(ListPods)), made.of(DeletePod)) == (1, [])
    books.expectations.deletion_observed(mine.key, "p0-uid")
    assert books.expectations.satisfied(mine.key, NOW)


def test_pods_that_cannot_be_counted_are_not_created() -> None:
    view, books, _ = doubtful(0)
    made = turn(view, books, lambda r: Answer(0, message="down") if isinstance(r, ListPods) else well(view)(r))
    assert (made.of(CreatePod), made.outcome.error) == ([], "down")


@pytest.mark.parametrize("before", [None, "FailedCreate"])
@pytest.mark.parametrize("there", [0, 2, 3], ids=["too few", "as many as wanted", "too many"])
def test_that_pods_cannot_be_counted_says_nothing_about_creating_or_deleting(there: int, before: str | None) -> None:
    conditions = [{"type": "ReplicaFailure", "reason": before, "message": "as it was"}] if before else []
    mine, books = owner(2, status={"replicas": 7, "conditions": conditions}), Books()
    books.expectations.expect_creations(mine.key, 0, NOW)  # their answers were lost
    view = View([mine], pods_of(mine, there))
    made = turn(view, books, lambda r: Answer(500, message="timed out") if isinstance(r, ListPods) else well(view)(r))
    assert made.status["replicas"] == there
    assert made.status.get("conditions", []) == conditions
    assert (made.outcome.error, made.outcome.decision.action) == ("timed out", Action.WAIT)
    assert made.of(CreatePod, DeletePod) == []


def test_a_sync_dropped_in_the_middle_leaves_doubt() -> None:
    view, books = View([owner(2)]), Books()

    def die(request: Request) -> Answer:
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        turn(view, books, die)
    assert turn(view, books, listed()(view)).of(ListPods)


# --------------------------------------------------------------------------------- all the rest


def test_nothing_is_done_for_one_that_is_not_there() -> None:
    books = Books()
    books.expectations.expect_creations(Key("shop", "web"), 1, NOW)
    gone = owner()
    view = View([gone])
    view.owner = lambda key: None  # type: ignore[method-assign] # it was deleted after it was queued
    made = turn(view, books)
    assert (made.steps, made.outcome.decision.action) == ([], Action.GONE)
    assert books.expectations.keys() == ()


@pytest.mark.parametrize("selector", [{}, {"matchExpressions": [{"key": "a", "operator": "Like"}]}], ids=str)
def test_one_without_a_usable_selector_touches_nothing(selector: dict[str, Any]) -> None:
    mine = owner(3, selector=selector)
    made = turn(View([mine], [pod("a")]))
    assert (made.steps, made.outcome.decision.action) == ([], Action.UNUSABLE)


def test_one_being_deleted_only_tells_its_status() -> None:
    mine = owner(5, deleting=True)
    made = turn(View([mine], [pod("a", mine), pod("orphan"), pod("b", mine, labels={"x": "y"})]))
    assert [type(request) for request in made.requests] == [WriteStatus]
    assert (made.status["replicas"], made.outcome.decision.action) == (1, Action.DELETING)


def test_finished_and_leaving_pods_are_replaced_and_left_where_they_are() -> None:
    mine = owner(2)
    pods = [
        pod("failed", mine, phase="Failed"),
        pod("done", mine, phase="Succeeded"),
        pod("leaving", mine, deleting=True),
    ]
    made = turn(View([mine], pods))
    assert (len(made.of(CreatePod)), made.of(DeletePod)) == (2, [])
    assert made.status["terminatingReplicas"] == 1


def test_each_counts_only_its_own() -> None:
    mine, other = owner(1), owner(2, name="other")
    view = View([mine, other], [pod("a", mine), pod("b", other), pod("c", other)])
    assert turn(view).of(CreatePod, DeletePod) == []


def test_events_tell_who_they_are_about() -> None:
    mine = owner(1)
    (event,) = turn(View([mine])).events
    assert (event.owner, event.type, event.reason, event.message) == (
        mine,
        "Normal",
        "SuccessfulCreate",
        "Created pod: web-1",
    )


def test_no_step_is_empty() -> None:
    mine = owner(3)
    view = View([mine], [pod("a"), pod("b", mine, labels={"x": "y"})])
    for step in (*turn(view).steps, *turn(view, serve=limited(view, 0, REFUSED)).steps):
        assert step.requests or step.events


def test_the_decision_tells_it_all_in_json() -> None:
    mine = owner(1)
    view = View([mine], pods_of(mine, 2, node=""))
    found = turn(view, serve=lambda r: Answer(403, message="no") if isinstance(r, DeletePod) else well(view)(r))
    told = found.outcome.decision.to_json()
    assert (told["desired"], told["difference"], told["error"]) == (1, 1, "unable to delete pods: no")
    assert told["plan"]["victims"][0]["rule"] == "uid"
    assert told["answers"][0] == {"request": "DeletePod", "code": 403, "message": "no", "count": 1}
    assert {"field": "ReplicaFailure", "old": None, "new": "FailedDelete"} in told["status"]


def test_long_lists_are_cut_in_json_but_counted() -> None:
    told = turn(View([owner(40)])).outcome.decision.to_json()
    assert told["created"]["count"] == 40
    assert len(told["created"]["first"]) == 20


def test_five_thousand_pods_with_nothing_to_do_are_quick() -> None:
    counts = dict.fromkeys(("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"), 5000)
    mine = owner(5000, status=counts | {"terminatingReplicas": 0, "observedGeneration": 1})
    everything = pods_of(mine, 5000)

    class Indexed(View):
        def pods_of(self, owner: ReplicaSet) -> list[Pod]:
            return everything

        def orphans(self, namespace: str) -> tuple[Pod, ...]:
            return ()

    view, best = Indexed([mine]), 10**9
    for _ in range(5):
        before = time.process_time_ns()
        assert turn(view).steps == []
        best = min(best, time.process_time_ns() - before)
    assert best < 50_000_000
