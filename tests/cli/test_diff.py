"""`diff` of recordings and reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import Command, complained

DOWN = "kcompanion-ha-control-plane"


@pytest.fixture
def report(inside: Command, tmp_path: Path) -> Path:
    """The report of the HA cluster while all was well, as JSON."""
    file = tmp_path / "ha.json"
    assert inside("report", "--from", "demo:ha", "-O", str(file)).code == 0
    return file


def compared(inside: Command, *words: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(inside("diff", *words, "-o", "json").out)
    schema = json.loads(inside("schema", "Diff").out)
    Draft202012Validator(schema).validate(body)
    return body


def test_a_lost_leader_moves_and_its_node_fails(inside: Command) -> None:
    body = compared(inside, "demo:ha", "demo:ha-one-down")
    told = {(one["area"], one["subject"], one["aspect"]): (one["before"], one["after"]) for one in body["changes"]}
    assert told["leaders", "kube-scheduler", "leader"] == (DOWN, f"{DOWN}2")
    assert told["cluster", "etcd", "alive"] == ("3", "2")
    assert told["nodes", DOWN, "health"] == ("ok", "fail")
    assert told["services", "default/kubernetes", "ready"] == ("3/3", "2/2")
    assert {one["subject"].partition(" ")[0] for one in body["changes"] if one["area"] == "findings"} == {
        "KC1000",
        "KC1021",
        "KC3002",
        "KC3050",
    }
    assert body["byArea"]["leaders"] == 2
    assert sum(body["byArea"].values()) == len(body["changes"])


def test_a_report_says_the_same_as_its_recording(inside: Command, report: Path) -> None:
    of_report = compared(inside, str(report), "demo:ha-one-down")
    of_recording = compared(inside, "demo:ha", "demo:ha-one-down")
    assert of_report["changes"] == of_recording["changes"]
    assert of_report["before"] == of_recording["before"]


def test_there_and_back(inside: Command) -> None:
    there = compared(inside, "demo:three-nodes", "demo:faulty")["changes"]
    back = compared(inside, "demo:faulty", "demo:three-nodes")["changes"]
    swapped = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [(one["area"], one["subject"], swapped[one["change"]], one["after"]) for one in there] == [
        (one["area"], one["subject"], one["change"], one["before"]) for one in back
    ]


def test_fail_on_change(inside: Command) -> None:
    same = inside("diff", "demo:ha", "demo:ha", "--fail-on-change")
    assert (same.code, "Nothing changed" in same.out) == (0, True)
    assert inside("diff", "demo:ha", "demo:ha-one-down").code == 0
    assert inside("diff", "demo:ha", "demo:ha-one-down", "--fail-on-change").code == 1


def test_both_languages(inside: Command) -> None:
    english = inside("diff", "demo:ha", "demo:ha-one-down", "--lang", "en", COLUMNS="80").out
    assert f"AFTER: {DOWN}2" in english, "what stands below its row is named"
    assert "리더: 2건" in inside("diff", "demo:ha", "demo:ha-one-down", "--lang", "ko").out


def test_what_one_side_lacks_is_not_compared(inside: Command, report: Path) -> None:
    body = json.loads(report.read_text())
    body["nodes"] = None
    report.write_text(json.dumps(body))
    ran = inside("diff", str(report), "demo:ha", "-o", "json")
    assert ran.code == 5
    assert json.loads(ran.out)["notCompared"] == ["nodes"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"kind": "Health"}',
                                  '{"kind": "Report", "capturedAt": "2026-01-01T00:00:00Z"}'])  # fmt: skip
def test_what_is_no_report(inside: Command, tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    complained(inside("diff", str(tmp_path / "odd.json"), "demo:ha"), 2, "odd.json")


def test_complaints(inside: Command, report: Path, tmp_path: Path) -> None:
    complained(inside("diff", "nowhere.kcr", "demo:ha"), 2, "nowhere.kcr")
    complained(inside("diff", "demo:ha", "demo:ha-one-down", "--from", "demo:ha"), 2, "itself")
    inside("report", "--from", "demo:ha", "-n", "kube-system", "-O", str(tmp_path / "ns.json"))
    complained(inside("diff", str(tmp_path / "ns.json"), "demo:ha"), 2, "scopes")
