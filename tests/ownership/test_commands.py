"""`tree`, `owners` and `orphans` on the recordings of real clusters, as users call them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import kcompanion
from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.model.ask import listing
from kcompanion.model.fields import name_of, namespace_of
from kcompanion.model.resources import DEPLOYMENTS, PODS
from kcompanion.ownership.owners import MIRROR
from kcompanion.render.wrap import width

DATA = Path(__file__).parents[1] / "data"
KIND = DATA / "kind.kcr"
SHIPPED = Path(kcompanion.__file__).parent / "recordings"
Capture = pytest.CaptureFixture[str]


def listed(resource: Any) -> list[Any]:
    snapshot = recording.load(KIND)
    asks = [listing(resource, keep_managed_fields=keep) for keep in (True, False)]
    return next(list(snapshot.items(ask)) for ask in asks if snapshot.items(ask))


def answer(capsys: Capture, *words: str, file: Path = KIND, code: int | None = None) -> Any:
    """The JSON of a command on a recording; it fits its schema and is the same in both languages."""
    command = [*words, "--from", str(file), "-o", "json"]
    codes = [run(command), run([*command, "--lang", "ko"])]
    out = capsys.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :]
    assert codes == [codes[0] if code is None else code] * 2
    body = json.loads(out[: len(out) // 2])
    run(["schema", body["kind"]])
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(body)
    return body


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node["children"]:
        yield from walk(child)


def test_every_pod_of_a_recording_stands_in_its_tree(capsys: Capture) -> None:
    for pod in listed(PODS):
        (root,) = answer(capsys, "owners", f"pod/{name_of(pod)}", "-n", namespace_of(pod))["roots"]
        asked = [node for node in walk(root) if node["asked"]]
        assert [(node["kind"], node["name"]) for node in asked] == [("Pod", name_of(pod))]
        assert (root["kind"] == "Node") is (MIRROR in pod["metadata"].get("annotations", {}))


def test_a_deployments_tree(capsys: Capture) -> None:
    item = listed(DEPLOYMENTS)[0]
    body = answer(capsys, "tree", "deployment", name_of(item), "-n", namespace_of(item), "--with", "all", "--events")
    (root,) = body["roots"]
    assert [node["kind"] for node in walk(root)][:2] == ["Deployment", "ReplicaSet"]
    assert body["relations"]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("form", ["table", "wide", "mermaid", "dot", "svg", "name"])
def test_every_format(capsys: Capture, form: str, language: str) -> None:
    words = ["tree", "deploy/web", "-n", "shop", "--explain", "--events", "--with", "all"]
    command = [*words, "--from", "demo:shop", "-o", form, "--lang", language]
    assert run(command) == 0
    first = capsys.readouterr().out
    assert "web" in first
    run(command)
    assert capsys.readouterr().out == first


def test_only_tree_and_owners_draw(capsys: Capture) -> None:
    assert run(["orphans", "--from", str(KIND), "-o", "svg"]) == 2
    assert "is not one of" in capsys.readouterr().err


def test_a_healthy_cluster_has_no_orphans_but_static_pods(capsys: Capture) -> None:
    body = answer(capsys, "orphans", "-A", code=0)
    assert (body["status"], set(body["counts"]), body["conflicts"]) == ("ok", {"static"}, [])
    assert body["findings"] == []


@pytest.mark.parametrize("name", ["three-nodes", "ha", "eks", "k3s", "minikube"])
def test_every_healthy_recording_is_without_orphans(capsys: Capture, name: str) -> None:
    body = answer(capsys, "orphans", "-A", file=SHIPPED / f"{name}.kcr", code=0)
    assert [one for one in body["orphans"] if one["fault"]] == []
    assert (body["status"], body["conflicts"]) == ("ok", [])
    assert {finding["severity"] for finding in body["findings"]} <= {"info"}
    tree = answer(capsys, "tree", "pod", "-A", file=SHIPPED / f"{name}.kcr", code=0)
    assert tree["status"] == "ok"


def test_what_may_not_be_read_leaves_it_undecided(capsys: Capture) -> None:
    body = answer(capsys, "orphans", "-A", file=DATA / "restricted.kcr", code=5)
    assert body["complete"] is False
    assert body["status"] == "unknown"


def test_a_preview_from_a_recording(capsys: Capture) -> None:
    pod = next(item for item in listed(PODS) if "k8s-app" in item["metadata"].get("labels", {}))
    words = ["orphans", f"pod/{name_of(pod)}", "-n", namespace_of(pod), "--preview-label", "k8s-app-"]
    body = answer(capsys, *words, code=0)
    assert [effect["claim"] for effect in body["preview"]["effects"]] == ["releases"]
    for language in ("en", "ko"):
        assert run([*words, "--from", str(KIND), "--explain", "--lang", language]) == 0
    assert f"kubectl label pod {name_of(pod)} -n {namespace_of(pod)} k8s-app-\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["tree"],
        ["tree", "pod/x", "--with", "nonsense"],
        ["owners", "pod", "x/y"],
        ["orphans", "--preview-label", "app=x"],
        ["orphans", "pod/x", "--preview-label", "nonsense"],
        ["orphans", "deployment/coredns", "-n", "kube-system", "--preview-label", "app=x"],
    ],
)
def test_wrong_usage_is_told(capsys: Capture, words: list[str]) -> None:
    assert run([*words, "--from", str(KIND)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("service/web", "Pod shop/web-6c75d4b95d-8qg6q"),
        ("configmap/web", "Pod shop/web-6c75d4b95d-8qg6q"),
        ("secret/db", "Pod shop/db-0"),
        ("serviceaccount/shop", "Pod shop/web-6c75d4b95d-8qg6q"),
        ("hpa/web", "Deployment shop/web"),
        ("pdb/web", "Pod shop/web-6c75d4b95d-8qg6q"),
        ("pvc/data-db-0", "StorageClass standard"),
    ],
)
def test_any_object_is_shown_with_what_it_has_to_do_with(capsys: Capture, asked: str, told: str, language: str) -> None:
    assert (
        run(["tree", asked, "-n", "shop", "--with", "all", "--from", "demo:shop", "-o", "wide", "--lang", language])
        == 0
    )
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    "words",
    [
        ["tree", "pod", "-A", "--with", "all", "--from", "demo:faulty"],  # long names beside long states
        ["owners", "pod", "-A", "--from", "demo:ha"],
        ["tree", "deployment/web", "-n", "shop", "--with", "all", "--from", "demo:shop"],
        ["tree", "pvc/data-db-0", "-n", "shop", "--with", "all", "--from", "demo:shop"],
    ],
    ids=["long", "chains", "deployment", "claim"],
)
def test_everything_fits_eighty_columns(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, words: list[str], language: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run([*words, "--lang", language])
    assert [line for line in capsys.readouterr().out.splitlines() if width(line) > 80] == []


def test_relations_that_nobody_has_are_told_to_be_none(capsys: Capture) -> None:
    assert run(["tree", "node/shop-worker", "--with", "pdb", "--from", "demo:shop"]) == 0
    assert capsys.readouterr().out.endswith("Relations\n  None found.\n")


def test_what_is_not_there_is_not_found(capsys: Capture) -> None:
    assert run(["tree", "pod/nope", "--from", str(KIND)]) == 4
    assert capsys.readouterr().out == ""


def test_events_that_are_gone_are_told_to_be_gone(capsys: Capture) -> None:
    words = ["tree", "configmap/coredns", "-n", "kube-system", "--from", "demo:three-nodes"]
    assert run([*words, "--events"]) == 0
    assert capsys.readouterr().out.endswith("Events\n  None: an API server keeps events about 1 h.\n")
    assert run(words) == 0
    assert "Events" not in capsys.readouterr().out
