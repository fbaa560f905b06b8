"""Who goes first.

The cases are those of TestSortingActivePodsWithRanks, TestGetPodsToDelete and TestRelatedPodsLookup in
pkg/controller (Kubernetes, Apache-2.0): inputs and expected results, with the feature gates at their defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompanion.reconcile.expectations import Books
from kcompanion.reconcile.pod import Pod
from kcompanion.reconcile.requests import DeletePod
from kcompanion.reconcile.victims import Rule, deciding, ranked, standing, victims
from tests.reconcile.build import NOW, SECOND, View, owner, pod, turn

HOUR = 3600 * SECOND
MONTH = 30 * 24 * HOUR


def make(node: str, phase: str, ready: bool = False, since: int = 0, created: int = 0, **more: Any) -> Pod:
    values: dict[str, Any] = {"node": node, "phase": phase, "ready": ready, "ready_since": since, "created": created}
    return Pod("shop", "pod", "", **(values | more))


UNSCHEDULED = make("", "Pending")
PENDING = make("node", "Pending")
UNKNOWN = make("node", "Unknown")
NOT_READY = make("node", "Running")
READY_NO_TIME = make("node", "Running", True)
READY_NOW = make("node", "Running", True, NOW, NOW)
READY_THEN = make("node", "Running", True, NOW - MONTH, NOW - MONTH)
RESTARTS = make("node", "Running", True, NOW, NOW, restarts=9001)
SIDE_RESTARTS = make("node", "Running", True, NOW, NOW, restarts=9001, sidecar_restarts=9001)
CREATED_THEN = make("node", "Running", True, NOW, NOW - MONTH)
CHEAP = make("node", "Running", True, NOW, NOW - MONTH, deletion_cost=10)
DEAR = make("node", "Running", True, NOW, NOW - MONTH, deletion_cost=100)
UNSCHEDULED_5H = make("", "Pending", False, 0, NOW - 5 * HOUR)
UNSCHEDULED_8H = make("", "Pending", False, 0, NOW - 8 * HOUR)
READY_2H, READY_5H, READY_8H = (make("", "Running", True, NOW - h * HOUR, NOW - MONTH) for h in (2, 5, 8))

ALIKE = [
    *((one, one) for one in (UNSCHEDULED, PENDING, UNKNOWN, NOT_READY, CREATED_THEN, READY_NOW, READY_THEN, RESTARTS)),
    (UNSCHEDULED_5H, UNSCHEDULED_8H),
    (READY_5H, READY_8H),
]
FIRST = [
    (UNSCHEDULED, 1, PENDING, 2, Rule.UNASSIGNED),
    (UNSCHEDULED, 2, PENDING, 1, Rule.UNASSIGNED),
    (PENDING, 1, UNKNOWN, 2, Rule.PHASE),
    (UNKNOWN, 1, NOT_READY, 2, Rule.PHASE),
    (NOT_READY, 1, READY_NO_TIME, 1, Rule.NOT_READY),
    (READY_NO_TIME, 1, READY_NOW, 1, Rule.READY_TIME),
    (READY_NOW, 2, READY_NO_TIME, 1, Rule.CROWD),
    (READY_NOW, 1, READY_THEN, 1, Rule.READY_TIME),
    (READY_NOW, 2, READY_THEN, 1, Rule.CROWD),
    (RESTARTS, 1, READY_NOW, 1, Rule.RESTARTS),
    (SIDE_RESTARTS, 1, RESTARTS, 1, Rule.SIDECAR_RESTARTS),
    (READY_NOW, 2, RESTARTS, 1, Rule.CROWD),
    (READY_NOW, 1, CREATED_THEN, 1, Rule.AGE),
    (CREATED_THEN, 2, READY_NOW, 1, Rule.CROWD),
    (CHEAP, 2, DEAR, 1, Rule.COST),
    (CHEAP, 1, DEAR, 2, Rule.COST),
    (READY_2H, 1, READY_5H, 1, Rule.READY_TIME),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_some_are_alike(one: Pod, other: Pod) -> None:
    a, b = standing(one, 1, NOW), standing(other, 1, NOW)
    assert not deciding(a, b)[1]
    assert not deciding(b, a)[1]


@pytest.mark.parametrize(("first", "crowd", "then", "other_crowd", "rule"), FIRST)
def test_one_goes_first(first: Pod, crowd: int, then: Pod, other_crowd: int, rule: Rule) -> None:
    a, b = standing(first, crowd, NOW), standing(then, other_crowd, NOW)
    assert deciding(a, b) == (rule, True)
    assert deciding(b, a) == (rule, False)


def test_in_one_power_of_two_the_uid_decides_and_restarts_are_not_asked() -> None:
    a = make("n", "Running", True, NOW - 5 * HOUR, NOW - MONTH, restarts=0)
    b = make("n", "Running", True, NOW - 8 * HOUR, NOW - MONTH, restarts=7)
    a, b = Pod("s", "a", "1", **_without(a)), Pod("s", "b", "2", **_without(b))
    assert deciding(standing(a, 0, NOW), standing(b, 0, NOW)) == (Rule.READY_UID, True)


def _without(one: Pod) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__ if name not in ("namespace", "name", "uid")}


def named(name: str, node: str, phase: str, ready: bool = False) -> Pod:
    return Pod("shop", name, name, node=node, phase=phase, ready=ready)


WAITING = named("unscheduled-pending", "", "Pending")
STARTING = named("scheduled-pending", "fake-node", "Pending")
SICK = named("running-not-ready", "fake-node", "Running")
SICK_TOO = named("running-not-ready-2", "fake-node", "Running")
ONE = named("ready-on-node-1", "fake-node-1", "Running", True)
TWO = named("ready-on-node-2", "fake-node-2", "Running", True)
TWIN = named("ready-on-node-2-twin", "fake-node-2", "Running", True)


@pytest.mark.parametrize(
    ("pods", "related", "count", "expected"),
    [
        ([], None, 0, []),
        ([SICK, ONE], None, 2, [SICK, ONE]),
        ([ONE, SICK], None, 1, [SICK]),
        ([ONE, TWO, SICK, STARTING, WAITING], [], 5, [ONE, TWO, SICK, STARTING, WAITING]),
        ([STARTING, WAITING], None, 1, [WAITING]),
        ([ONE, SICK, SICK_TOO], None, 2, [SICK, SICK_TOO]),
        ([ONE, TWO], [ONE, TWO, TWIN], 1, [TWO]),
        ([STARTING, SICK], None, 1, [STARTING]),
        ([ONE, TWO, SICK, STARTING, WAITING], None, 3, [WAITING, STARTING, SICK]),
    ],
)
def test_pods_to_delete(pods: list[Pod], related: Sequence[Pod] | None, count: int, expected: list[Pod]) -> None:
    chosen = victims(pods, count, pods if related is None else related, NOW)
    assert [victim.pod for victim in chosen] == expected


def test_a_victim_is_told_with_the_rule_and_with_who_was_spared() -> None:
    (victim,) = victims([ONE, TWO, TWIN], 1, [ONE, TWO, TWIN], NOW)
    assert (victim.pod, victim.rule, victim.value, victim.spared_value) == (TWO, Rule.UID, TWO.uid, TWIN.uid)
    (victim,) = victims([ONE, SICK], 1, [], NOW)
    assert victim.to_json() == {
        "pod": "running-not-ready",
        "uid": "running-not-ready",
        "rule": "phase" if victim.rule is Rule.PHASE else "notReady",
        "value": False,
        "spared": "ready-on-node-1",
        "sparedValue": True,
    }


@pytest.mark.parametrize(
    ("others", "crowded"),
    [((), False), (("other",), True), (("stranger",), False)],
    ids=["alone", "with a sibling", "with a stranger"],
)
def test_pods_of_siblings_crowd_a_node_and_those_of_strangers_do_not(others: tuple[str, ...], crowded: bool) -> None:
    mine = owner(1, controller="deployment")
    known = {
        "other": owner(1, name="other", labels={"app": "old"}, controller="deployment"),
        "stranger": owner(1, name="stranger", labels={"app": "old"}, controller="another"),
    }
    beside = [pod(f"beside-{i}", known[name], node="n2", labels={"app": "old"}) for name in others for i in (1, 2)]
    view = View(
        [mine, *(known[name] for name in others)], [pod("a", mine, node="n1"), pod("b", mine, node="n2"), *beside]
    )
    made = turn(view)
    assert [request.name for request in made.of(DeletePod)] == ["b" if crowded else "a"]
    assert made.outcome.decision.victims[0].rule is (Rule.CROWD if crowded else Rule.UID)


def test_a_replicaset_on_its_own_has_no_crowd_even_of_its_own_pods() -> None:
    mine = owner(2)
    view = View([mine], [pod("a", mine, node="n1"), pod("b", mine, node="n2"), pod("c", mine, node="n2")])
    assert [request.name for request in turn(view, Books()).of(DeletePod)] == ["a"]


PODS = st.lists(
    st.builds(
        Pod,
        st.just("shop"),
        st.just("pod"),
        st.uuids().map(str),
        node=st.sampled_from(["", "n1", "n2"]),
        phase=st.sampled_from(["Pending", "Running", "Unknown"]),
        ready=st.booleans(),
        ready_since=st.sampled_from([0, NOW, NOW - HOUR, NOW - 5 * HOUR, NOW + HOUR]),
        created=st.sampled_from([0, NOW, NOW - HOUR, NOW - 8 * HOUR]),
        restarts=st.integers(0, 2),
        deletion_cost=st.integers(-1, 1),
    ),
    min_size=2,
    max_size=8,
)


@given(PODS, st.data())
def test_who_is_chosen_never_ranks_behind_all_that_stay(pods: list[Pod], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(pods) - 1))
    chosen = {victim.pod.uid for victim in victims(pods, count, pods, NOW)}
    assert len(chosen) == count
    order = ranked(pods, pods, NOW)
    assert {one.pod.uid for one in order[:count]} == chosen
    plain = [one.plain for one in order]
    assert plain == sorted(plain)
    for a in order:
        for b in order:
            assert a is b or deciding(a, b)[1] != deciding(b, a)[1]
