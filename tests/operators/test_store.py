from __future__ import annotations

from dataclasses import replace

from kcompanion.reconcile.expectations import Books
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import ControllerRef, Pod
from kcompanion.reconcile.target import COMPANION
from kcompanion.reconcile.triggers import Cause, Triggers, Wake
from operators.replicaset.store import OwnerSink, PodSink, Store

WEB = ReplicaSet(COMPANION, "n", "web", "u-web", version=5)
OURS = ControllerRef("kcompanion.dev/v1alpha1", "CompanionReplicaSet", "web", "u-web")
FOREIGN = ControllerRef("apps/v1", "ReplicaSet", "web", "u-web")


def pod(name: str, version: int, controller: ControllerRef | None = OURS) -> Pod:
    return Pod("n", name, f"u-{name}", version, controller=controller)


class Scene:
    def __init__(self) -> None:
        self.books, self.woken = Books(), list[Wake]()
        self.store = Store(COMPANION)
        triggers = Triggers(COMPANION, self.store, self.books)
        self.pods = PodSink(self.store, triggers, self.woken.extend)
        self.owners = OwnerSink(self.store, triggers, self.woken.extend)
        self.owners.replaced([WEB], 9)
        self.woken.clear()

    def owned(self) -> set[str]:
        return {one.name for one in self.store.pods_of(WEB)}

    def orphans(self) -> set[str]:
        return {one.name for one in self.store.orphans("n")}


def test_pods_stand_with_their_owner_or_with_the_orphans() -> None:
    scene = Scene()
    scene.pods.replaced([pod("a", 1), pod("b", 2, None), pod("c", 3, FOREIGN)], 3)
    assert (scene.owned(), scene.orphans()) == ({"a"}, {"b"})
    assert {one.name for one in scene.store.pods("n")} == {"a", "b", "c"}


def test_an_adopted_pod_moves_and_a_released_one_moves_back() -> None:
    scene = Scene()
    scene.pods.changed(pod("a", 1, None))
    scene.pods.changed(pod("a", 2))
    assert (scene.owned(), scene.orphans()) == ({"a"}, set())
    scene.pods.changed(pod("a", 3, None))
    assert (scene.owned(), scene.orphans()) == (set(), {"a"})


def test_what_a_relist_no_longer_finds_is_a_deletion() -> None:
    scene = Scene()
    scene.pods.replaced([pod("a", 1), pod("b", 2)], 2)
    scene.books.expectations.expect_deletions(WEB.key, ["u-a"], 0)
    scene.woken.clear()
    scene.pods.replaced([pod("b", 2)], 20)
    assert [(wake.cause, wake.pod) for wake in scene.woken] == [(Cause.POD_GONE, "a")]
    assert scene.books.expectations.satisfied(WEB.key, 0)
    assert scene.owned() == {"b"}


def test_what_a_relist_finds_again_is_no_second_creation() -> None:
    scene = Scene()
    scene.books.expectations.expect_creations(WEB.key, 2, 0)
    scene.pods.changed(pod("a", 1))
    scene.pods.replaced([pod("a", 1)], 8)
    pending = scene.books.expectations.pending(WEB.key, 0)
    assert pending is not None
    assert pending.creations == 1


def test_a_namesake_with_another_uid_is_another_pod() -> None:
    scene = Scene()
    scene.pods.changed(pod("a", 1))
    scene.pods.replaced([replace(pod("a", 7), uid="u-second")], 7)
    assert [one.uid for one in scene.store.pods_of(WEB)] == ["u-second"]


def test_versions_go_forward_with_events_bookmarks_and_lists() -> None:
    scene = Scene()
    assert scene.store.seen() == {"pods": 0, "owners": 9}
    scene.pods.changed(pod("a", 12))
    scene.pods.reached(15)
    scene.pods.deleted(pod("a", 14))
    assert scene.store.seen()["pods"] == 15


def test_an_owner_that_was_replaced_meanwhile_is_not_forgotten() -> None:
    scene = Scene()
    second = replace(WEB, uid="u-second", version=11)
    scene.owners.changed(second)
    scene.owners.deleted(WEB)  # late news of the first
    assert scene.store.owner(WEB.key) is second


def test_nothing_is_left_of_pods_that_came_and_went() -> None:
    scene = Scene()
    for number in range(1000):
        scene.pods.changed(pod(f"p{number}", number))
        scene.pods.deleted(pod(f"p{number}", number))
    assert scene.store.all_pods() == []
    assert not any(scene.store._owned.values())
