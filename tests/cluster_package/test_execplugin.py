"""Exec plugins: programs that give credentials, and the ways in which they fail."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from kcompanion.errors import BadKubeconfig
from kcompanion.model.ask import raw
from tests.cluster_package.conftest import Connect
from tests.pki import Authority
from tests.servers import Answer, Api, serving, tls

VERSION = raw("/version")


@pytest.fixture
def plugin(tmp_path: Path) -> Any:
    """Writes a plugin that runs a shell script; returns the user entry."""

    def make(script: str, **fields: Any) -> dict[str, Any]:
        program = tmp_path / "plugin"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        entry = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", **fields}
        return {"exec": entry}

    return make


def credential(**status: str) -> str:
    document = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    return f"cat <<'END'\n{json.dumps(document)}\nEND"


def test_a_token(api: Api, source: Connect, plugin: Any) -> None:
    api.otherwise = Answer({"gitVersion": "v1"})
    source(api.url, plugin(credential(token="from-plugin"))).read([VERSION])
    assert api.requests[0].values("Authorization") == ["Bearer from-plugin"]


def test_a_certificate(authority: Authority, source: Connect, plugin: Any) -> None:
    certificate, key = authority.issue("jane")
    script = credential(clientCertificateData=certificate.read_text(), clientKeyData=key.read_text())
    with serving(tls(authority.issue("server", "127.0.0.1"), authority.file)) as api:
        api.otherwise = Answer({"gitVersion": "v1"})
        live = source(api.url, plugin(script), certificate_authority=authority.file)
        assert live.read([VERSION])[VERSION.key].ok


def test_it_gets_arguments_environment_and_the_cluster(
    api: Api, source: Connect, plugin: Any, tmp_path: Path, authority: Authority
) -> None:
    script = f'echo "$1 $GREETING $KUBERNETES_EXEC_INFO" > {tmp_path}/seen\n' + credential(token="t")
    user = plugin(script, args=["one"], env=[{"name": "GREETING", "value": "hello"}], provideClusterInfo=True)
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
    source(api.url, user, certificate_authority=authority.file, tls_server_name="api", extensions=[extension])
    words, info = (tmp_path / "seen").read_text().split(" {", 1)
    assert words == "one hello"
    told = json.loads("{" + info)["spec"]
    assert told["interactive"] is False
    assert told["cluster"]["server"] == api.url
    assert told["cluster"]["tls-server-name"] == "api"
    assert told["cluster"]["config"] == {"audience": "x"}
    assert told["cluster"]["certificate-authority-data"]


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("echo 'please log in again' >&2; exit 3", "ended with 3: please log in again"),
        ("echo garbage", "did not print an ExecCredential"),
        ("echo '[1]'", "did not print an ExecCredential"),
        ("true", "did not print an ExecCredential"),
        (credential(), "neither a token nor a certificate"),
        (credential(clientCertificateData="only half"), "neither a token nor a certificate"),
    ],
)
def test_failures_are_told_and_nobody_asks_anonymously(
    api: Api, source: Connect, plugin: Any, script: str, word: str
) -> None:
    with pytest.raises(BadKubeconfig) as caught:
        source(api.url, plugin(script)).read([VERSION])
    assert word in caught.value.text
    assert "users[].user.exec" in caught.value.hint
    assert api.requests == []


def test_a_missing_program_gives_its_install_hint(api: Api, source: Connect) -> None:
    entry = {"command": "no-such-plugin-anywhere", "installHint": "Install it from example.org\nor elsewhere"}
    with pytest.raises(BadKubeconfig) as caught:
        source(api.url, {"exec": entry})
    assert caught.value.text == "the exec plugin no-such-plugin-anywhere of the kubeconfig is not installed"
    assert caught.value.hint == "Install it from example.org"


def test_a_program_that_may_not_run(api: Api, source: Connect, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    with pytest.raises(BadKubeconfig, match="cannot be run"):
        source(api.url, {"exec": {"command": "./plain"}})


def test_one_that_hangs_is_ended(api: Api, source: Connect, plugin: Any) -> None:
    started = time.monotonic()
    with pytest.raises(BadKubeconfig, match="did not end within 0 s"):
        source(api.url, plugin("exec sleep 60"), target={"plugin_timeout": 0.3})
    assert time.monotonic() - started < 5


def test_one_that_wants_a_terminal(api: Api, source: Connect, plugin: Any) -> None:
    with pytest.raises(BadKubeconfig, match="wants a terminal"):
        source(api.url, plugin(credential(token="t"), interactiveMode="Always"))
