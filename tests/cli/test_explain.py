"""`explain` and `glossary` from the command line: what they take, what they refuse, and recordings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import DATA, Command, complained

KIND = str(DATA / "kind.kcr")
COREDNS = ("-n", "kube-system", "-l", "k8s-app=kube-dns")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "TYPE NAME"),
        (("pod", "x", "pod/y"), 2, "mixed"),
        (("pod", "x", "-f", "y"), 2, "exclude"),
        (("-f", "/nowhere/at-all.yaml"), 2, "cannot be read"),
        (("exit-code", "300"), 2, "no exit code"),
        (("phase", "Sleeping"), 4, "no phase"),
        (("reason", "ImagePullBackof"), 4, "ImagePullBackOff"),
        (("pod", "not-there", "-n", "kube-system"), 4, "not found"),
    ],
)
def test_what_it_refuses(inside: Command, words: tuple[str, ...], code: int, told: str) -> None:
    complained(inside("explain", *words, "--from", KIND), code, told)


@pytest.mark.parametrize("text", ["just: words", "[1, 2]", "{", "- a\n---\n- b"])
def test_a_file_that_is_no_manifest(inside: Command, tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(text)
    complained(inside("explain", "-f", str(file), "--from", KIND), 2)


def test_a_manifest_names_objects(inside: Command, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(
        "kind: List\nitems:\n"
        "- {kind: Deployment, apiVersion: apps/v1, metadata: {name: coredns, namespace: kube-system}}\n"
        "- {kind: ConfigMap, apiVersion: v1, metadata: {name: gone, namespace: kube-system}}\n"
    )
    ran = inside("explain", "-f", str(file), "--from", KIND, "-o", "json")
    told = json.loads(ran.out)
    assert [one["name"] for one in told["objects"]] == ["coredns"]
    assert told["absent"] == ["ConfigMap/kube-system/gone"]
    assert ran.code == 4


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_exists_is_explained_beside_what_does_not(inside: Command, language: str) -> None:
    words = ("deployment", "nope", "coredns", "-n", "kube-system", "--from", KIND)
    ran = inside("explain", *words, "--lang", language)
    assert ran.code == 4
    assert "Deployment kube-system/coredns" in ran.out
    assert "Deployment kube-system/nope" in ran.out
    told = json.loads(inside("explain", *words, "-o", "json").out)
    assert [one["name"] for one in told["objects"]] == ["coredns"]
    assert told["absent"] == ["Deployment/kube-system/nope"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_healthy_pod_is_shown_whole(inside: Command, language: str) -> None:
    ran = inside("explain", "pod", *COREDNS, "--from", KIND, "--lang", language)
    assert "Deployment coredns → ReplicaSet coredns-" in ran.out
    assert "GET :8181/ready" in ran.out


def test_short_has_one_line_each(inside: Command) -> None:
    ran = inside("explain", "pods", "-n", "kube-system", "--short", "--no-headers", "--from", KIND)
    names = json.loads(inside("explain", "pods", "-n", "kube-system", "--from", KIND, "-o", "json").out)["objects"]
    assert len(ran.out.splitlines()) == len(names) + 1


def test_topics_are_reserved_words(inside: Command) -> None:
    for topic in ("phase", "condition", "reason", "exit-code"):
        ran = inside("explain", topic, "--from", KIND)
        assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "pod", *COREDNS),
        ("explain", "deploy/coredns", "-n", "kube-system"),
        ("explain", "phase", "Running"),
        ("explain", "exit-code"),
        ("glossary",),
    ],
)
def test_json_fits_its_schema(inside: Command, words: tuple[str, ...]) -> None:
    answer = json.loads(inside(*words, "--from", KIND, "-o", "json").out)
    schema = json.loads(inside("schema", answer["kind"]).out)
    Draft202012Validator(schema).validate(answer)


def test_a_term_is_found_in_both_languages(inside: Command) -> None:
    for word in ("rolling update", "Rolling-Updates", "롤링 업데이트"):
        assert json.loads(inside("glossary", word, "--from", KIND, "-o", "json").out)["terms"][0]["term"] == (
            "rolling_update"
        )
    complained(inside("glossary", "finalizr", "--from", KIND), 4, "finalizer")


def test_the_glossary_needs_no_cluster(inside: Command, tmp_path: Path) -> None:
    ran = inside("glossary", "--kubeconfig", str(tmp_path / "none"), "--lang", "ko")
    assert ran.code == 0
    assert "오케스트레이션" in ran.out
    assert "클러스터 없이" in ran.out


@pytest.mark.parametrize("words", [("phase",), ("phase", "Pending"), ("reason", "FailedMount"), ("exit-code", "137")])
def test_the_book_needs_no_cluster(inside: Command, tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = inside("explain", *words, "--kubeconfig", str(tmp_path / "none"))
    assert ran.code == 0
    assert words[-1].lower() in ran.out.lower()
    assert "0" not in ran.out.partition("In this cluster")[2], "what is not known is not counted"
    assert ran.err.startswith("No examples from a cluster: ")
    complained(inside("explain", *words, "--from", str(tmp_path / "none.kcr")), 2)


def test_a_service_on_a_silent_node_is_not_called_well(inside: Command) -> None:
    """EndpointSlices call its pods ready until the node controller gives the node up."""
    ran = inside("explain", "svc", "kube-dns", "-n", "kube-system", "--from", "demo:ha-one-down", "-o", "wide")
    assert "KC5270" in ran.out
    assert ran.out.count("nothing was heard of node kcompanion-ha-control-plane") == 2  # at each of its pods
