"""Every lesson is whole, tells its way back, and proves what it says from a recorded run and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kcompanion.learn.answers import Answers
from kcompanion.learn.lesson import COMMANDS, EXEC, LOCAL, RUN, Lesson, Send, Wait
from kcompanion.learn.lessons import LESSONS
from kcompanion.learn.perform import judge, plan
from kcompanion.learn.protocol import Setting
from kcompanion.text import catalog
from tests.learn.casting import RECORDINGS, recorded, replayed

ROOT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.id)
LANGUAGES = ("en", "ko")
# POSTs that store nothing outside, or whose effect the kubelet takes back by itself.
HARMLESS = re.compile(r"review|/binding|/eviction|/token")


def acts(lesson: Lesson) -> Iterator[Send]:
    for step in lesson.steps:
        yield from (act for act in step.acts if isinstance(act, Send))


@EVERY
def test_every_text_is_there_and_none_is_left_over(lesson: Lesson) -> None:
    wanted = {"title", "question", "plan", "conclusion", "ask", "answer"}
    wanted |= {f"step.{step.id}" for step in lesson.steps}
    wanted |= {f"claim.{claim.id}" for step in lesson.steps for claim in step.claims}
    for language in LANGUAGES:
        assert set(catalog.area(language, lesson.text("title").id.partition(".")[0])) == wanted


@EVERY
def test_names_are_unique(lesson: Lesson) -> None:
    steps = [step.id for step in lesson.steps]
    claims = [claim.id for step in lesson.steps for claim in step.claims]
    names = [act.name for step in lesson.steps for act in step.acts]
    assert len(set(steps)) == len(steps)
    assert len(set(claims)) == len(claims)
    assert len(set(names)) == len(names)
    assert all(step.claims for step in lesson.steps), "each step proves something"


@EVERY
def test_needs_and_touches_have_words(lesson: Lesson) -> None:
    for language in LANGUAGES:
        assert all(catalog.has(language, f"learn.need.{need}") for need in lesson.needs)
        assert all(catalog.has(language, f"learn.touch.{touch}") for touch in lesson.touches)


@EVERY
def test_whatever_is_changed_outside_the_namespace_has_a_way_back(lesson: Lesson) -> None:
    for act in acts(lesson):
        inside = "/namespaces/{ns}/" in act.path or act.method == "GET" or HARMLESS.search(act.path) or looks(act)
        assert inside or act.undo is not None, f"{act.method} {act.path}"


def looks(act: Send) -> bool:
    """Whether a command changes nothing outside the namespace. Programs have rights in the lesson's namespaces only."""
    if act.method in LOCAL:
        return True
    if act.method not in COMMANDS or not isinstance(act.body, list):
        return False
    if "kubectl" in act.body:
        return "--namespace={ns}" in act.body
    return any(one in act.body for one in ("pgrep", "get", "status"))


@EVERY
def test_commands_on_nodes_are_declared(lesson: Lesson) -> None:
    methods = {act.method for step in lesson.steps for act in step.acts if isinstance(act, Send | Wait)}
    assert lesson.breaks == (RUN in methods)
    assert ("etcd_pod" in lesson.needs) == (EXEC in methods)


@EVERY
def test_rows_are_rows_of_the_concepts(lesson: Lesson) -> None:
    page = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    assert lesson.rows
    assert all(f"| [{row}](" in page for row in lesson.rows)


@EVERY
def test_the_recorded_run_replays(lesson: Lesson) -> None:
    run = replayed(lesson)
    assert run.failure is None
    claims = [claim for step in run.steps for claim in step.claims]
    assert [claim.id for claim in claims if not claim.held] == []
    assert [claim.id for claim in claims if not claim.evidence] == [], "a reader sees no proof"
    assert run.left == ()


@EVERY
def test_the_recording_is_of_todays_lesson(lesson: Lesson) -> None:
    """The requests that were recorded are those that the lesson makes today."""
    names = [exchange.name for exchange in recorded(lesson).exchanges]
    setting = Setting("r", "n", own=True, image="i")
    assert names == [act.name for _, those in plan(lesson, setting) for act, _ in those]


@EVERY
def test_no_claim_is_held_by_empty_answers(lesson: Lesson) -> None:
    """Each claim rests on its answers: with none of their content it is not held."""
    answers = Answers()
    for exchange in recorded(lesson).exchanges:
        answers.keep(replace(exchange, body={}))
    claims = [claim for step in lesson.steps for claim in step.claims]
    assert [claim.id for claim in claims if judge(lesson, claim, answers).held] == []


@EVERY
def test_nothing_secret_is_in_the_recording(lesson: Lesson) -> None:
    raw = (RECORDINGS / f"{lesson.id}.json").read_text(encoding="utf-8")
    assert re.search(r"eyJ[\w-]{8,}\.", raw) is None
    assert "PRIVATE KEY" not in raw
