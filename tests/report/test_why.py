"""How a pod gets its node, told for pods of all sorts; and clusters of many nodes in few lines."""

from typing import Any

import pytest

from kcompanion.model.ask import Outcome
from kcompanion.model.events import event_of
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Gap
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.render.theme import Theme
from kcompanion.report import why
from kcompanion.report.document import Document
from kcompanion.scheduling.placement import Placement, Verdict, on_node, place
from kcompanion.scheduling.result import Result
from tests.scheduling.build import ROOMY, node, pod, world

UNREAD = Gap("list events", Outcome.FORBIDDEN, "", "list", "events")


def shown(document: Document, language: str = "en") -> str:
    screen = Screen(language=language, columns=400, wide=False, headers=True, theme=Theme(colour=False))
    return render(document, screen)


def told(
    item: dict[str, Any],
    *nodes: dict[str, Any],
    events: Any = (),
    unread: Gap | None = None,
    language: str = "en",
    wide: bool = False,
) -> str:
    placement = place(item, world(*nodes, item))
    binding = why.binding_of(item, events, unread)
    verdict, status = why.verdict_on_all(item, placement, binding)
    sections = why.sections_on_all(item, placement, binding, explain=False, wide=wide)
    return shown(Document(verdict=verdict, status=status, sections=sections), language)


def test_gates_hold_it_back() -> None:
    text = told(pod(schedulingGates=[{"name": "example.com/wait"}]), node("a"))
    assert "held back by scheduling gates (example.com/wait)" in text
    assert "it would fit on 1 of 1 nodes" in text


def test_another_scheduler_has_its_own_rules() -> None:
    text = told(pod(schedulerName="batch-scheduler"), node("a"))
    assert "schedulerName is batch-scheduler" in text
    assert "one of 1 would take it" in text


def test_a_nominated_node_waits_for_its_victims() -> None:
    waiting = pod(priority=5, priorityClassName="high", preemptionPolicy="Never")
    waiting["status"]["nominatedNodeName"] = "a"
    text = told(waiting, node("a", taints=[{"key": "k", "effect": "NoSchedule"}]))
    assert "removes pods of lower priority on a" in text
    assert "5 (high, preemptionPolicy Never)" in text


def test_who_bound_it_is_told_by_the_event() -> None:
    event = event_of(
        {
            "involvedObject": {"kind": "Pod", "name": "p"},
            "reason": "Scheduled",
            "message": "Successfully assigned default/p to a",
            "reportingComponent": "default-scheduler",
        }
    )
    text = told(pod(on="a"), node("a"), events=[event])
    assert "Successfully assigned default/p to a (default-scheduler)" in text
    assert "who bound it cannot be told" not in text


@pytest.mark.parametrize(
    ("unread", "words"), [(None, "who bound it cannot be told"), (UNREAD, "could not be read (not allowed)")]
)
def test_without_the_event_that_is_said(unread: Gap | None, words: str) -> None:
    assert words in told(pod(on="a"), node("a"), unread=unread)


def test_the_preemption_tail_is_explained() -> None:
    waiting = pod(requests={"cpu": "900"})
    message = "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
    waiting["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "message": message}]
    text = told(waiting, node("a"))
    assert message in text
    assert "preemption: the pod may not push others away" in text


@pytest.mark.parametrize("language", ["en", "ko"])
def test_many_nodes_take_few_lines(language: str) -> None:
    many = [node(f"n{number:03}", room={**ROOMY, "cpu": "2"}) for number in range(500)]
    text = told(pod(requests={"cpu": "3"}), *many, node("big"), language=language)
    assert len(text.splitlines()) < 25
    assert "500" in text
    assert "big" in text


def test_what_is_open_is_no_yes() -> None:
    claim = {"kind": "ResourceClaim", "metadata": {"name": "gpu", "namespace": "default"}, "spec": {}}
    asking = pod(resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}])
    found = world(node("a"), claim, asking)
    verdict = on_node(asking, node("a"), found)
    text = shown(Document(verdict=why.verdict_on_node(asking, verdict)))
    assert "is not known: DynamicResources could not be told" in text
    placement = place(asking, found)
    assert why.verdict_on_all(asking, placement, why.binding_of(asking, (), None))[1] is Status.UNKNOWN


def _placement(fits: int, unknown: int, refused: int) -> Placement:
    """A placement of that many nodes of each sort."""
    refusing = place(pod(requests={"cpu": "900"}), world(node("x"))).verdicts[0]
    open_ = Verdict("x", (Result("NodePorts", gap=UNREAD),))
    return Placement((Verdict("x", ()),) * fits + (open_,) * unknown + (refusing,) * refused)


@pytest.mark.parametrize(
    ("placement", "english", "korean"),
    [
        (_placement(2, 0, 1), "would fit on 2 of 3 nodes.", "노드 3개 중 2개에"),
        (_placement(1, 2, 1), "at least 1 and at most 3 of 4 nodes", "적게는 1개, 많게는 3개"),
        (_placement(0, 2, 1), "at most 2 of 3 nodes", "많아야 2개"),
        (Placement(gap=UNREAD), "is not known: the nodes could not be read", "노드를 읽지 못해"),
    ],
)
@pytest.mark.parametrize("fields", [{"on": "x"}, {"schedulingGates": [{"name": "wait"}]}])
def test_what_is_not_known_is_no_number(
    placement: Placement, english: str, korean: str, fields: dict[str, Any]
) -> None:
    item = pod(**fields)
    verdict, _ = why.verdict_on_all(item, placement, why.binding_of(item, (), None))
    assert english in shown(Document(verdict=verdict))
    assert korean in shown(Document(verdict=verdict), "ko")


def test_unread_nodes_are_not_none_of_none() -> None:
    verdict, status = why.verdict_on_all(pod(), Placement(gap=UNREAD), why.binding_of(pod(), (), None))
    assert status is Status.UNKNOWN
    assert "the nodes could not be read" in shown(Document(verdict=verdict))
    assert "0" not in shown(Document(verdict=verdict), "ko")


def test_a_node_that_does_not_exist_is_nothing_well() -> None:
    ghosted = pod(on="ghost")
    placement, binding = place(ghosted, world(node("a"), ghosted)), why.binding_of(ghosted, (), None)
    verdict, status = why.verdict_on_all(ghosted, placement, binding)
    assert status is Status.FAIL
    assert "names node ghost, which does not exist" in shown(Document(verdict=verdict))
    assert why.verdict_on_all(ghosted, Placement(gap=UNREAD), binding)[1] is Status.OK


def test_a_pod_without_a_node_is_told_what_would_have_to_change() -> None:
    text = told(pod(requests={"cpu": "900"}), node("a"), node("b"), node("c", unschedulable=True))
    assert "a, b, c: Lower the pod's request for cpu" in text
    assert "c: Uncordon the node" in text
    assert "kcompanion why-not p a -n default" in text


def test_many_things_to_change_are_told_in_full_on_request() -> None:
    taints = [{"key": f"k{n}", "effect": "NoSchedule"} for n in range(8)]
    many = [node(f"n{n}", taints=[taint]) for n, taint in enumerate(taints)]
    assert "… and 3 more: -o wide" in told(pod(), *many)
    assert told(pod(), *many, wide=True).count("toleration for k") == 8


def test_a_bound_pod_shows_its_predicates_on_request() -> None:
    item = pod(on="a", requests={"cpu": "1"})
    full = node("b", unschedulable=True)
    assert "What would have to change" not in told(item, node("a"), full)
    wide = told(item, node("a"), full, wide=True)
    assert "Predicates of its node a" in wide
    assert "needs 1 cpu" in wide
    assert "Uncordon the node" in wide


def test_wide_names_every_node() -> None:
    many = [node(f"n{number:03}") for number in range(30)]
    assert "n029" not in told(pod(requests={"cpu": "900"}), *many)
    assert all(f"n{number:03}" in told(pod(requests={"cpu": "900"}), *many, wide=True) for number in range(30))
