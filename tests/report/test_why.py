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
from kcompanion.scheduling.placement import on_node, place
from tests.scheduling.build import ROOMY, node, pod, world

UNREAD = Gap("list events", Outcome.FORBIDDEN, "", "list", "events")


def shown(document: Document, language: str = "en") -> str:
    screen = Screen(language=language, columns=400, wide=False, headers=True, theme=Theme(colour=False))
    return render(document, screen)


def told(
    item: dict[str, Any], *nodes: dict[str, Any], events: Any = (), unread: Gap | None = None, language: str = "en"
) -> str:
    placement = place(item, world(*nodes, item))
    binding = why.binding_of(item, events, unread)
    verdict, status = why.verdict_on_all(item, placement, binding)
    sections = why.sections_on_all(item, placement, binding, explain=False)
    return shown(Document(verdict=verdict, status=status, sections=sections), language)


def test_gates_hold_it_back() -> None:
    text = told(pod(schedulingGates=[{"name": "example.com/wait"}]), node("a"))
    assert "held back by scheduling gates (example.com/wait)" in text
    assert "It would fit on 1 of 1" in text


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
