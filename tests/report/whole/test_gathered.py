"""What a report gathers is what the commands say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run

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
