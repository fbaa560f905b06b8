"""The store and its indexes.

Among them the cases of TestGetReplicaSetsWithSameController in pkg/controller/replicaset and of TestFilterPodsByOwner
in pkg/controller (Kubernetes, Apache-2.0): inputs and expected results.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcompanion.reconcile.expectations import Books
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.pod import ControllerRef, Pod
from kcompanion.reconcile.requests import DeletePod
from kcompanion.reconcile.sync import sync
from kcompanion.reconcile.target import BUILT_IN, COMPANION
from kcompanion.reconcile.triggers import Cause, Triggers, Wake
from kcompanion.reconcile.victims import Rule
from operators.replicaset.store import OwnerSink, PodSink, Store
from tests.reconcile import build

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
    assert kept(scene.store) == kept(Scene().store)


def test_nothing_is_left_of_namespaces_and_owners_that_came_and_went() -> None:
    scene = Scene()
    for number in range(10):
        place, uid = f"n{number}", f"u{number}"
        owner = replace(WEB, namespace=place, uid=uid)
        owned, orphan = (replace(pod("a", 1, one), namespace=place) for one in (replace(OURS, uid=uid), None))
        scene.owners.changed(owner)
        scene.owners.deleted(replace(owner, uid="late news of another"))
        assert scene.store.owner(owner.key) is owner
        scene.owners.deleted(owner)
        scene.pods.changed(owned)
        scene.pods.changed(replace(orphan, version=2))  # released
        scene.pods.changed(replace(owned, version=3, controller=FOREIGN))
        scene.pods.deleted(orphan)
        scene.owners.deleted(owner)  # and once more, as a relist may
        scene.pods.deleted(orphan)
    assert kept(scene.store) == kept(Scene().store)


def kept(store: Store) -> dict[str, object]:
    """All it holds but what it has seen last."""
    return {name: value for name, value in vars(store).items() if name != "_versions"}


@pytest.mark.parametrize(
    ("known", "asked", "expected"),
    [
        ({"rs4": "789", "rs3": "456"}, "789", {"rs4"}),
        ({"rs1": "123", "rs3": "456"}, "123", {"rs1"}),
        ({"rs1": "123", "rs2": "123", "rs3": "456"}, "123", {"rs1", "rs2"}),
    ],
    ids=["one being deleted", "on its own", "with a sibling"],
)
def test_who_has_the_same_deployment(known: dict[str, str], asked: str, expected: set[str]) -> None:
    scene = Scene()
    for name, uid in known.items():
        scene.owners.changed(replace(WEB, name=name, uid=name, controller_uid=uid, deleted_at="x" * (name == "rs4")))
    assert {one.name for one in scene.store.owners_controlled_by(asked)} == expected


@pytest.mark.parametrize(("deployment", "crowded"), [("ours", True), ("another", False)])
def test_pods_of_the_same_deployment_crowd_a_node_and_those_of_another_do_not(deployment: str, crowded: bool) -> None:
    mine = build.owner(1, controller="ours")
    beside = build.owner(2, name="beside", labels={"app": "old"}, controller=deployment)
    store = Store(BUILT_IN)
    for owner in (mine, beside):
        store.put_owner(owner)
    old = [build.pod(name, beside, node="n2", labels={"app": "old"}) for name in ("c", "d")]
    for one in (build.pod("a", mine, node="n1"), build.pod("b", mine, node="n2"), *old):
        store.put_pod(one)
    made = build.drive(sync(mine.key, store, Books(), lambda: build.NOW), build.well(build.View([mine])))
    assert [request.name for request in made.of(DeletePod)] == ["b" if crowded else "a"]
    assert made.outcome.decision.victims[0].rule is (Rule.CROWD if crowded else Rule.UID)


def test_a_pod_is_an_owners_by_namespace_kind_name_and_uid() -> None:
    scene = Scene()
    others = {"uid": replace(OURS, uid="x"), "kind": replace(OURS, kind="Other"), "name": replace(OURS, name="x")}
    scene.pods.replaced(
        [
            pod("a", 1, None),
            replace(pod("elsewhere-a", 2, None), namespace="elsewhere"),
            replace(pod("elsewhere-c", 3), namespace="elsewhere"),
            pod("c", 4),
            *(pod(f"other-{what}", 5, reference) for what, reference in others.items()),
        ],
        6,
    )
    assert (scene.owned(), scene.orphans()) == ({"c"}, {"a"})
