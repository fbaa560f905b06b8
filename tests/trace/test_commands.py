"""`trace` on recordings, as users call it: any object of a recording has its story there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import kcompanion
from kcompanion.cli.main import run
from kcompanion.cluster import everything, recording
from kcompanion.cluster.session import Session
from kcompanion.model import resources as r
from kcompanion.model.ask import Verb
from kcompanion.model.fields import name_of, namespace_of
from kcompanion.model.resources import PODS, Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.times import parse_time
from tests.trace.build import MADE, NOW, meta
from tools import make_cases

SHOP = Path(kcompanion.__file__).parent / "recordings" / "shop.kcr"
CASE = Path(__file__).parents[1] / "explain" / "cases" / "KC5212" / "positive.kcr"
Capture = pytest.CaptureFixture[str]


def listed(file: Path) -> list[tuple[Resource, Object]]:
    """The first object of each resource that a recording holds whole."""
    lists = [one for one in recording.load(file).readings.values() if one.ask.verb is Verb.LIST and one.body]
    return [(one.ask.resource, one.body[0]) for one in lists if one.ask.resource and not one.ask.metadata_only]


def words(resource: Resource, item: Object, file: Path, *more: str) -> list[str]:
    kind = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
    space = ["-n", namespace_of(item)] if namespace_of(item) else []
    return ["trace", kind, name_of(item), *space, "--from", str(file), *more]


def traced(capsys: Capture, resource: Resource, item: Object, file: Path, code: int = 0) -> Any:
    assert run(words(resource, item, file, "-o", "json")) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("resource", "item"), listed(SHOP), ids=lambda one: getattr(one, "plural", ""))
def test_any_object_of_a_recording_has_its_story(capsys: Capture, resource: Resource, item: Object) -> None:
    body = traced(capsys, resource, item, SHOP)
    assert body["object"]["name"] == name_of(item)
    assert body["gaps"] == []


def test_a_recording_of_one_command_tells_what_it_can_without_managed_fields(capsys: Capture) -> None:
    body = traced(capsys, PODS, {"metadata": {"name": "web", "namespace": "demo-kc5212"}}, CASE)
    assert [step["id"] for step in body["steps"]][:3] == ["created", "stored", "bound"]
    assert "trace.note.no_managed_fields" in [note["id"] for note in body["notes"]]


def test_what_a_recording_does_not_hold_is_a_gap(capsys: Capture) -> None:
    assert run(["trace", "configmap", "web", "--from", str(CASE), "-o", "json"]) == 5
    assert [gap["resource"] for gap in json.loads(capsys.readouterr().out)["gaps"]] == ["configmaps"]


@pytest.mark.parametrize("resource", [r.CONFIGMAPS, r.COMPANIONREPLICASETS, r.HPAS], ids=lambda one: one.plural)
def test_snapshot_save_keeps_who_wrote_an_object(capsys: Capture, tmp_path: Path, resource: Resource) -> None:
    entry = {"manager": "helm", "operation": "Update", "time": MADE, "fieldsV1": {"f:spec": {"f:a": {}}}}
    item = {"kind": resource.kind, "metadata": meta("one", resource.kind, managedFields=[entry]), "spec": {"a": "b"}}
    none: dict[str, Any] = {"origin": {}, "raw": {}, "nodes": [], "pods": [], "workloads": [], "leases": []}
    source = make_cases.CaseSource({**none, "now": parse_time(NOW), "objects": [item]})
    file = tmp_path / "saved.kcr"
    recording.save(everything.read(Session(source)), file)
    body = traced(capsys, resource, item, file)
    assert [writer["manager"] for writer in body["writers"]] == ["helm"]
    assert body["steps"][0]["actor"] == "helm"
