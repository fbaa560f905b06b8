"""`health` on shipped recordings: exit codes, formats, baseline and suppressions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run

Capture = pytest.CaptureFixture[str]
FAULTY = ("health", "--from", "demo:faulty")


def answer(capsys: Capture, *words: str, code: int = 0) -> dict[str, Any]:
    assert run([*words, "-o", "json"]) == code
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    run(["schema", "Health"])
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(body)
    return body


def test_a_cluster_that_is_well(capsys: Capture) -> None:
    body = answer(capsys, "health", "--from", "demo:three-nodes", "--fail-on", "warning")
    assert (body["status"], body["entries"]) == ("ok", [])


def test_faults_are_found_and_only_counted_when_asked(capsys: Capture) -> None:
    body = answer(capsys, *FAULTY)
    found = {entry["code"] for entry in body["entries"]}
    assert found >= {"KC5041", "KC5054", "KC5061", "KC5144", "KC5148", "KC5212"}
    answer(capsys, *FAULTY, "--fail-on", "critical", code=1)


def test_one_namespace(capsys: Capture) -> None:
    body = answer(capsys, *FAULTY, "-n", "demo-kc5061")
    assert [entry["code"] for entry in body["entries"]] == ["KC5061"]


def test_what_the_baseline_holds_does_not_count(capsys: Capture) -> None:
    body = answer(capsys, *FAULTY, "--baseline", "demo:faulty", "--fail-on", "warning")
    assert body["entries"] == []
    assert len(body["known"]) >= 6
    fresh = answer(capsys, *FAULTY, "--baseline", "demo:three-nodes", "--fail-on", "warning", code=1)
    assert len(fresh["entries"]) >= 6


def test_what_is_suppressed_does_not_count_until_it_expires(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "accepted.yaml"
    file.write_text(
        "suppressions:\n"
        "  - {code: KC5061, namespace: demo-kc5061, reason: a lesson}\n"
        "  - {code: KC5041, reason: old, expires: 2020-01-01}\n"
    )
    body = answer(capsys, *FAULTY, "--suppress", str(file))
    assert [(entry["code"], entry["reason"]) for entry in body["suppressed"]] == [("KC5061", "a lesson")]
    assert "KC5041" in {entry["code"] for entry in body["entries"]}
    assert [row["code"] for row in body["expiredSuppressions"]] == ["KC5041"]


def test_junit_and_sarif_tell_the_same(capsys: Capture) -> None:
    codes = sorted(entry["code"] for entry in answer(capsys, *FAULTY)["entries"] if entry["severity"] != "info")
    assert run([*FAULTY, "-o", "junit"]) == 0
    suite = ElementTree.fromstring(capsys.readouterr().out)
    assert sorted(case.get("classname", "") for case in suite.iter("testcase") if case.find("failure") is not None) == (
        codes
    )
    assert run([*FAULTY, "-o", "sarif"]) == 0
    [log] = json.loads(capsys.readouterr().out)["runs"]
    assert sorted(result["ruleId"] for result in log["results"]) == codes
    assert {rule["id"] for rule in log["tool"]["driver"]["rules"]} == set(codes)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_fits_on_a_screen(capsys: Capture, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run([*FAULTY, "--lang", language])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 50


@pytest.mark.parametrize(
    "words",
    [
        ("--suppress", "/nonexistent"),
        ("--baseline", "/nonexistent"),
        ("--wait",),
        ("-n", "a", "-A"),
        ("-o", "xml"),
    ],
)
def test_wrong_usage(capsys: Capture, words: tuple[str, ...]) -> None:
    assert run([*FAULTY, *words]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_suppressions_file_that_is_no_yaml(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("suppressions: [")
    assert run([*FAULTY, "--suppress", str(file)]) == 2
    assert "no YAML" in capsys.readouterr().err


def test_an_older_recording_leaves_it_undecided(capsys: Capture) -> None:
    """It was made before health existed, and lacks what no command asked for then."""
    file = Path(__file__).parents[1] / "data" / "restricted.kcr"
    assert run(["health", "--from", str(file)]) == 5
    assert "not" in capsys.readouterr().out
