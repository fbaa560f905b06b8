"""What a report gathers is what the commands say."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.model.resources import ENDPOINTSLICES

Capture = pytest.CaptureFixture[str]
RECORDINGS = ("three-nodes", "ha-one-down", "faulty", "k3s")


def told(capsys: Capture, *words: str) -> dict[str, Any]:
    assert run([*words, "-o", "json"]) in (0, 5)
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


@pytest.mark.parametrize("name", RECORDINGS)
def test_json_fits_its_schema_and_says_what_the_commands_say(capsys: Capture, name: str) -> None:
    where = ("--from", f"demo:{name}")
    report = told(capsys, "report", *where)
    assert run(["schema", "Report"]) == 0
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(report)
    plane = told(capsys, "controlplane", *where)
    nodes = told(capsys, "nodes", *where)
    addons = told(capsys, "addons", *where)
    health = told(capsys, "health", *where)
    assert report["controlPlane"]["components"] == plane["components"]
    assert report["controlPlane"]["etcd"] == plane["etcd"]
    assert report["nodes"] == nodes["nodes"]
    assert report["systemPods"] == nodes["systemPods"]
    assert report["addons"]["dns"] == addons["dns"]
    assert report["addons"]["addons"] == addons["addons"]
    assert report["health"]["entries"] == health["entries"]
    assert report["health"]["judged"] == health["judged"]
    assert report["findings"] == health["findings"]


def test_a_chapter_is_as_bad_as_the_worst_thing_in_it(capsys: Capture) -> None:
    assert run(["report", "--from", "demo:faulty", "-o", "md"]) == 0
    heads = re.findall(r"^## (.+?)(?: ([✔▲✖]) \w+)?$", capsys.readouterr().out, re.MULTILINE)
    marks = dict(heads)
    assert [name for name, mark in heads if mark == "✖"] == ["Namespaces", "Workloads and their owners", "Findings"]
    assert (marks["Versions and skew"], marks["Flags and drift"], marks["Glossary"]) == ("✔", "", "")


@pytest.mark.parametrize("name", ["three-nodes", "faulty"])
def test_every_pod_hangs_on_one_owner(capsys: Capture, name: str) -> None:
    report = told(capsys, "report", "--from", f"demo:{name}")
    pods = report["health"]["judged"]["Pod"]
    assert sum(owner["pods"] for owner in report["owners"]) == pods
    assert sum(space["pods"] for space in report["namespaces"]) == pods
    assert len(report["services"]) == report["health"]["judged"]["Service"]


def test_what_fails_is_counted_at_its_owner(capsys: Capture) -> None:
    report = told(capsys, "report", "--from", "demo:faulty")
    failing = {(o["namespace"], o["name"]): o for o in report["owners"] if o["failing"]}
    assert ("demo-kc5061", "lost") in failing
    assert "KC5061" in failing["demo-kc5061", "lost"]["codes"]


def test_the_worst_part_speaks_first(capsys: Capture) -> None:
    report = told(capsys, "report", "--from", "demo:ha-one-down")
    assert report["status"] == "fail"
    assert [part["status"] for part in report["parts"]] == ["fail"] * 4


@pytest.mark.parametrize(
    ("words", "kind", "pods"),
    [
        (("-n", "kube-system"), "namespace", None),
        (("--scope", "namespace", "kube-system"), "namespace", None),
        (("--scope", "pod", "lost", "-n", "demo-kc5061"), "pod", 1),
        (("-l", "k8s-app=kube-dns"), "app", 2),
    ],
)
def test_smaller_scopes(capsys: Capture, words: tuple[str, ...], kind: str, pods: int | None) -> None:
    report = told(capsys, "report", "--from", "demo:faulty", *words)
    assert report["scope"]["kind"] == kind
    assert report["controlPlane"] is None
    assert report["architecture"] is None
    if pods is not None:
        assert sum(owner["pods"] for owner in report["owners"]) == pods
        assert report["health"]["judged"]["Pod"] == pods


def test_nothing_on_a_silent_node_is_called_ready(capsys: Capture) -> None:
    report = told(capsys, "report", "--from", "demo:ha-one-down")
    dead = "kcompanion-ha-control-plane"
    pods = {one["pod"]: one["ready"] for one in report["systemPods"] if one["node"] == dead}
    assert len(pods) == 8
    assert set(pods.values()) == {"warn"}
    [dns] = [one for one in report["services"] if one["name"] == "kube-dns"]
    assert (dns["readyEndpoints"], dns["endpoints"], dns["status"]) == (0, 2, "fail")
    [storage] = [one for one in report["addons"]["addons"] if one["product"] == "local-path-provisioner"]
    assert (storage["status"], storage["pods"]["lost"]) == ("fail", 1)


def test_a_pod_with_addresses_of_two_families_is_one_endpoint(capsys: Capture, tmp_path: Path) -> None:
    snapshot = recording.load(Path(recording.__file__).parents[1] / "recordings" / "shop.kcr")
    readings = dict(snapshot.readings)
    for key, one in snapshot.readings.items():
        if one.ask.resource == ENDPOINTSLICES and isinstance(one.body, list):
            second = [copy.deepcopy(dict(item)) for item in one.body if item["metadata"]["namespace"] == "shop"]
            for item in second:
                item["metadata"]["name"] += "-v6"
                item["addressType"] = "IPv6"
                for number, endpoint in enumerate(item["endpoints"]):
                    endpoint["addresses"] = [f"fd00::{number + 1:x}"]
            readings[key] = replace(one, body=[*one.body, *second])
    recording.save(replace(snapshot, readings=readings), tmp_path / "dual.kcr")
    one_family = told(capsys, "report", "--from", "demo:shop")["services"]
    assert any(one["readyEndpoints"] for one in one_family if one["namespace"] == "shop")
    assert told(capsys, "report", "--from", str(tmp_path / "dual.kcr"))["services"] == one_family


@pytest.mark.parametrize(
    ("language", "unseen", "nobody"),
    [
        ("en", "who stands by is not visible", "nobody stands by"),
        ("ko", "누가 대기하는지 보이지", "인스턴스가 없습니다"),
    ],
)
def test_who_stands_by_out_of_sight_is_not_claimed(capsys: Capture, language: str, unseen: str, nobody: str) -> None:
    for words in (("controlplane", "leaders"), ("report", "-o", "md")):
        assert run([*words, "--from", "demo:eks", "--lang", language]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert text.count(unseen) == 3
        assert nobody not in text
        assert run([*words, "--from", "demo:three-nodes", "--lang", language]) == 0
        assert nobody in " ".join(capsys.readouterr().out.split())
