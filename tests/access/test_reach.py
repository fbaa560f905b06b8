"""The steps to a server that is not there, or not what the kubeconfig says."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from kcompanion.cluster.connect import Target
from kcompanion.cluster.reach import reach


def target(folder: Path, server: str) -> Target:
    file = folder / "config"
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "x"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return Target(kubeconfig=str(file))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def test_no_kubeconfig_is_the_first_step(tmp_path: Path) -> None:
    found, connection = reach(Target(kubeconfig=str(tmp_path / "gone")), 2)
    assert connection is None
    assert found.failed is not None
    assert found.failed.name == "kubeconfig"


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    found, _ = reach(target(tmp_path, "https://nowhere.invalid:6443"), 2)
    assert found.failed is not None
    assert found.failed.name == "resolve"


def test_a_closed_port(tmp_path: Path) -> None:
    found, _ = reach(target(tmp_path, f"https://127.0.0.1:{free_port()}"), 2)
    assert [s.name for s in found.steps] == ["kubeconfig", "resolve", "connect"]
    assert found.failed is not None


@pytest.mark.parametrize("timeout", [0.5])
def test_a_server_that_does_not_speak_tls(tmp_path: Path, timeout: float) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        found, _ = reach(target(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}"), timeout)
    assert found.failed is not None
    assert found.failed.name == "tls"
