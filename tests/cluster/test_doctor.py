"""`doctor` on the real cluster: what it grants is enough, and what it misses is missing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pki import Authority

pytestmark = pytest.mark.cluster


def test_an_administrator_sees_everything(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("doctor", "-o", "json", kubeconfig=cluster)
    body = json.loads(done.out)
    assert done.code == 0
    assert {row["verdict"] for row in body["commands"]} == {"complete"}
    steps = [step["name"] for step in body["reach"]["steps"]]
    assert steps == ["kubeconfig", "resolve", "connect", "tls", "answer", "authenticate"]
    assert abs(body["reach"]["clockSkewSeconds"]) <= 2


@pytest.fixture
def account(
    kcompanion: Callable[..., Any], kubectl: Callable[..., str], cluster: Path, namespace: str, tmp_path: Path
) -> Iterator[Path]:
    """A kubeconfig of a ServiceAccount that has exactly what `doctor --rbac` prints."""
    manifests = kcompanion("doctor", "--rbac", "-n", namespace, kubeconfig=cluster).out
    kubectl("apply", "-f", "-", stdin=manifests)
    token = kubectl("create", "token", "kcompanion", "-n", namespace).strip()
    config = yaml.safe_load(cluster.read_text())
    config["users"][0]["user"] = {"token": token}
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))
    yield file
    kubectl("delete", "--ignore-not-found", "-f", "-", stdin=manifests)


def test_the_printed_roles_are_enough_and_grant_only_reading(account: Path, kcompanion: Callable[..., Any]) -> None:
    done = kcompanion("doctor", "-o", "json", kubeconfig=account)
    body = json.loads(done.out)
    assert {row["command"]: row["missing"] for row in body["commands"] if row["missing"]} == {}
    assert {row["verdict"] for row in body["commands"]} == {"complete"}
    for command in ("controlplane", "nodes", "addons", "whoami", "version"):
        answer = json.loads(kcompanion(command, "-o", "json", kubeconfig=account).out)
        forbidden = [gap["what"] for gap in answer["gaps"] if gap["reason"] == "forbidden"]
        assert (command, answer["complete"], forbidden) == (command, True, [])


def test_without_rights_each_command_names_what_it_misses(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("doctor", "-o", "json", "--as", "nobody", kubeconfig=cluster)
    rows = {row["command"]: row for row in json.loads(done.out)["commands"]}
    assert done.code == 0
    assert rows["version"]["verdict"] == "complete"
    assert rows["nodes"]["verdict"] == "impossible"
    assert {"verb": "list", "group": "", "resource": "nodes", "namespace": None, "name": None, "path": None} in rows[
        "nodes"
    ]["missing"]


def test_roles_for_one_command_are_smaller(kcompanion: Callable[..., Any], cluster: Path) -> None:
    out = kcompanion("doctor", "nodes", "--rbac", kubeconfig=cluster).out
    resources = {r for m in yaml.safe_load_all(out) for rule in m.get("rules", []) for r in rule.get("resources", [])}
    assert resources == {"nodes", "pods", "leases", "configmaps", "daemonsets"}
    assert kcompanion("doctor", "nope", kubeconfig=cluster).code == 2


def test_an_unreachable_server_ends_with_the_step(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("doctor", "-s", "https://127.0.0.1:1", "-o", "json", kubeconfig=cluster)
    assert done.code == 3
    assert json.loads(done.out)["reach"]["steps"][-1]["name"] == "connect"


def test_a_wrong_ca_and_a_wrong_token_are_told_apart(
    kcompanion: Callable[..., Any], cluster: Path, tmp_path: Path
) -> None:
    config = yaml.safe_load(cluster.read_text())
    foreign = base64.b64encode(Authority(tmp_path).pem.encode()).decode()
    config["clusters"][0]["cluster"]["certificate-authority-data"] = foreign
    file = tmp_path / "wrong-ca"
    file.write_text(yaml.safe_dump(config))
    done = kcompanion("doctor", "-o", "json", kubeconfig=file)
    assert (done.code, json.loads(done.out)["reach"]["steps"][-1]["name"]) == (3, "tls")

    config = yaml.safe_load(cluster.read_text())
    config["users"][0]["user"] = {"token": "wrong"}
    file.write_text(yaml.safe_dump(config))
    done = kcompanion("doctor", "-o", "json", kubeconfig=file)
    assert (done.code, json.loads(done.out)["reach"]["steps"][-1]["name"]) == (3, "authenticate")


def test_a_recording_says_the_same(kcompanion: Callable[..., Any], cluster: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "d.kcr")
    live = kcompanion("doctor", "--record", file, kubeconfig=cluster)
    assert kcompanion("doctor", "--from", file).out == live.out
