"""A kind that a lesson brought is removed with its objects, but not while somebody else has objects of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kcompanion.cluster.journal import Head, Journal
from kcompanion.learn.lesson import Undo
from kcompanion.learn.mark import LESSON
from tests.cluster.conftest import Ran

pytestmark = pytest.mark.cluster

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def kind(kubectl: Callable[..., str]) -> Iterator[dict[str, Any]]:
    """A kind of a run that was killed, served."""
    run = secrets.token_hex(3)
    plural, group = f"things{run}", "lessons.kcompanion.dev"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    made: dict[str, Any] = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "labels": {LESSON: run}},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": f"Thing{run}"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    name = made["metadata"]["name"]
    kubectl("create", "-f", "-", stdin=json.dumps(made))
    kubectl("wait", f"crd/{name}", "--for=condition=Established", "--timeout=120s")
    yield made
    kubectl("delete", "crd", name, "--ignore-not-found")


@pytest.fixture
def cleaned(kind: dict[str, Any], cluster: Path, kcompanion: Callable[..., Ran], tmp_path: Path) -> Callable[[], Ran]:
    """`learn cleanup` after that run, whose journal is still there."""
    run = kind["metadata"]["labels"][LESSON]

    def clean() -> Ran:
        server = yaml.safe_load(cluster.read_text())["clusters"][0]["cluster"]["server"]
        head = Head(run, "by-hand", server, f"kcompanion-lesson-{run}", own=True, collections=())
        journal = Journal(tmp_path / "kcompanion" / "lessons" / f"{run}.journal", head)
        journal.note(Undo("DELETE", f"{CRDS}?labelSelector={LESSON}%3D{run}"))
        journal.close(done=False)
        return kcompanion("learn", "cleanup", kubeconfig=cluster, timeout=300, XDG_STATE_HOME=str(tmp_path))

    return clean


def thing(kind: dict[str, Any], namespace: str, **labels: str) -> str:
    """An object of the kind."""
    spec = kind["spec"]
    metadata = {"name": "web", "namespace": namespace, "labels": labels}
    return json.dumps({"apiVersion": f"{spec['group']}/v1", "kind": spec["names"]["kind"], "metadata": metadata})


def test_a_kind_stays_while_somebody_else_uses_it(
    kind: dict[str, Any], cleaned: Callable[[], Ran], kubectl: Callable[..., str], namespace: str
) -> None:
    name = kind["metadata"]["name"]
    kubectl("create", "-f", "-", stdin=thing(kind, namespace))
    ran = cleaned()
    assert (ran.code, f"{namespace}/web" in ran.err) == (0, True), ran
    assert kubectl("get", name, "-n", namespace, "-o", "name").strip().endswith("/web")
    assert LESSON not in json.loads(kubectl("get", "crd", name, "-o", "json"))["metadata"].get("labels", {})


def test_a_kind_of_the_lesson_alone_goes_with_its_objects(
    kind: dict[str, Any], cleaned: Callable[[], Ran], kubectl: Callable[..., str], namespace: str
) -> None:
    kubectl("create", "-f", "-", stdin=thing(kind, namespace, **kind["metadata"]["labels"]))
    ran = cleaned()
    assert ran.code == 0, ran
    assert kubectl("get", "crd", kind["metadata"]["name"], "--ignore-not-found", "-o", "name") == ""
