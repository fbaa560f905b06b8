"""`contexts` on a real kubeconfig, against kubectl and openssl."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.cluster


def test_contexts_are_kubectls(kubectl: Callable[..., str], kcompanion: Callable[..., Any], cluster: Path) -> None:
    body = json.loads(kcompanion("contexts", "-o", "json", kubeconfig=cluster).out)
    assert [c["name"] for c in body["contexts"]] == kubectl("config", "get-contexts", "-o", "name").split()
    assert body["current"] == kubectl("config", "current-context").strip()


def test_the_end_of_the_certificate_is_openssls(kcompanion: Callable[..., Any], cluster: Path) -> None:
    user = yaml.safe_load(cluster.read_text())["users"][0]["user"]
    pem = base64.b64decode(user["client-certificate-data"])
    asked = ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601"]
    end = subprocess.run(asked, input=pem, capture_output=True, check=True).stdout.decode()
    (context,) = json.loads(kcompanion("contexts", "-o", "json", kubeconfig=cluster).out)["contexts"]
    told = context["credential"]["certificate"]["notAfter"]
    assert end.strip().removeprefix("notAfter=").replace(" ", "T") == told
    days = (datetime.fromisoformat(told) - datetime.now(UTC)).days
    assert abs(context["certificateDaysLeft"] - days) <= 1


def test_no_key_is_printed(kcompanion: Callable[..., Any], cluster: Path) -> None:
    user = yaml.safe_load(cluster.read_text())["users"][0]["user"]
    for words in (("contexts",), ("contexts", "-o", "json"), ("contexts", "kind-kcompanion", "-o", "yaml")):
        out = kcompanion(*words, kubeconfig=cluster).out
        assert user["client-key-data"][:40] not in out
        assert user["client-certificate-data"][:40] not in out


def test_it_reads_no_cluster_and_runs_no_plugin(kcompanion: Callable[..., Any], tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", f"touch {trace}"]}
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://192.0.2.1:6443"}}],
        "users": [{"name": "u", "user": {"exec": plugin}}],
    }
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))
    done = kcompanion("contexts", kubeconfig=file, timeout=10)
    assert done.code == 0
    assert "sh" in done.out
    assert not trace.exists()


def test_a_recording_is_refused(kcompanion: Callable[..., Any], cluster: Path) -> None:
    assert kcompanion("contexts", "--from", "demo:three-nodes", kubeconfig=cluster).code == 2
    assert kcompanion("contexts", "nope", kubeconfig=cluster).code == 4
