"""With a right taken away, `tree` and `orphans` name it and leave their verdict open; never a silent fine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import kcompanion
from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.model.ask import Outcome

SHOP = recording.load(Path(kcompanion.__file__).parent / "recordings" / "shop.kcr")
Capture = pytest.CaptureFixture[str]


def without(kind: str, directory: Path) -> Path:
    """The shop's recording as somebody would have made it who may not read this kind."""
    readings = {
        key: replace(reading, outcome=Outcome.FORBIDDEN, status=403, body=None)
        if reading.ask.resource is not None and reading.ask.resource.plural == kind
        else reading
        for key, reading in SHOP.readings.items()
    }
    path = directory / "shop.kcr"
    recording.save(replace(SHOP, readings=readings), path)
    return path


def told(words: list[str], file: Path, capsys: Capture, code: int) -> tuple[str, dict[str, Any]]:
    """What the terminal and JSON say; both end with the code."""
    command = [*words, "--from", str(file)]
    assert run(command) == code
    text = capsys.readouterr().out
    assert run([*command, "-o", "json"]) == code
    return text, json.loads(capsys.readouterr().out)


TREE = ["tree", "deployment/web", "-n", "shop"]


@pytest.mark.parametrize(
    ("kind", "asides"),
    [
        ("deployments", []),
        ("replicasets", []),
        ("pods", []),
        ("nodes", []),
        ("services", ["--with", "services"]),
        ("ingresses", ["--with", "services"]),
        ("configmaps", ["--with", "config"]),
        ("serviceaccounts", ["--with", "rbac"]),
        ("rolebindings", ["--with", "rbac"]),
        ("clusterrolebindings", ["--with", "rbac"]),
        ("horizontalpodautoscalers", ["--with", "hpa"]),
        ("poddisruptionbudgets", ["--with", "pdb"]),
        ("events", ["--events"]),
    ],
)
def test_a_tree_is_undecided_and_names_the_right(kind: str, asides: list[str], tmp_path: Path, capsys: Capture) -> None:
    text, body = told([*TREE, *asides], without(kind, tmp_path), capsys, 5)
    assert (body["status"], body["complete"]) == ("unknown", False)
    assert kind in {gap["resource"].partition(".")[0] for gap in body["gaps"]}
    assert kind in text
    assert "✔ Deployment" not in text


def test_what_nobody_asked_for_does_not_leave_a_tree_undecided(tmp_path: Path, capsys: Capture) -> None:
    for kind in ("services", "events", "secrets"):
        _, body = told(TREE, without(kind, tmp_path), capsys, 0)
        assert body["status"] == "ok"


def test_a_proven_failure_is_told_beside_what_could_not_be_judged(tmp_path: Path, capsys: Capture) -> None:
    text, body = told(["tree", "pod", "-n", "shop"], without("nodes", tmp_path), capsys, 5)
    assert body["status"] == "fail"
    assert "of them not well; how" in text


@pytest.mark.parametrize("kind", ["pods", "replicasets", "statefulsets", "jobs", "horizontalpodautoscalers", "events"])
@pytest.mark.parametrize("space", ["shop", "kube-system"])
def test_a_search_for_orphans_is_undecided_and_names_the_right(
    kind: str, space: str, tmp_path: Path, capsys: Capture
) -> None:
    text, body = told(["orphans", "-n", space], without(kind, tmp_path), capsys, 5)
    assert (body["status"], body["complete"]) == ("unknown", False)
    assert kind in {gap["resource"].partition(".")[0] for gap in body["gaps"]}
    assert kind in text
    assert "✔" not in text


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("kind", ["replicasets", "services"])
def test_a_preview_that_lacks_something_is_undecided(kind: str, language: str, tmp_path: Path, capsys: Capture) -> None:
    words = ["orphans", "pod/alone", "-n", "shop", "--preview-label", "app=web", "--lang", language]
    text, body = told(words, without(kind, tmp_path), capsys, 5)
    assert body["status"] == "unknown"
    assert text.splitlines()[1].startswith("? ")
    assert kind in text
    assert "orphans that are not told" not in text
    assert "살펴봤습니다" not in text
