"""Reading a real cluster: what is read, what never leaves it, and what a recording of it can do."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.live import LiveSource
from kcompanion.cluster.parallel import Deadline
from kcompanion.cluster.session import Session
from kcompanion.model import discovery
from tests.cluster.conftest import kubectl_program

pytestmark = pytest.mark.cluster

Program = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("version", "controlplane", "nodes", "addons", "whoami")
SECRET = "c4naRy{:02d}X9q2LmZ7wP"
PATIENT = ("--deadline", "90s", "--request-timeout", "30s")  # where a verdict is compared, no answer may be missing
CANARIES = [SECRET.format(number) for number in range(14)]


@pytest.fixture(scope="module")
def recording(cluster: Path, kcompanion: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of the whole cluster."""
    path = tmp_path_factory.mktemp("recordings") / "all.kcr"
    ran = kcompanion("snapshot", "save", str(path), "--strict", kubeconfig=cluster)
    assert ran.code == 0, ran.err
    return path


def statuses(document: Any) -> dict[str, str]:
    """Component to status."""
    return {component["name"]: component["status"] for component in document["components"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_saved_snapshot_answers_every_command(
    command: str, cluster: Path, kcompanion: Program, recording: Path
) -> None:
    live = kcompanion(command, "-o", "json", kubeconfig=cluster)
    recorded = kcompanion(command, "-o", "json", "--from", str(recording))
    assert recorded.code == live.code == 0, recorded.err + live.err
    document = json.loads(recorded.out)
    assert [gap for gap in document["gaps"] if gap["reason"] == "not_asked"] == []
    assert document["complete"]
    assert document.keys() == json.loads(live.out).keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_records_gives_the_same_bytes(
    command: str, cluster: Path, kcompanion: Program, tmp_path: Path
) -> None:
    file = str(tmp_path / "x.kcr")
    now = ("--now", "2030-01-01T00:00:00Z")
    live = kcompanion(command, "-o", "json", "--record", file, *now, kubeconfig=cluster)
    assert kcompanion(command, "-o", "json", "--from", file, *now).out == live.out
    assert kcompanion(command, "--from", file, *now).code == live.code


def planted(namespace: str) -> list[dict[str, Any]]:
    """Objects with a secret in every place people put them."""
    c = iter(CANARIES)
    applied = json.dumps({"kind": "Pod", "spec": {"containers": [{"env": [{"name": "A", "value": next(c)}]}]}})
    meta = {"namespace": namespace}
    probe = {"path": "/", "port": 80, "httpHeaders": [{"name": "Authorization", "value": f"Basic {next(c)}"}]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **meta,
            "name": "planted",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": applied,
                "note": f"Authorization: Bearer {next(c)}",
                "acme.example/api-token": next(c),
            },
        },
        "spec": {
            "nodeSelector": {"no-such": "node"},
            "containers": [
                {
                    "name": "c",
                    "image": "registry.k8s.io/pause:3.10",
                    "env": [{"name": "HARMLESS", "value": next(c)}],
                    "args": ["--token", next(c), f"--db-password={next(c)}"],
                    "command": ["sh", "-c", f"export GITHUB_TOKEN={next(c)}; run"],
                    "livenessProbe": {"httpGet": probe},
                    "readinessProbe": {"exec": {"command": ["check", f"--secret={next(c)}"]}},
                }
            ],
        },
    }
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {**meta, "name": "planted"},
        "involvedObject": {"kind": "Pod", "name": "planted", "namespace": namespace},
        "reason": "Failed",
        "type": "Warning",
        "message": f"failed to pull from https://robot:{next(c)}@registry.example/x with --password={next(c)}",
    }
    return [
        pod,
        event,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {**meta, "name": "s"},
            "data": {"k": base64.b64encode((secret := next(c)).encode()).decode()},
            "stringData": {"l": secret},
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": "m"}, "data": {"k": next(c)}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {**meta, "name": "d"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"a": "b"}},
                "template": {
                    "metadata": {"labels": {"a": "b"}, "annotations": {"x": f"password: {next(c)}"}},
                    "spec": {"containers": [{"name": "c", "image": "x", "args": ["--api-key", CANARIES[5]]}]},
                },
            },
        },
    ]


def test_no_secret_reaches_a_recording(
    cluster: Path, kcompanion: Program, kubectl: Program, namespace: str, tmp_path: Path
) -> None:
    objects = planted(namespace)
    kubectl("create", "-f", "-", stdin="\n---\n".join(json.dumps(item) for item in objects))
    file = tmp_path / "x.kcr"
    ran = kcompanion("snapshot", "save", str(file), kubeconfig=cluster)
    assert ran.code == 0, ran.err
    assert file.stat().st_mode & 0o777 == 0o600
    data = gzip.decompress(file.read_bytes())
    encoded = [base64.b64encode(canary.encode()) for canary in CANARIES]
    assert [canary for canary in CANARIES if canary.encode() in data] == []
    assert [canary for canary in encoded if canary in data] == []
    assert namespace.encode() in data  # it did read what was planted
    for words in ("Secrets: ", "ConfigMaps: ", "environment variables: ", "probe headers: ", "annotations: "):
        assert words in ran.err


def test_flags_of_the_control_plane_stay_readable(recording: Path) -> None:
    data = gzip.decompress(recording.read_bytes()).decode()
    for flag in (
        "--service-account-key-file=/etc",
        "--authorization-mode=Node,RBAC",
        "--enable-bootstrap-token-auth=true",
    ):
        assert flag in data


def test_anonymized_nothing_own_is_left_and_the_verdict_is_the_same(
    cluster: Path, kcompanion: Program, kubectl: Program, namespace: str, tmp_path: Path
) -> None:
    kubectl(
        "create", "-n", namespace, "deployment", "wombat-shop", "--image=reg.umbrella.example/wombat:1", "--replicas=0"
    )
    kubectl("label", "-n", namespace, "deployment", "wombat-shop", "owner=zebra-team")
    file = tmp_path / "x.kcr"
    saved = kcompanion("snapshot", "save", str(file), "--anonymize", "--strict", *PATIENT, kubeconfig=cluster)
    assert saved.code == 0, saved.err
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    pods = json.loads(kubectl("get", "pods", "-A", "-o", "json"))["items"]
    own = {node["metadata"]["name"] for node in nodes} | {namespace, "wombat", "umbrella", "zebra"}
    own |= {address["address"] for node in nodes for address in node["status"]["addresses"]}
    own |= {pod["status"]["podIP"] for pod in pods if pod["status"].get("podIP")}
    data = gzip.decompress(file.read_bytes()).decode()
    assert [name for name in own if name in data] == []
    live = json.loads(kcompanion("controlplane", "-o", "json", *PATIENT, kubeconfig=cluster).out)
    ran = kcompanion("controlplane", "-o", "json", "--from", str(file))
    assert statuses(json.loads(ran.out)) == statuses(live)
    assert ran.code == 0, json.loads(ran.out)["gaps"]
    for command in ("nodes", "addons"):
        assert kcompanion(command, "--from", str(file)).code == 0


def test_inspect_tells_what_is_held(kcompanion: Program, recording: Path) -> None:
    info = json.loads(kcompanion("snapshot", "inspect", str(recording), "-o", "json").out)
    kinds = {row["kind"]: row["count"] for row in info["objects"]}
    assert kinds["Node"] == 3
    assert info["anonymized"] is False
    assert info["complete"]


def test_discovery_is_what_kubectl_says(cluster: Path, kubectl: Program) -> None:
    connection = connect(Target(kubeconfig=str(cluster)), {})
    session = Session(LiveSource(connection, request_timeout=10, deadline=Deadline(30)))
    rows = discovery.served(session.read(discovery.ROOTS))
    connection.client.rest_client.close()
    ours = {f"{row.resource.name} {row.resource.namespaced} {row.resource.kind}" for row in rows}
    table = [line.split() for line in kubectl("api-resources", "--no-headers").splitlines()]
    theirs = set()
    for line in table:
        version, namespaced, kind = line[-3:]
        group = version.rpartition("/")[0]
        theirs.add(f"{line[0]}.{group} {namespaced.title()} {kind}".replace(". ", " "))
    assert ours == theirs


def test_kubectl_completes_the_plugin(cluster: Path, kubectl: Program, tmp_path: Path) -> None:
    for name, entry in (
        ("kubectl-companion", "kcompanion.cli.main import main"),
        ("kubectl_complete-companion", "kcompanion.cli.completion import plugin_main as main"),
    ):
        program = tmp_path / name
        program.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom {entry}\nmain()\n")
        program.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "KUBECONFIG": str(cluster)}

    def plugin(*words: str) -> str:
        command = [kubectl_program(), *words]  # without --kubeconfig, which may not stand before a plugin
        return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout

    assert plugin("__complete", "companion", "contr").splitlines()[0].startswith("controlplane")
    assert "Usage: kubectl companion nodes" in plugin("companion", "nodes", "--help")
