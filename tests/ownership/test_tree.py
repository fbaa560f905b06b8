"""Trees: up to the topmost owner, down to everything, gaps and odd owners."""

from __future__ import annotations

from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome
from kcompanion.ownership.owners import MIRROR, State, owners
from kcompanion.ownership.tree import Node, grow
from tests.ownership.build import Json, controller, deployed, entity, pod, reference, thing, world


def shape(node: Node) -> Any:
    name = str(node.entity.ref.kind) + "/" + node.entity.ref.name
    return {name + ("*" if node.asked else ""): [shape(child) for child in node.children]} if node.children else name


def grown(asked: Json, *objects: Json, **more: Any) -> Any:
    forest = grow([entity(asked)], world(*objects, **more))
    assert len(forest.roots) == 1
    return shape(forest.roots[0])


def test_from_the_pod_up_and_down_again() -> None:
    objects = deployed()
    assert grown(objects[2], *objects, *deployed(1, "api")) == {
        "Deployment/web": [
            {"ReplicaSet/web-5d54dbcf5f": ["Pod/web-5d54dbcf5f-bbbbb", "Pod/web-5d54dbcf5f-ccccc"]},
        ]
    }


def test_the_object_asked_for_is_marked() -> None:
    objects = deployed()
    marked = [node.entity.ref.name for node in grow([entity(objects[2])], world(*objects)).walk() if node.asked]
    assert marked == ["web-5d54dbcf5f-bbbbb"]


def test_several_of_one_tree_are_told_once() -> None:
    objects = deployed()
    forest = grow([entity(one) for one in objects[2:]], world(*objects))
    assert len(forest.roots) == 1
    assert [node.asked for node in forest.walk()] == [False, False, True, True]


def test_custom_resources_by_discovery() -> None:
    widget = thing("Widget", "w")
    config = thing("ConfigMap", "c", owner=widget)
    below = thing("Widget", "v", owner=widget)
    assert grown(config, widget, config, below) == {"Widget/w": ["ConfigMap/c", "Widget/v"]}


def test_a_mirror_pod_stands_below_its_node() -> None:
    node = thing("Node", "n1")
    item = pod("etcd-n1", node, metadata={"annotations": {MIRROR: "x"}})
    assert grown(item, node, item, pod("other")) == {"Node/n1": ["Pod/etcd-n1"]}


def test_every_owner_is_told_and_the_controller_comes_first() -> None:
    first, second = thing("Widget", "a"), thing("Widget", "b")
    item = thing("ConfigMap", "c")
    item["metadata"]["ownerReferences"] = [reference(first, controller=False), reference(second)]
    forest = grow([entity(item)], world(first, second, item))
    assert shape(forest.roots[0]) == {"Widget/b": ["ConfigMap/c"]}
    told = forest.roots[0].children[0].owners
    assert [(one.reference.name, one.reference.controller, one.state) for one in told] == [
        ("b", True, State.FOUND),
        ("a", False, State.FOUND),
    ]


def state(item: Json, *objects: Json, **more: Any) -> State:
    return owners(entity(item), world(item, *objects, **more))[0].state


def test_what_became_of_an_owner() -> None:
    owner = controller("ReplicaSet", "web", {"app": "web"})
    item = pod("p", owner)
    again = {**owner, "metadata": {**owner["metadata"], "uid": "another"}}
    away = {**owner, "metadata": {**owner["metadata"], "namespace": "elsewhere"}}
    assert state(item, owner) is State.FOUND
    assert state(item) is State.GONE
    assert state(item, again) is State.RECREATED
    assert state(item, away) is State.WRONG_NAMESPACE
    assert state(item, owner, missing={r.REPLICASETS: Outcome.FORBIDDEN}) is State.UNREADABLE


def test_an_owner_of_a_kind_nobody_serves() -> None:
    item = pod("p")
    item["metadata"]["ownerReferences"] = [{"apiVersion": "nope.org/v1", "kind": "Nope", "name": "x", "uid": "1"}]
    assert state(item) is State.UNKNOWN_KIND


def test_what_has_no_namespace_cannot_be_owned_by_what_has_one() -> None:
    volume = thing("PersistentVolume", "pv", owner=thing("ConfigMap", "c"))
    assert state(volume, thing("ConfigMap", "c")) is State.WRONG_NAMESPACE


def test_dependents_in_another_namespace_do_not_count() -> None:
    widget = thing("Widget", "w")
    stray = thing("ConfigMap", "stray", namespace="other", owner=widget)
    assert grown(widget, widget, stray) == "Widget/w"


def test_a_circle_ends() -> None:
    first, second = thing("Widget", "a"), thing("Widget", "b")
    first["metadata"]["ownerReferences"] = [reference(second)]
    second["metadata"]["ownerReferences"] = [reference(first)]
    forest = grow([entity(first)], world(first, second))
    assert sorted(node.entity.ref.name for node in forest.walk()) == ["a", "b"]


def test_forbidden_kinds_are_named_and_decide_only_where_dependents_are_sure() -> None:
    objects = deployed()
    forest = grow([entity(objects[2])], world(*objects, missing={r.SECRETS: Outcome.FORBIDDEN}))
    assert not forest.undecided
    lacking = {r.PODS: Outcome.FORBIDDEN, r.PERSISTENTVOLUMECLAIMS: Outcome.FORBIDDEN}
    forest = grow([entity(objects[0])], world(*objects, missing=lacking))
    assert {gap.resource for gap in forest.gaps} == {"pods", "persistentvolumeclaims"}
    assert forest.undecided
