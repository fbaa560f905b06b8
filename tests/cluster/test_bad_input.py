"""Mistakes a real API server answers: one line, a hint, the right exit code."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pki import LONG_AGO, Authority

pytestmark = pytest.mark.cluster

Program = Callable[..., Any]


@pytest.fixture
def changed(cluster: Path, tmp_path: Path) -> Callable[..., Path]:
    """The cluster's kubeconfig with changed fields of its cluster and user."""
    document = yaml.safe_load(cluster.read_text())

    def change(
        cluster_fields: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **context: str
    ) -> Path:
        new = copy.deepcopy(document)
        new["clusters"][0]["cluster"].update(cluster_fields or {})
        if user is not None:
            new["users"][0]["user"] = user
        new["contexts"][0]["context"].update(context)
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(new))
        return path

    return change


def complained(ran: Any, code: int, *words: str) -> None:
    lines = ran.err.splitlines()
    assert (ran.code, ran.out, len(lines)) == (code, "", 2), ran
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("  → ")
    for word in words:
        assert word in ran.err


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def test_another_ca(changed: Callable[..., Path], kcompanion: Program, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    config = changed({"certificate-authority-data": encoded(other.file)})
    complained(kcompanion("controlplane", kubeconfig=config), 3, "not signed by the CA of the kubeconfig")


def test_a_certificate_of_another_ca(changed: Callable[..., Path], kcompanion: Program, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "other").issue("kubernetes-admin", group="system:masters")
    config = changed(user={"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)})
    complained(kcompanion("nodes", kubeconfig=config), 3, "401")


def test_an_ended_certificate(changed: Callable[..., Path], kcompanion: Program, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "other").issue("jane", ends=LONG_AGO.replace(year=2022))
    config = changed(user={"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)})
    complained(kcompanion("nodes", kubeconfig=config), 3, "ended on 2022-01-01T00:00:00Z")


def test_a_dead_server(changed: Callable[..., Path], kcompanion: Program) -> None:
    complained(kcompanion("addons", kubeconfig=changed({"server": "https://127.0.0.1:9"})), 3, "connection refused")


def test_an_exec_plugin_that_fails(changed: Callable[..., Path], kcompanion: Program) -> None:
    config = changed(user={"exec": {"command": "false", "apiVersion": "client.authentication.k8s.io/v1"}})
    complained(kcompanion("version", kubeconfig=config), 3, "the exec plugin false ended with 1")


def test_a_cluster_the_context_does_not_have(changed: Callable[..., Path], kcompanion: Program) -> None:
    complained(kcompanion("version", kubeconfig=changed(cluster="elsewhere")), 3, "no cluster named 'elsewhere'")


def test_nothing_is_left_in_the_temporary_folder(cluster: Path, kcompanion: Program, tmp_path: Path) -> None:
    ran = kcompanion("controlplane", kubeconfig=cluster, TMPDIR=str(tmp_path))
    assert ran.code in (0, 5)
    assert list(tmp_path.iterdir()) == []  # neither keys nor a discovery cache
