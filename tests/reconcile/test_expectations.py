"""What is remembered between two looks.

TestControllerExpectations and TestUIDExpectations of pkg/controller/controller_utils_test.go, and the cases of
pkg/controller/util/consistency (Kubernetes, Apache-2.0): inputs and expected results.
"""

from __future__ import annotations

import pytest

from kcompanion.reconcile.expectations import TIMEOUT, Expectations, Stale, Versions
from kcompanion.reconcile.target import Key

KEY, OTHER = Key("shop", "web"), Key("shop", "other")


def test_surpassed_expectations_are_satisfied() -> None:
    book = Expectations()
    book.expect(KEY, 10, (str(i) for i in range(30)), 0)
    for _ in range(11):
        book.creation_observed(KEY)
    assert not book.satisfied(KEY, 0)
    for i in range(30):
        book.deletion_observed(KEY, str(i))
    assert book.satisfied(KEY, 0)
    pending = book.pending(KEY, 0)
    assert pending is not None
    assert (pending.creations, pending.deletions) == (-1, 0)


def test_old_expectations_are_given_up() -> None:
    book = Expectations()
    book.expect(KEY, 1, ("a", "b"), 0)
    book.settle(KEY)
    assert not book.satisfied(KEY, TIMEOUT)
    assert not book.doubtful(KEY, TIMEOUT)
    assert book.satisfied(KEY, TIMEOUT + 1)
    assert book.doubtful(KEY, TIMEOUT + 1)


def test_met_expectations_never_come_into_doubt() -> None:
    book = Expectations()
    book.expect_creations(KEY, 1, 0)
    assert book.doubtful(KEY, 0)  # nobody knows yet what the answer will be
    book.settle(KEY)
    book.creation_observed(KEY)
    assert not book.doubtful(KEY, TIMEOUT + 1)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_each_deletion_counts_once(count: int) -> None:
    book = Expectations()
    uids = [f"pod-{i}" for i in range(count)]
    book.expect_deletions(KEY, uids, 0)
    assert book.satisfied(KEY, 0) is (count == 0)
    book.deletion_observed(KEY, "a stranger's")
    for uid in uids:
        assert not book.satisfied(KEY, 0)
        book.deletion_observed(KEY, uid)
        book.deletion_observed(KEY, uid)
    assert book.satisfied(KEY, 0)
    book.forget(KEY)
    assert book.keys() == ()


def test_what_is_not_expected_is_not_counted() -> None:
    book = Expectations()
    book.creation_observed(KEY)
    book.deletion_observed(KEY, "x")
    assert book.satisfied(KEY, 0)
    assert book.pending(KEY, 0) is None
    assert not book.doubtful(KEY, 0)


def test_a_view_older_than_our_own_write_is_stale() -> None:
    book = Versions()
    book.wrote(KEY, "u", "pods", 20)
    book.wrote(KEY, "u", "pods", 10)
    assert book.stale(KEY, {"pods": 19, "owners": 1}) == Stale("pods", 19, 20)
    assert book.stale(OTHER, {"pods": 1, "owners": 1}) is None
    assert book.stale(KEY, {"pods": 20, "owners": 1}) is None
    assert book.stale(KEY, {"pods": 19, "owners": 1}) is None  # it was seen once: that is enough


def test_a_view_that_cannot_tell_its_version_is_believed() -> None:
    book = Versions()
    book.wrote(KEY, "u", "owners", 20)
    assert book.stale(KEY, {"pods": 5, "owners": 0}) is None


def test_a_successor_of_the_same_name_starts_clean() -> None:
    book = Versions()
    book.wrote(KEY, "old", "pods", 90)
    book.wrote(KEY, "new", "pods", 7)
    book.forget(KEY, "old")
    assert book.stale(KEY, {"pods": 6}) == Stale("pods", 6, 7)
    book.forget(KEY)
    assert book.stale(KEY, {"pods": 6}) is None
