"""With fewer rights less is known, and nothing looks better for it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.cluster

Program = Callable[..., Any]
COMMANDS = ("controlplane", "nodes", "addons", "version", "whoami", "doctor")
JUDGING = ("controlplane", "nodes", "addons")  # their answers need what some users may not read


@pytest.fixture(scope="module")
def users(cluster: Path, kubectl: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Kubeconfigs of ServiceAccounts: `viewer` (view everywhere), `local` (view in its namespace), `nobody`."""
    tmp_path, namespace = tmp_path_factory.mktemp("users"), f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", namespace)
    for name in ("viewer", "local", "nobody"):
        kubectl("create", "serviceaccount", name, "-n", namespace)
    binding = f"{namespace}-viewer"
    account = f"--serviceaccount={namespace}"
    kubectl("create", "clusterrolebinding", binding, "--clusterrole=view", f"{account}:viewer")
    kubectl("create", "rolebinding", "local", "-n", namespace, "--clusterrole=view", f"{account}:local")
    yield {
        name: _kubeconfig(
            cluster, tmp_path / name, namespace, kubectl("create", "token", name, "-n", namespace).strip()
        )
        for name in ("viewer", "local", "nobody")
    }
    kubectl("delete", "clusterrolebinding", binding)
    kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture(scope="module")
def full(cluster: Path, kcompanion: Program) -> Callable[[str], Any]:
    """What a cluster-admin is told by a command."""
    known: dict[str, Any] = {}

    def ask(command: str) -> Any:
        if command not in known:
            known[command] = json.loads(kcompanion(command, "-o", "json", kubeconfig=cluster).out)
        return known[command]

    return ask


def _kubeconfig(admin: Path, path: Path, namespace: str, token: str) -> Path:
    document = yaml.safe_load(admin.read_text())
    context = document["current-context"]
    cluster = next(c["context"]["cluster"] for c in document["contexts"] if c["name"] == context)
    document["users"] = [{"name": "sa", "user": {"token": token}}]
    document["contexts"] = [{"name": context, "context": {"cluster": cluster, "user": "sa", "namespace": namespace}}]
    path.write_text(yaml.safe_dump(document))
    return path


def statuses(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every `status` in an answer with its place; entries of lists are known by their names."""
    if isinstance(node, dict):
        if isinstance(node.get("status"), str):
            yield path, node["status"]
        for key, value in node.items():
            yield from statuses(value, (*path, key))
    elif isinstance(node, list):
        for number, entry in enumerate(node):
            yield from statuses(entry, (*path, _name(entry, number)))


def _name(entry: Any, number: int) -> str:
    if not isinstance(entry, dict):
        return str(number)
    known = [
        str(entry[key]) for key in ("name", "node", "pod", "type", "source", "path", "owner", "use") if entry.get(key)
    ]
    return " ".join(known) or str(number)


def assert_nothing_is_better(full: Any, restricted: Any) -> None:
    """No status is ok that was not, and components that were seen whole are not called well on half the evidence."""
    before = dict(statuses(full))
    better = [
        (place, before[place], status)
        for place, status in statuses(restricted)
        if status == "ok" and place in before and before[place] != "ok"
    ]
    assert better == []


def check(command: str, full: Any, ran: Any) -> None:
    """The promises that hold for every command and user."""
    assert "Traceback" not in ran.err
    assert ran.err == "" or ran.err.startswith("error: "), ran.err
    assert ran.code in (0, 5), ran
    document = json.loads(ran.out)
    if command not in ("doctor", "whoami"):  # these tell of the caller, not of the cluster
        assert_nothing_is_better(full, document)
    if any(gap["reason"] == "forbidden" for gap in document["gaps"]):
        assert document["complete"] is False
        assert all(gap["verb"] and gap["resource"] for gap in document["gaps"])


@pytest.mark.parametrize("command", COMMANDS)
def test_service_accounts(
    command: str, kcompanion: Program, users: dict[str, Path], full: Callable[[str], Any]
) -> None:
    for config in users.values():
        check(command, full(command), kcompanion(command, "-o", "json", kubeconfig=config))
    for_people = kcompanion(command, kubeconfig=users["local"])
    assert "Traceback" not in for_people.err
    assert for_people.out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("groups", [["system:masters"], ["system:authenticated"], []])
def test_impersonated(
    command: str, groups: list[str], cluster: Path, kcompanion: Program, full: Callable[[str], Any]
) -> None:
    words = [word for group in groups for word in ("--as-group", group)]
    ran = kcompanion(command, "-o", "json", "--as", "jane", *words, kubeconfig=cluster)
    check(command, full(command), ran)
    if command in JUDGING:
        assert ran.code == (0 if "system:masters" in groups else 5)


@pytest.mark.parametrize("command", JUDGING)
def test_who_may_see_nothing_is_told_so(command: str, kcompanion: Program, users: dict[str, Path]) -> None:
    ran = kcompanion(command, "-o", "json", kubeconfig=users["nobody"])
    assert ran.code == 5
    seen = {status for _, status in statuses({k: v for k, v in json.loads(ran.out).items() if k != "apiServers"})}
    assert seen.isdisjoint({"fail"})  # not being allowed to look is no failure of the cluster
    assert kcompanion(command, "--fail-on", "warning", kubeconfig=users["nobody"]).code == 5


def test_a_snapshot_of_what_one_may_see(kcompanion: Program, users: dict[str, Path], tmp_path: Path) -> None:
    file = str(tmp_path / "x.kcr")
    ran = kcompanion("snapshot", "save", file, kubeconfig=users["local"])
    assert ran.code == 0
    assert "forbidden" in ran.err
    assert kcompanion("snapshot", "save", file, "--strict", kubeconfig=users["local"]).code == 5
    live = json.loads(kcompanion("controlplane", "-o", "json", kubeconfig=users["local"]).out)
    recorded = kcompanion("controlplane", "-o", "json", "--from", file)
    assert recorded.code == 5
    assert_nothing_is_better(live, json.loads(recorded.out))


def test_an_unknown_token_is_not_authenticated(cluster: Path, kcompanion: Program, tmp_path: Path) -> None:
    config = _kubeconfig(cluster, tmp_path / "config", "default", "not.a.token")
    for command in COMMANDS:
        ran = kcompanion(command, kubeconfig=config)
        assert ran.code == 3, (command, ran)
        assert "401" in ran.err + ran.out
