"""`quiz` from the command line: printed without a terminal, played at one, and nothing but read."""

from __future__ import annotations

import copy
import json
import shlex
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.quiz.makers import MAKERS, TOPICS
from tests.cli.conftest import DATA
from tests.cli.terminal import PATIENCE, terminal

Capture = pytest.CaptureFixture[str]
SHOP = ("quiz", "--from", "demo:shop", "--seed", "7")
SHIPPED = Path(str(resources.files("kcompanion") / "recordings"))


def answer(capsys: Capture, *words: str, code: int = 0) -> dict[str, Any]:
    assert run([*words, "-o", "json"]) == code
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    run(["schema", "Quiz"])
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(body)
    return body


def test_without_a_terminal_it_prints_the_questions(capsys: Capture) -> None:
    assert run([*SHOP, "--count", "3"]) == 0
    told = capsys.readouterr().out
    assert "3 questions (--seed 7)" in told
    assert "\n3. " in told
    assert "\n4. " not in told
    assert "✔" not in told
    assert "--answers" in told


def test_answers_are_told_only_when_asked(capsys: Capture) -> None:
    bare = answer(capsys, *SHOP)
    assert [one for one in bare["questions"] if "answer" in one] == []
    whole = answer(capsys, *SHOP, "--answers")
    assert [{k: v for k, v in one.items() if k != "answer"} for one in whole["questions"]] == bare["questions"]
    for one in whole["questions"]:
        assert {number for number in one["answer"]["right"] if not 1 <= number <= len(one["choices"])} == set()
        assert one["several"] is (len(one["answer"]["right"]) > 1)
    assert len(whole["questions"]) == 10
    assert len(whole["questions"]) + whole["questionsLeftOut"] + len(whole["notAsked"]) == len(MAKERS)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("topic", TOPICS)
def test_topics_in_both_languages(capsys: Capture, topic: str, language: str) -> None:
    assert run([*SHOP, "--topic", topic, "--answers", "--count", "60", "--lang", language]) == 0
    told = capsys.readouterr().out
    assert "docs/concepts" in told
    assert {one["topic"] for one in answer(capsys, *SHOP, "--topic", topic)["questions"]} == {topic}


def test_the_same_seed_gives_the_same_bytes(capsys: Capture) -> None:
    printed = []
    for seed in ("3", "3", "4"):
        run(["quiz", "--from", "demo:ha", "--seed", seed, "--answers"])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_what_is_not_asked_is_said(capsys: Capture) -> None:
    body = answer(capsys, "quiz", "--from", str(DATA / "restricted.kcr"), code=5)
    assert body["questions"] == []
    assert {one["missing"]["reason"] for one in body["notAsked"] if one["reason"] == "gap"} == {"forbidden"}
    run(["quiz", "--from", str(DATA / "restricted.kcr")])
    assert "needs list pods (not allowed)" in " ".join(capsys.readouterr().out.split())


def test_nothing_to_ask_about_is_not_found(capsys: Capture) -> None:
    assert run(["quiz", "--from", "demo:three-nodes", "-n", "default", "--topic", "etcd"]) == 4
    assert "no question" in capsys.readouterr().err


def test_a_namespace_that_does_not_exist_is_told(capsys: Capture) -> None:
    assert run([*SHOP, "-n", "shopp"]) == 4
    assert 'namespace "shopp" not found' in capsys.readouterr().err


def test_it_cannot_be_watched(capsys: Capture) -> None:
    assert run([*SHOP, "-w"]) == 2
    assert "leave out -w" in capsys.readouterr().err


def test_hostile_names_stay_text(capsys: Capture, tmp_path: Path) -> None:
    snapshot = recording.load(SHIPPED / "shop.kcr")
    evil = "\x1b[2J\u202e;touch x;\x07"

    def spoilt(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: node[key] + evil if key == "name" and isinstance(node[key], str) else spoilt(node[key])
                for key in node
            }
        return [spoilt(one) for one in node] if isinstance(node, list) else node

    readings = {key: replace(one, body=spoilt(copy.deepcopy(one.body))) for key, one in snapshot.readings.items()}
    file = tmp_path / "evil.kcr"
    recording.save(replace(snapshot, readings=readings), file)
    assert run(["quiz", "--from", str(file), "--answers", "--count", "60", "--seed", "1"]) == 0
    told = capsys.readouterr().out
    assert "touch x" in told
    assert [char for char in "\x1b\x07\u202e" if char in told] == []
    body = answer(capsys, "quiz", "--from", str(file), "--answers", "--count", "60", "--seed", "1")
    words = [one for row in body["questions"] for line in row["answer"]["commands"] for one in shlex.split(line)]
    assert [one for one in words if "touch" in one and ";touch x;" not in one] == []  # always one word with its name


# --------------------------------------------------------------------------------------- at a terminal


def test_it_asks_and_judges(capsys: Capture, tmp_path: Path) -> None:
    right = [one["answer"]["right"] for one in answer(capsys, *SHOP, "--count", "3", "--answers")["questions"]]
    with terminal(tmp_path, *SHOP, "--count", "3") as screen:
        screen.until("ends):")
        screen.type("9\n")
        screen.until("Numbers from 1")
        screen.type(",".join(map(str, right[0])) + "\n")
        told = screen.until("\n2. ")
        assert "✔ Right." in told
        assert "✔ ✔" not in told
        screen.until("ends):")
        wrong = next(number for number in (1, 2, 3, 4) if [number] != right[1])
        screen.type(f"{wrong}\n")
        assert "✖ No." in screen.until("\n3. ")
        screen.until("ends):")
        screen.type("\n")
        told = screen.rest()
        assert screen.process.wait(PATIENCE) == 0
    assert "Skipped." in told
    assert "1 of 3 right." in told
    missed = told.split("To look into again")[1]
    assert "  2. " in missed
    assert "  3. " in missed
    assert "  1. " not in missed
    assert "Proof: " in told


def test_ctrl_c_ends_it_with_the_result(tmp_path: Path) -> None:
    with terminal(tmp_path, *SHOP) as screen:
        screen.until("ends):")
        screen.type("\n")
        screen.until("\n2. ")
        screen.until("ends):")
        screen.interrupt()
        assert screen.process.returncode == 130
        told = screen.rest()
    assert "0 of 1 right; 9 not seen." in told


def test_who_has_enough_ends_it(tmp_path: Path) -> None:
    with terminal(tmp_path, *SHOP) as screen:
        screen.until("ends):")
        screen.type("q\n")
        told = screen.rest()
        assert screen.process.wait(PATIENCE) == 0
    assert "0 of 0 right; 10 not seen." in told
