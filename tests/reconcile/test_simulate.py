"""The stories: that each shows what it says, in both languages, the same every time and without a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run
from kcompanion.reconcile.decision import Action, Decision
from kcompanion.reconcile.simulate.scenarios import SCENARIOS, play
from kcompanion.reconcile.victims import Rule
from kcompanion.render.wrap import width

ROOT = Path(__file__).parents[2]


def turns(name: str) -> list[Decision]:
    return [decision for scene in play(name).scenes for decision in scene.turns]


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["reconcile", "simulate", *words]) == 0
    return capsys.readouterr().out


def test_a_lost_pod_is_replaced_before_it_is_gone() -> None:
    created, killed, ended = play("pod-lost").scenes
    assert created.turns[0].count == 3
    assert (killed.turns[0].action, killed.turns[0].count) == (Action.CREATE, 1)
    assert killed.turns[0].woken_by[0].cause.value == "podLeaving"
    assert sum(pod.deleting for pod in killed.pods) == 1
    assert [turn.action for turn in ended.turns] == [Action.NONE]


def test_a_tampered_label_frees_a_pod_and_brings_it_back() -> None:
    _, away, back = play("label-tampered").scenes
    taken = away.turns[0].released
    assert len(taken) == len(away.turns[0].created) == 1
    assert back.turns[0].adopted == taken
    assert back.turns[0].deleted != taken  # it has been ready for longer than the one that came instead


def test_a_quota_costs_few_requests_and_leaves_a_condition() -> None:
    first, retry, scaled = turns("quota")
    assert sum(answer.count for answer in first.answers if answer.request == "CreatePod") == 3
    assert sum(answer.count for answer in retry.answers if answer.request == "CreatePod") == 1
    assert ("ReplicaFailure", None, "FailedCreate") in [(c.field, c.old, c.new) for c in first.changes]
    assert ("ReplicaFailure", "FailedCreate", None) in [(c.field, c.old, c.new) for c in scaled.changes]


def test_a_slow_watch_is_waited_for() -> None:
    created, waiting, *_ = turns("slow-watch")
    assert created.count == 3
    assert (waiting.action, waiting.observed.active, waiting.difference) == (Action.WAIT, 0, -3)
    assert waiting.pending is not None
    assert waiting.pending.creations == 3


def test_after_a_lost_answer_nothing_is_made_twice() -> None:
    assert [turn.action for turn in turns("lost-answer")] == [Action.CREATE, Action.WAIT, Action.NONE]
    assert len(play("lost-answer").scenes[-1].pods) == 1


def test_two_with_one_selector_count_each_its_own() -> None:
    first, second = play("two-selectors").scenes
    assert {turn.key.name: turn.count for turn in first.turns if turn.action is Action.CREATE} == {
        "blue": 1,
        "green": 2,
    }
    assert (second.turns[0].adopted, second.turns[0].deleted) == (("stray",), ("stray",))


def test_scaling_down_shows_each_rule_that_a_pod_can_show() -> None:
    scene = play("scale-down").scenes[-1]
    order = [one.pod.name for one, _ in scene.ranking]
    assert [victim.pod.name for victim in scene.turns[0].victims] == order[:-1]
    rules = (Rule.UNASSIGNED, Rule.PHASE, Rule.NOT_READY, Rule.COST, Rule.RESTARTS, Rule.CROWD, None)
    assert tuple(rule for _, rule in scene.ranking) == rules


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_each_fits_a_screen_of_80_columns(
    name: str, language: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = printed(capsys, name, "--lang", language)
    assert [line for line in out.splitlines() if width(line) > 80] == []
    assert "{" not in out


@pytest.mark.parametrize("name", [*SCENARIOS, None])
def test_json_fits_its_schema_and_is_the_same_in_every_language(
    name: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [name] if name else []
    told = printed(capsys, *words, "-o", "json", "--lang", "ko")
    assert told == printed(capsys, *words, "-o", "json", "--lang", "en")
    schema: dict[str, Any] = json.loads((ROOT / "kcompanion/schemas/Simulation.json").read_text(encoding="utf-8"))
    shared = json.loads((ROOT / "kcompanion/schemas/common.json").read_text(encoding="utf-8"))
    Draft202012Validator({**schema, **shared}).validate(json.loads(told))


def test_without_a_name_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "--lang", "en")
    assert [name for name in SCENARIOS if name not in out] == []
    assert printed(capsys, "-o", "name").split() == list(SCENARIOS)


def test_a_wrong_name_is_told_with_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reconcile", "simulate", "pod-los"]) == 4
    assert "did you mean pod-lost?" in capsys.readouterr().err


def test_no_client_is_loaded_for_a_story() -> None:
    check = (
        "import sys; from kcompanion.cli.main import run; run(sys.argv[1:]);"
        "print([m for m in ('kubernetes', 'urllib3', 'kopf', 'aiohttp') if m in sys.modules], file=sys.stderr)"
    )
    words = [sys.executable, "-c", check, "reconcile", "simulate", "pod-lost"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True, timeout=120)
    assert done.stderr.splitlines()[-1] == "[]"
