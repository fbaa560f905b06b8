"""Who is woken by what.

The cases of TestWatchControllers, TestWatchPods, TestPodControllerLookup, TestUpdatePods, TestDeletionTimestamp,
TestDeleteFinalStateUnknown, TestDeleteControllerAndExpectations and TestExpectationsOnRecreate in
pkg/controller/replicaset (Kubernetes, Apache-2.0): inputs and expected results.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kcompanion.reconcile.expectations import Books, Stale
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import ControllerRef, Pod
from kcompanion.reconcile.target import BUILT_IN
from kcompanion.reconcile.triggers import Cause, Triggers, Wake
from tests.reconcile.build import View, owner, pod

FOO: dict[str, Any] = {"labels": {"foo": "bar"}}
BAR: dict[str, Any] = {"labels": {"bar": "foo"}}
ONE, TWO = owner(name="one", **FOO), owner(name="two", **BAR)


def woken(wakes: tuple[Wake, ...]) -> list[str]:
    return [wake.key.name for wake in wakes]


class Watched:
    """Triggers of two ReplicaSets, and their books."""

    def __init__(self, *known: ReplicaSet) -> None:
        self.books = Books()
        self.triggers = Triggers(BUILT_IN, View(known or (ONE, TWO)), self.books)

    def changed(self, old: Pod, **new: Any) -> list[str]:
        return woken(self.triggers.on_pod_updated(old, replace(old, version=old.version + 1, **new)))


def to(of: ReplicaSet) -> ControllerRef:
    return ControllerRef("apps/v1", "ReplicaSet", of.name, of.uid)


LOOKUP: dict[str, tuple[Pod, list[str]]] = {
    "an orphan that nobody selects": (pod("a", labels={"x": "y"}), []),
    "an orphan without labels": (pod("a", labels={}), []),
    "an orphan that one selects": (pod("a", **FOO), ["one"]),
    "an orphan that both select": (pod("a", labels={"foo": "bar", "bar": "foo"}), ["one", "two"]),
    "owned, whatever its labels say": (pod("a", TWO, **FOO), ["two"]),
    "owned by one of another kind": (
        pod("a", controller=ControllerRef("v1", "ReplicationController", "one", ONE.uid)),
        [],
    ),
    "owned by a namesake": (pod("a", controller=ControllerRef("apps/v1", "ReplicaSet", "one", "old"), **FOO), []),
    "owned by one that is gone": (pod("a", controller=ControllerRef("apps/v1", "ReplicaSet", "gone", "x")), []),
}


@pytest.mark.parametrize(("new", "expected"), LOOKUP.values(), ids=LOOKUP)
def test_a_new_pod_wakes_its_owner_or_who_might_adopt_it(new: Pod, expected: list[str]) -> None:
    assert woken(Watched().triggers.on_pod_added(new)) == expected


def test_an_empty_selector_selects_nothing() -> None:
    assert woken(Watched(owner(labels={})).triggers.on_pod_added(pod("a"))) == []


def test_a_new_pod_counts_as_our_creation_only_if_it_is_ours() -> None:
    watched = Watched()
    watched.books.expectations.expect_creations(ONE.key, 2, 0)
    for new in (pod("orphan", **FOO), pod("dying", ONE, deleting=True), pod("mine", ONE)):
        watched.triggers.on_pod_added(new)
    pending = watched.books.expectations.pending(ONE.key, 0)
    assert pending is not None
    assert pending.creations == 1


UPDATES: dict[str, tuple[Pod, dict[str, Any], list[str]]] = {
    "both labels change, the owner stays": (pod("a", TWO, **FOO), BAR, ["two"]),
    "the owner changes": (pod("a", ONE, **FOO), {"controller": to(TWO)}, ["one", "two"]),
    "the owner changes to nobody": (pod("a", ONE, **FOO), {"controller": None}, ["one"]),
    "nobody's, relabelled for another": (pod("a", **FOO), BAR, ["two"]),
    "nobody's, taken by one": (pod("a", **FOO), {"controller": to(ONE)}, ["one"]),
    "let go by one and fit for another": (pod("a", ONE, **FOO), {"controller": None} | BAR, ["one", "two"]),
    "an orphan's status": (pod("a", **FOO), {"phase": "Failed"}, []),
    "an owned pod's status": (pod("a", ONE), {"phase": "Failed"}, ["one"]),
    "an owned pod that is deleted": (pod("a", ONE), {"deleting": True}, ["one"]),
    "an orphan that is deleted": (pod("a", **FOO), {"deleting": True}, []),
}


@pytest.mark.parametrize(("old", "new", "expected"), UPDATES.values(), ids=UPDATES)
def test_updates(old: Pod, new: dict[str, Any], expected: list[str]) -> None:
    assert Watched().changed(old, **new) == expected


def test_the_same_version_again_is_no_update() -> None:
    same = pod("a", ONE)
    assert Watched().triggers.on_pod_updated(same, same) == ()


@pytest.mark.parametrize(
    ("before", "after", "wait", "expected"),
    [
        (False, True, 0, [(Cause.POD_READY, 0)]),
        (False, True, 30, [(Cause.POD_READY, 0), (Cause.AVAILABILITY, 30)]),
        (True, True, 30, [(Cause.POD_CHANGED, 0)]),
        (True, False, 30, [(Cause.POD_CHANGED, 0)]),
    ],
)
def test_a_pod_that_gets_ready_is_looked_at_again_when_it_is_available(
    before: bool, after: bool, wait: int, expected: list[tuple[Cause, int]]
) -> None:
    mine = owner(minReadySeconds=wait)
    old = pod("a", mine, ready=before)
    wakes = Watched(mine).triggers.on_pod_updated(old, replace(old, version=2, ready=after))
    assert [(wake.cause, wake.after_seconds) for wake in wakes] == expected


def fulfilled(watched: Watched) -> bool:
    pending = watched.books.expectations.pending(ONE.key, 0)
    return pending is not None and pending.fulfilled


def test_the_deletion_of_a_pod_counts_once_by_whichever_event_comes_first() -> None:
    watched = Watched()
    expectations = watched.books.expectations
    first, second = pod("a", ONE), pod("b", ONE)
    expectations.expect_deletions(ONE.key, [first.uid], 0)
    assert woken(watched.triggers.on_pod_added(replace(first, deleting=True))) == ["one"]
    assert fulfilled(watched)
    expectations.expect_deletions(ONE.key, [first.uid], 0)
    assert watched.changed(first, deleting=True) == ["one"]
    assert fulfilled(watched)
    expectations.expect_deletions(ONE.key, [second.uid], 0)
    watched.changed(replace(first, deleting=True), deleting=True)
    watched.triggers.on_pod_deleted(replace(first, deleting=True))
    assert not fulfilled(watched)
    assert woken(watched.triggers.on_pod_deleted(second)) == ["one"]
    assert fulfilled(watched)


def test_a_pod_that_is_ours_no_longer_is_not_waited_for() -> None:
    watched, mine = Watched(), pod("a", ONE)
    watched.books.expectations.expect_deletions(ONE.key, [mine.uid], 0)
    watched.changed(mine, controller=None)
    assert fulfilled(watched)


def test_the_end_of_an_orphan_or_of_a_strangers_pod_wakes_nobody() -> None:
    triggers = Watched().triggers
    assert triggers.on_pod_deleted(pod("a", **FOO)) == ()
    assert triggers.on_pod_deleted(pod("a", owner(name="one", uid="old"))) == ()


def test_every_change_of_a_replicaset_wakes_it() -> None:
    triggers = Watched().triggers
    assert triggers.on_owner_added(ONE) == (Wake(ONE.key, Cause.OWNER_ADDED),)
    assert triggers.on_owner_updated(ONE, ONE) == (Wake(ONE.key, Cause.OWNER_CHANGED),)
    assert triggers.on_owner_deleted(ONE) == (Wake(ONE.key, Cause.OWNER_DELETED),)


def test_one_made_anew_under_the_old_name_starts_clean() -> None:
    watched = Watched()
    watched.books.expectations.expect_creations(ONE.key, 1, 0)
    watched.books.versions.wrote(ONE.key, ONE.uid, "pods", 90)
    new = owner(name="one", uid="new", **FOO)
    wakes = watched.triggers.on_owner_updated(ONE, new)
    assert [wake.cause for wake in wakes] == [Cause.OWNER_DELETED, Cause.OWNER_CHANGED]
    assert watched.books.expectations.satisfied(ONE.key, 0)
    assert watched.books.versions.stale(ONE.key, {"pods": 1}) is None


def test_the_late_end_of_the_old_one_does_not_blind_the_new_one() -> None:
    watched = Watched()
    watched.books.versions.wrote(ONE.key, "new", "pods", 90)
    watched.triggers.on_owner_deleted(ONE)
    assert watched.books.versions.stale(ONE.key, {"pods": 1}) == Stale("pods", 1, 90)
