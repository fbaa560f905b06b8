"""Pods without a node when part of the cluster cannot be read, and when reasons mix."""

import pytest

from kcompanion.explain.judge import judge_alone
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, Reading, listing
from kcompanion.model.finding import Finding
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.world import World
from kcompanion.text.catalog import phrase
from tests.explain.casebook import NOW, world_from

TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
SAID = (
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
    "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
)


def node(name: str, cpu: str = "2", **spec: object) -> dict[str, object]:
    room = {"cpu": cpu, "memory": "4Gi", "pods": "110"}
    return {"kind": "Node", "metadata": {"name": name, "labels": {}}, "spec": spec, "status": {"allocatable": room}}


def waiting(message: str = SAID, reason: str = "Unschedulable", cpu: str = "8") -> dict[str, object]:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return {
        "kind": "Pod",
        "metadata": {"name": "lost", "namespace": "default", "creationTimestamp": "2026-11-21T11:00:00Z"},
        "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": cpu}}}]},
        "status": {"phase": "Pending", "conditions": [condition]},
    }


def found(pod: Object, world: World) -> dict[str, Finding]:
    """What the scheduling rules find, by code."""
    codes = {f"KC50{number}" for number in range(61, 87)} | {"KC5231", "KC5232"}
    return {finding.code: finding for finding in judge_alone(pod, "Pod", world).findings if finding.code in codes}


def without(*unread: r.Resource) -> World:
    """A World in which reading some resources is forbidden, and no other objects exist."""
    readings = [Reading(listing(one), Outcome.OK, 200, body=[]) for one in r.KNOWN if one not in unread]
    readings += [Reading(listing(one), Outcome.FORBIDDEN, 403) for one in unread]
    return World(Snapshot(NOW, readings={reading.ask.key: reading for reading in readings}))


def test_the_numbers_of_the_nearest_node_are_told() -> None:
    pod = waiting()
    world = world_from([node("control", "64", taints=[TAINT]), node("w1", "2"), node("w2", "4"), pod])
    sentence = phrase(found(pod, world)["KC5061"].message, "en")
    assert "needs 8 cpu" in sentence
    assert "has 4 in all (w2)" in sentence
    assert "Other nodes: 1 kept for the control plane" in sentence


def test_without_the_right_to_see_nodes_the_scheduler_is_quoted() -> None:
    pod = waiting()
    finding = found(pod, without(r.NODES, r.PODS))["KC5061"]
    assert finding.message.id == "rule_scheduling.kc5061.cause"
    assert "Insufficient cpu (2 of 3 nodes)" in phrase(finding.message, "en")


def test_without_words_and_rights_it_is_not_evaluated() -> None:
    verdict = judge_alone(waiting("something unheard of"), "Pod", without(r.NODES, r.PODS))
    assert "KC5231" in {missed.code for missed in verdict.not_evaluated}


def test_when_a_node_fits_by_now_that_is_said() -> None:
    pod = waiting(cpu="1")
    assert set(found(pod, world_from([node("w1"), pod]))) == {"KC5231", "KC5232"}


@pytest.mark.parametrize("message", ['running PreBind plugin "Other": it broke', ""])
def test_a_broken_scheduler_is_not_told_as_a_lack_of_nodes(message: str) -> None:
    pod = waiting(message, "SchedulerError")
    assert found(pod, world_from([node("w1"), pod])) == {}


def test_many_reasons_are_told_in_one_sentence() -> None:
    pod = waiting()
    others = [node(f"w{n}", taints=[{"key": f"k{n}", "effect": "NoSchedule"}]) for n in range(9)]
    world = world_from([node("big", "8", unschedulable=True), *others, node("small"), pod])
    (finding,) = (f for code, f in found(pod, world).items() if code != "KC5232")
    assert finding.code == "KC5061"
    assert len(phrase(finding.message, "en")) < 400
