"""Every view of every kind of cluster prints, in both languages and at any width."""

from __future__ import annotations

import re
from functools import cache

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.findings import findings
from kcompanion.controlplane.inspect import ControlPlane, inspect
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Snapshot
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report.controlplane import VIEWS, document
from kcompanion.report.document import Document
from tests.controlplane.build import EVERYTHING, cluster, pod, recorded, snap
from tests.controlplane.test_findings import CASES

CLUSTERS = ("three-nodes", "ha", "ha-one-down", "minikube", "eks", "k3s", "nothing-read", "nothing-there")


@cache
def held(name: str) -> Snapshot:
    if name == "nothing-read":
        return snap(outcomes={ask: Outcome.FORBIDDEN for ask in EVERYTHING})
    return snap() if name == "nothing-there" else recorded(name)


def printed(snapshot: Snapshot, view: str, screen: Screen, *, explain: bool = False) -> str:
    plane = inspect(snapshot)
    found, gaps = findings(plane), snapshot.gaps(EVERYTHING)
    return render(document(plane, snapshot, found, gaps, view=view, explain=explain), screen)


@cache
def made(name: str, view: str) -> Document:
    plane = inspected(name)
    return document(plane, held(name), findings(plane), held(name).gaps(EVERYTHING), view=view, explain=True)


@cache
def inspected(name: str) -> ControlPlane:
    return inspect(held(name))


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", CLUSTERS)
def test_every_view_prints(name: str, view: str, language: str) -> None:
    for columns, wide in ((80, False), (200, True)):
        text = render(made(name, view), Screen(language=language, columns=columns, wide=wide))
        assert text.endswith("\n")
        assert not re.search(r"\bNone\b|\{\w+[|}]", text)
        assert bool(re.search("[가-힣]", text)) is (language == "ko")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_finding_prints(language: str) -> None:
    for has_it, _ in CASES.values():
        for change in has_it:
            answers = cluster("a", "b", "c")
            change(answers)
            assert printed(snap(answers), "overview", Screen(language=language))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("three-nodes", "All components are well. They run on one node only"),
        ("ha", "All components are well. 3 API servers; etcd survives the loss of 1."),
        ("eks", "run by the provider"),
        ("k3s", "inside services of its nodes"),
        ("nothing-read", "Not decided"),
    ],
)
def test_the_sentence_read_first(name: str, sentence: str) -> None:
    assert sentence in " ".join(printed(held(name), "overview", Screen(columns=400)).split())


def test_a_recorded_case_says_that_it_never_ran() -> None:
    for name in ("minikube", "eks", "k3s"):
        assert "never run here" in printed(held(name), "overview", Screen(columns=200))
    assert "never run here" not in printed(held("ha"), "overview", Screen(columns=200))


def test_hostile_names_are_harmless() -> None:
    text = printed(snap(cluster("a\x1b[31m\u202eb")), "overview", Screen(columns=200))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_controller_nobody_knows_is_shown_without_a_text() -> None:
    answers = cluster("a")
    answers[asks.PODS].append(pod("kube-controller-manager", "b", "--controllers=*,a-distributions-own"))
    answers[asks.PODS] = [p for p in answers[asks.PODS] if p["metadata"]["name"] != "kube-controller-manager-a"]
    assert "a-distributions-own" in printed(snap(answers), "flags", Screen(columns=200))


def test_only_the_overview_and_health_carry_a_verdict() -> None:
    snapshot = held("ha-one-down")
    plane = inspect(snapshot)
    for view in VIEWS:
        shown = document(plane, snapshot, findings(plane), (), view=view)
        assert (shown.verdict is not None) is (view in ("overview", "health"))


def test_thousands_of_nodes_are_summed_up() -> None:
    names = tuple(f"w{i:04}" for i in range(400))
    text = printed(snap(cluster("a", workers=names)), "overview", Screen(columns=120))
    assert len(text.splitlines()) < 40
    assert "401 of 401 ready" in text


def test_servers_that_were_not_probed_are_named() -> None:
    snapshot = snap(cluster("a", "b", "c"))
    text = " ".join(printed(snapshot, "health", Screen(columns=300)).split())
    assert "Not probed: b, c" in text  # the first answered at its own address
    assert inspect(snapshot).component("kube-apiserver").status is Status.OK
