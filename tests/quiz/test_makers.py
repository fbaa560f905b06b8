"""Every maker on the shipped recordings: its right answers are those that `raw.py` works out by other ways."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

import click
import pytest

from kcompanion.cli.main import cli
from kcompanion.cluster import recording
from kcompanion.controlplane import asks
from kcompanion.learn.lessons import BY_ID
from kcompanion.model.ask import Ask, Outcome, Reading, Verb
from kcompanion.model.message import Message
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.quiz.draw import Quiz, draw
from kcompanion.quiz.makers import MAKERS, TOPICS
from kcompanion.quiz.question import Choice
from tests.quiz.raw import DERIVED, Raw

ROOT = Path(__file__).parents[2]
SHIPPED = Path(str(resources.files("kcompanion") / "recordings"))
NAMES = sorted(file.stem for file in SHIPPED.glob("*.kcr"))
SEEDS = range(8)
ALL = len(MAKERS)


@cache
def world(name: str) -> World:
    """What a live command would know after asking for everything that any question needs."""
    source = recording.RecordedSource(recording.load(SHIPPED / f"{name}.kcr"))
    answers = dict(source.read(asks.OVERVIEW))
    known = World(Snapshot(source.now, source.origin, answers))
    for _ in range(8):
        draw(known, known.snapshot, "", seed=0, count=ALL)
        if not known.wanted:
            return known
        answers |= source.read(known.wanted.values())
        known = World(Snapshot(source.now, source.origin, dict(answers)))
    raise AssertionError("it never has enough")


def drawn(known: World, seed: int, namespace: str = "") -> Quiz:
    return draw(known, known.snapshot, namespace, seed=seed, count=ALL)


def word(choice: Choice) -> str:
    return choice.id if isinstance(choice, Message) else str(choice)


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_are_right_and_the_others_wrong(name: str) -> None:
    raw = Raw(SHIPPED / f"{name}.kcr")
    for seed in SEEDS:
        for asked in drawn(world(name), seed).asked:
            question = asked.question
            choices = [word(one) for one in question.choices]
            right = {choices[index] for index in question.right}
            derived = DERIVED[asked.maker.id](raw, dict(question.asked.values), choices)
            assert right == derived, (seed, asked.maker.id, dict(question.asked.values), choices)


def test_every_maker_is_derived_and_tried() -> None:
    tried = {asked.maker.id for name in NAMES for asked in drawn(world(name), 1).asked}
    assert tried == {maker.id for maker in MAKERS} == set(DERIVED)
    assert ALL >= 25


def test_questions_are_whole() -> None:
    for asked in drawn(world("shop"), 3).asked:
        question = asked.question
        assert 0 < len(question.right) < len(question.choices) <= 4, asked.maker.id
        assert len(set(question.choices)) == len(question.choices), asked.maker.id
        assert question.proof, asked.maker.id
        ours, theirs = (words.split()[0] for words in question.commands)
        assert (ours, theirs in ("kubectl", "etcdctl")) == ("kcompanion", True)


def test_a_seed_gives_the_same_questions_another_one_others() -> None:
    first, again, other = (drawn(world("shop"), seed) for seed in (7, 7, 8))
    assert first == again
    assert {one.question for one in first.asked} != {one.question for one in other.asked}


def test_makers_name_rows_lessons_and_topics_that_exist() -> None:
    concepts = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    assert [maker.id for maker in MAKERS if f"| [{maker.row}](" not in concepts] == []
    assert [maker.id for maker in MAKERS if maker.lesson and maker.lesson not in BY_ID] == []
    assert len({maker.id for maker in MAKERS}) == ALL
    assert set(TOPICS) == {maker.topic for maker in MAKERS}


def test_commands_can_be_typed() -> None:
    for asked in drawn(world("shop"), 5).asked:
        words = asked.question.commands[0].split()[1:]
        context = click.Context(cli, info_name="kcompanion")
        name, command, rest = cli.resolve_command(context, words)
        assert command is not None
        command.make_context(name, rest, parent=context).close()


# ------------------------------------------------------------------------------------- what is not known


def with_every(change: Reading, known: World) -> World:
    """The same questions, all answered alike."""
    readings = {key: replace(change, ask=one.ask) for key, one in known.snapshot.readings.items()}
    return World(replace(known.snapshot, readings=readings))


def test_an_empty_cluster_is_asked_nothing_about() -> None:
    empty = with_every(Reading(Ask(Verb.LIST), Outcome.OK, 200, body=[]), world("shop"))
    quiz = drawn(empty, 1)
    assert {one.maker.id for one in quiz.asked} <= {"api_group", "scope"}  # what is served is known all the same
    assert {one.why for one in quiz.not_asked} == {"material"}


@pytest.mark.parametrize("outcome", [Outcome.FORBIDDEN, Outcome.TIMEOUT, Outcome.ERROR, Outcome.NOT_ASKED])
def test_what_could_not_be_read_is_not_asked_about(outcome: Outcome) -> None:
    dark = with_every(Reading(Ask(Verb.LIST), outcome, 403, "no"), world("shop"))
    quiz = drawn(dark, 1)
    assert {one.maker.id for one in quiz.asked} <= {"context_namespace"}
    assert {one.why for one in quiz.not_asked} <= {"gap", "material"}
    assert quiz.undecided


def test_no_gap_makes_a_wrong_answer() -> None:
    """One answer after the other is missing: what is asked then is still right."""
    known, raw = world("shop"), Raw(SHIPPED / "shop.kcr")
    for key, reading in known.snapshot.readings.items():
        lacking = {**known.snapshot.readings, key: replace(reading, outcome=Outcome.FORBIDDEN, body=None)}
        for asked in drawn(World(replace(known.snapshot, readings=lacking)), 2).asked:
            choices = [word(one) for one in asked.question.choices]
            right = {choices[index] for index in asked.question.right}
            assert right == DERIVED[asked.maker.id](raw, dict(asked.question.asked.values), choices), key


def test_old_answers_count_as_none() -> None:
    known = world("shop")
    stale = {key: replace(one, stale=True) for key, one in known.snapshot.readings.items()}
    quiz = drawn(World(replace(known.snapshot, readings=stale)), 1)
    assert {one.maker.id for one in quiz.asked} <= {"context_namespace"}


def test_a_namespace_narrows_what_is_asked_about() -> None:
    quiz = drawn(world("shop"), 1, "shop")
    places = [str(dict(one.question.asked.values).get("pod", "shop/")) for one in quiz.asked]
    assert [one for one in places if not one.startswith("shop/")] == []
    assert {one.maker.id for one in quiz.not_asked if one.why == "namespace"} == {m.id for m in MAKERS if m.wide}


def test_odd_objects_cost_no_more_than_their_own_questions() -> None:
    known = world("shop")
    odd = {
        key: replace(one, body=[{"metadata": {"name": "x"}, "spec": 7, "status": [None]}, 3, None])
        if isinstance(one.body, list)
        else one
        for key, one in known.snapshot.readings.items()
    }
    assert isinstance(drawn(World(replace(known.snapshot, readings=odd)), 1), Quiz)
