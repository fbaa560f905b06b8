"""Whatever is no real cluster is called so in every answer: recorded cases, and nodes that kwok pretends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import kcompanion
from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.model import resources as r
from kcompanion.model.snapshot import Snapshot

RECORDINGS = Path(kcompanion.__file__).parent / "recordings"
FAKE = "shop-worker2"
CASE = {"en": "never run here", "ko": "적 없는 기록"}
COMMANDS = [
    ["overview"],
    ["health"],
    ["nodes"],
    ["controlplane"],
    ["explain", f"node/{FAKE}"],
    ["tree", "deployment/web", "-n", "shop"],
    ["tree", f"node/{FAKE}"],
    ["orphans", "-n", "shop"],
    ["why", "web-6c75d4b95d-dgcgm", "-n", "shop"],
    ["why-not", "web-6c75d4b95d-dgcgm", FAKE, "-n", "shop"],
]
Capture = pytest.CaptureFixture[str]


def pretended(item: Any) -> Any:
    metadata = item["metadata"]
    if metadata["name"] != FAKE:
        return item
    return {**item, "metadata": {**metadata, "annotations": {"kwok.x-k8s.io/node": "fake"}}}


def faked(real: Snapshot, directory: Path) -> str:
    """A recording with one of its nodes pretended by kwok."""
    readings = {
        key: replace(reading, body=[pretended(item) for item in reading.body])
        if reading.ask.resource == r.NODES and isinstance(reading.body, list)
        else reading
        for key, reading in real.readings.items()
    }
    path = directory / "kwok.kcr"
    recording.save(replace(real, readings=readings), path)
    return str(path)


@pytest.fixture(scope="module")
def kwok(tmp_path_factory: pytest.TempPathFactory) -> str:
    return faked(recording.load(RECORDINGS / "shop.kcr"), tmp_path_factory.mktemp("kwok"))


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: "-".join(words[:2]).replace("/", "-"))
def test_fake_nodes_are_called_fake(words: list[str], kwok: str, capsys: Capture) -> None:
    for language, told in (("en", f"Node {FAKE} is fake"), ("ko", f"{FAKE} 노드는 가짜")):
        run([*words, "--from", kwok, "--lang", language])
        assert told in capsys.readouterr().out
    run([*words, "--from", kwok, "-o", "json"])
    body = json.loads(capsys.readouterr().out)
    assert body["cluster"]["fakeNodes"] == 1
    run(["schema", body["kind"]])
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(body)


def test_real_nodes_are_not(capsys: Capture) -> None:
    run(["health", "--from", "demo:shop"])
    assert "fake" not in capsys.readouterr().out
    run(["health", "--from", "demo:shop", "-o", "json"])
    assert json.loads(capsys.readouterr().out)["cluster"]["fakeNodes"] == 0


def test_where_no_node_was_read_nobody_can_tell(capsys: Capture) -> None:
    run(["tree", "configmap/web", "-n", "shop", "--from", "demo:shop", "-o", "json"])
    assert json.loads(capsys.readouterr().out)["cluster"]["fakeNodes"] is None


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_screen_with_fake_nodes_stays_a_screen(language: str, kwok: str, capsys: Capture) -> None:
    run(["overview", "--from", kwok, "--lang", language])
    assert len(capsys.readouterr().out.splitlines()) <= 24


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("case", ["eks", "k3s", "minikube"])
@pytest.mark.parametrize(
    "words",
    [
        ["overview", "-n", "kube-system"],
        ["health"],
        ["nodes"],
        ["tree", "deployment/coredns", "-n", "kube-system"],
        ["orphans", "-A"],
        ["trace", "deployment/coredns", "-n", "kube-system"],
        ["explain", "deployment/coredns", "-n", "kube-system"],
    ],
    ids=lambda words: words[0],
)
def test_a_recorded_case_is_named(words: list[str], case: str, language: str, capsys: Capture) -> None:
    run([*words, "--from", f"demo:{case}", "--lang", language])
    assert " ".join(capsys.readouterr().out.split()).count(CASE[language]) == 1


@pytest.mark.parametrize("words", [["overview"], ["controlplane"]], ids=lambda words: words[0])
def test_a_title_that_names_the_case_is_enough(words: list[str], capsys: Capture) -> None:
    run([*words, "--from", "demo:eks"])
    assert " ".join(capsys.readouterr().out.split()).count("never run here") == 1


@pytest.mark.parametrize(
    "words", [["explain", f"node/{FAKE}"], ["explain", "pod/alone", "-n", "shop"]], ids=lambda w: w[1]
)
def test_nobody_is_sent_to_the_machine_of_a_fake_node(words: list[str], tmp_path: Path, capsys: Capture) -> None:
    lost = "demo:shop-node-lost"
    run([*words, "--from", lost])
    assert "systemctl" in capsys.readouterr().out
    run([*words, "--from", faked(recording.load(RECORDINGS / "shop-node-lost.kcr"), tmp_path)])
    told = " ".join(capsys.readouterr().out.split())
    assert "pretended by kwok" in told
    assert "systemctl" not in told
    assert "out-of-service" not in told
