"""Adoption and release.

The cases of TestClaimPods, TestClaimedPodFiltering and TestGeneratePatchBytesForDelete in pkg/controller, and of
TestDoNotPatchPodWithOtherControlRef, TestPatchPodFails and TestDoNotAdoptOrCreateIfBeingDeleted(Race) in
pkg/controller/replicaset (Kubernetes, Apache-2.0): inputs and expected results.
"""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.reconcile.claims import sort_out
from kcompanion.reconcile.decision import Action
from kcompanion.reconcile.expectations import Books
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import ControllerRef, Pod, pod_of
from kcompanion.reconcile.requests import AdoptPod, Answer, CreatePod, ReadOwner, ReleasePod, Request, WriteStatus
from tests.reconcile.build import View, owner, pod, turn, well

OTHERS: dict[str, Any] = {"labels": {"app": "test"}}
MINE, DYING, RIVAL = owner(), owner(deleting=True), owner(name="rival")
CASES: dict[str, tuple[ReplicaSet, list[Pod], list[str], int]] = {
    "matching orphans are adopted": (MINE, [pod("a"), pod("b", **OTHERS)], ["a"], 1),
    "one being deleted adopts nothing": (DYING, [pod("a"), pod("b")], [], 0),
    "one being deleted keeps what it has": (DYING, [pod("a", DYING), pod("b")], ["a"], 0),
    "one being deleted releases nothing": (DYING, [pod("a", DYING, **OTHERS)], [], 0),
    "another's pod is left alone": (MINE, [pod("a", MINE), pod("b", RIVAL)], ["a"], 0),
    "what no longer fits is released": (MINE, [pod("a", MINE), pod("b", MINE, **OTHERS)], ["a"], 1),
    "pods being deleted are left alone": (MINE, [pod("a", MINE, deleting=True), pod("b", deleting=True)], [], 0),
    "finished pods are left alone": (
        MINE,
        [pod("a", phase="Failed"), pod("b", MINE, phase="Succeeded"), pod("c", MINE, phase="Failed", **OTHERS)],
        [],
        0,
    ),
    "all at once": (MINE, [pod("a", MINE), pod("b", MINE, **OTHERS), pod("c")], ["a", "c"], 2),
}


@pytest.mark.parametrize(("mine", "pods", "claimed", "patches"), CASES.values(), ids=CASES)
def test_claims(mine: ReplicaSet, pods: list[Pod], claimed: list[str], patches: int) -> None:
    view = View([mine], pods)
    found = sort_out(mine, view.pods_of(mine), view.orphans("shop"))
    assert [one.name for one in found.kept + found.adopted] == claimed
    made = turn(view)
    assert len(made.of(AdoptPod, ReleasePod)) == patches
    assert made.outcome.decision.observed.active == len(claimed)


def test_pods_of_other_namespaces_are_not_even_looked_at() -> None:
    elsewhere = Pod("elsewhere", "a", "u", labels={"app": "web"}, phase="Running")
    assert turn(View([owner(0)], [elsewhere])).of(AdoptPod) == []


REFERENCES: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "ours": ([{"uid": "web-uid", "controller": True}], True),
    "ours, but no controller": ([{"uid": "web-uid"}], False),
    "another's": ([{"uid": "x", "controller": True}], False),
    "none": ([], False),
    "another's, and ours as controller": (
        [{"uid": "x", "controller": False}, {"uid": "web-uid", "controller": True}],
        True,
    ),
    "neither as controller": ([{"uid": "x"}, {"uid": "web-uid", "controller": False}], False),
}


@pytest.mark.parametrize(("references", "is_ours"), REFERENCES.values(), ids=REFERENCES)
def test_only_the_controller_reference_ties(references: list[dict[str, Any]], is_ours: bool) -> None:
    metadata = {"namespace": "shop", "name": "a", "uid": "u", "labels": {"app": "web"}, "ownerReferences": references}
    view = View([MINE], [pod_of({"metadata": metadata, "status": {"phase": "Running"}})])
    assert [one.name for one in sort_out(MINE, view.pods_of(MINE), ()).kept] == (["a"] if is_ours else [])


def test_the_patches_are_bound_to_the_very_pod() -> None:
    made = turn(View([MINE], [pod("a"), pod("b", MINE, **OTHERS)]))
    (adoption,), (release,) = made.of(AdoptPod), made.of(ReleasePod)
    reference: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "web-uid"}
    reference |= {"controller": True, "blockOwnerDeletion": True}
    assert adoption.payload == {"metadata": {"ownerReferences": [reference], "uid": "a-uid"}}
    assert release.payload == {
        "metadata": {"uid": "b-uid", "ownerReferences": [{"$patch": "delete", "uid": "web-uid"}]}
    }
    assert adoption.path == "/api/v1/namespaces/shop/pods/a"
    assert adoption.content_type == "application/strategic-merge-patch+json"


def test_before_adopting_the_replicaset_is_read_anew_and_only_once() -> None:
    made = turn(View([owner(3)], [pod("a"), pod("b"), pod("c")]))
    assert [type(step.requests[0]) for step in made.steps[:2]] == [ReadOwner, AdoptPod]
    assert len(made.of(ReadOwner)) == 1
    assert turn(View([MINE], [pod("a", MINE)])).of(ReadOwner) == []


@pytest.mark.parametrize(
    ("fresh", "told"),
    [
        (Answer(200, owner(uid="new").raw), "original ReplicaSet shop/web is gone: got uid new, wanted web-uid"),
        (Answer(200, DYING.raw), "shop/web has just been deleted at 2026-01-01T00:00:00Z"),
        (Answer(500, message="no"), "no"),
    ],
    ids=["another", "being deleted", "no answer"],
)
def test_one_that_is_gone_by_now_adopts_and_creates_nothing(fresh: Answer, told: str) -> None:
    view = View([owner(2)], [pod("a")])
    made = turn(view, serve=lambda request: fresh if isinstance(request, ReadOwner) else well(view)(request))
    assert made.outcome.error == f"can't adopt Pod shop/a (a-uid): {told}"
    assert made.of(AdoptPod, CreatePod, WriteStatus) == []
    assert made.outcome.decision.action is Action.CLAIM_FAILED
    assert made.events == []


def refusing(view: View, name: str, answer: Answer) -> Any:
    good = well(view)
    return lambda r: answer if isinstance(r, AdoptPod | ReleasePod) and r.name == name else good(r)


def test_a_failed_claim_stops_neither_the_others_nor_is_it_passed_over() -> None:
    view = View([owner(2)], [pod("a"), pod("b")])
    made = turn(view, serve=refusing(view, "a", Answer(422, message="Only one reference can have Controller")))
    assert [request.name for request in made.of(AdoptPod)] == ["a", "b"]
    assert made.outcome.decision.adopted == ("b",)
    assert made.of(CreatePod, WriteStatus) == []
    assert made.outcome.error == "Only one reference can have Controller"


@pytest.mark.parametrize("code", [404, 422])
def test_a_pod_that_is_released_already_or_gone_is_no_error(code: int) -> None:
    view = View([owner(0)], [pod("a", MINE, **OTHERS)])
    assert turn(view, serve=refusing(view, "a", Answer(code, message="x"))).outcome.error is None


def test_an_orphan_that_is_gone_is_no_error_and_does_not_count() -> None:
    view = View([owner(1)], [pod("a")])
    made = turn(view, serve=refusing(view, "a", Answer(404, message="x")))
    assert made.outcome.error is None
    assert len(made.of(CreatePod)) == 1


def test_what_was_adopted_is_waited_for_before_the_next_look() -> None:
    view, books = View([MINE], [pod("a")], {"pods": 10, "owners": 5}), Books()

    def serve(request: Request) -> Answer:
        return Answer(200, MINE.raw if isinstance(request, ReadOwner) else {"metadata": {"resourceVersion": "11"}})

    turn(view, books, serve)
    again = turn(view, books, serve)
    assert (again.requests, again.outcome.stale) == ([], "pods")
    assert again.outcome.decision.action is Action.STALE


def test_a_reference_of_ours_without_blocking_is_left_as_it_is() -> None:
    mine = pod("a", None, controller=ControllerRef("apps/v1", "ReplicaSet", "web", "web-uid"))
    assert turn(View([MINE], [mine])).of(AdoptPod, ReleasePod) == []
