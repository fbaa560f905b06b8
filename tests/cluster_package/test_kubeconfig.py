"""Kubeconfig files: found, merged and chosen from as kubectl does it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from kcompanion.cluster import kubeconfig
from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.errors import BadKubeconfig, UsageError
from tests.pki import Authority
from tests.servers import write_kubeconfig


def write(path: Path, **document: Any) -> Path:
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **document}))
    return path


def context(name: str, cluster: str, user: str = "", **more: str) -> dict[str, Any]:
    return {"name": name, "context": {"cluster": cluster, "user": user, **more}}


def cluster(name: str, server: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "cluster": {"server": server, **more}}


def opened(target: Target, environ: dict[str, str] | None = None, folder: Path | None = None) -> Connection:
    connection = connect(target, environ or {}, *([folder] if folder else []))
    connection.client.rest_client.close()
    return connection


def test_the_first_file_wins_also_for_the_current_context(tmp_path: Path) -> None:
    first = write(
        tmp_path / "a", **{"current-context": "x"}, contexts=[context("x", "c")], clusters=[cluster("c", "https://a")]
    )
    second = write(
        tmp_path / "b",
        **{"current-context": "y"},
        contexts=[context("x", "other"), context("y", "d")],
        clusters=[cluster("c", "https://b"), cluster("d", "https://d")],
    )
    missing = tmp_path / "not-there"
    listed = os.pathsep.join(map(str, (missing, first, second)))
    config = kubeconfig.load("", {"KUBECONFIG": listed})
    assert config.files == (first, second)
    assert config.current == "x"
    assert list(config.contexts) == ["x", "y"]
    assert opened(Target(), {"KUBECONFIG": listed}).origin.server == "https://a"
    assert opened(Target(context="y"), {"KUBECONFIG": listed}).origin.server == "https://d"


def test_the_current_context_may_stand_in_a_later_file(tmp_path: Path) -> None:
    first = write(tmp_path / "a", clusters=[cluster("c", "https://a")])
    second = write(tmp_path / "b", **{"current-context": "x"}, contexts=[context("x", "c")])
    listed = os.pathsep.join(map(str, (first, second)))
    assert opened(Target(), {"KUBECONFIG": listed}).origin.server == "https://a"


def test_the_home_folder_is_the_default(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    write_kubeconfig(tmp_path / ".kube" / "config", "https://home")
    assert opened(Target(), {"HOME": str(tmp_path)}).origin.server == "https://home"


def test_paths_are_relative_to_their_file(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "token").write_text("t0ken\n")
    authority = Authority(folder)
    path = write_kubeconfig(
        folder / "config", "https://x", {"tokenFile": "token"}, certificate_authority=authority.file.name
    )
    connection = opened(Target(kubeconfig=str(path)))
    assert connection.client.configuration.ssl_ca_cert == str(authority.file)
    assert connection.client.configuration.auth_settings()["BearerToken"]["value"] == "Bearer t0ken"


def test_a_pipe_is_a_kubeconfig_too(tmp_path: Path) -> None:
    text = write_kubeconfig(tmp_path / "real", "https://piped").read_text()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,), daemon=True)
    writer.start()
    assert opened(Target(kubeconfig=str(pipe))).origin.server == "https://piped"
    writer.join(60)
    assert not writer.is_alive()


def test_cluster_user_and_server_can_be_replaced(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a",
        **{"current-context": "x"},
        contexts=[context("x", "c", "u", namespace="shop")],
        clusters=[cluster("c", "https://c"), cluster("d", "https://d")],
        users=[{"name": "u", "user": {"token": "one"}}, {"name": "v", "user": {"token": "two"}}],
    )
    connection = opened(Target(kubeconfig=str(path), cluster="d", user="v"))
    assert (connection.origin.server, connection.origin.namespace) == ("https://d", "shop")
    assert connection.client.configuration.auth_settings()["BearerToken"]["value"] == "Bearer two"
    assert opened(Target(kubeconfig=str(path), server="https://e/")).origin.server == "https://e"


def test_a_server_alone_is_enough(tmp_path: Path) -> None:
    assert opened(Target(server="http://127.0.0.1:8001"), {"HOME": str(tmp_path)}).origin.user == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: [", "not YAML (line "),
        ("- a", "not a mapping"),
        ("contexts: {a: b}", "is not a list"),
        ("contexts: [{context: {}}]", "has no name"),
        ("current-context: x", "no kubeconfig was found"),
        ("current-context: x\nclusters: [{name: c, cluster: {}}]", "no context named 'x'"),
        ("clusters: [{name: c, cluster: {server: s}}]", "no context is chosen"),
        ("date: 2020-13-45", "not YAML"),
        ("a: " + "[" * 5000, "not YAML"),
    ],
)
def test_broken_files_are_told(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(BadKubeconfig) as caught:
        opened(Target(kubeconfig=str(path)))
    assert word in caught.value.text
    assert caught.value.hint


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadKubeconfig, match="not YAML"):
        opened(Target(kubeconfig=str(path)))


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match="does not exist"):
        opened(Target(kubeconfig=str(tmp_path / "no")))


@pytest.mark.parametrize(
    ("user", "word"),
    [
        ({"client-certificate": "/no/such.crt", "client-key": "/no/such.key"}, "cannot be used"),
        ({"client-certificate-data": "AAAA", "client-key-data": "AAAA"}, "cannot be used"),
        ({"client-certificate-data": "!!!", "client-key-data": "!!!"}, "cannot be used"),
        ({"tokenFile": "/no/such/token"}, "the token file /no/such/token cannot be read"),
        ({"auth-provider": {"name": "gcp", "config": {}}}, "auth-provider 'gcp'"),
    ],
)
def test_credentials_that_cannot_be_used_are_never_left_out(tmp_path: Path, user: dict[str, Any], word: str) -> None:
    path = write_kubeconfig(tmp_path / "config", "https://x", user)
    with pytest.raises(BadKubeconfig) as caught:
        opened(Target(kubeconfig=str(path)))
    assert word in caught.value.text


def test_a_ca_that_is_none_is_told(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "config", "https://x", certificate_authority_data="AAAA")
    with pytest.raises(BadKubeconfig, match="cannot be used"):
        opened(Target(kubeconfig=str(path)))


def test_an_oidc_provider_gives_its_token(tmp_path: Path) -> None:
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": "header.body.sign"}}}
    path = write_kubeconfig(tmp_path / "config", "https://x", user)
    settings = opened(Target(kubeconfig=str(path))).client.configuration.auth_settings()
    assert settings["BearerToken"]["value"] == "Bearer header.body.sign"


@pytest.mark.parametrize("server", ["", "10.0.0.1:6443", "ftp://x"])
def test_servers_are_urls(tmp_path: Path, server: str) -> None:
    path = write_kubeconfig(tmp_path / "config", server)
    with pytest.raises(BadKubeconfig, match="is not a URL"):
        opened(Target(kubeconfig=str(path)))


def test_groups_need_a_user(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "config", "https://x")
    with pytest.raises(UsageError):
        opened(Target(kubeconfig=str(path), as_groups=("a",)))


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("pod-token\n")
    (folder / "namespace").write_text("shop\n")
    (folder / "ca.crt").write_text(Authority(tmp_path).pem)
    return folder


def test_inside_a_pod(service_account: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    connection = opened(Target(), environ, service_account)
    assert connection.origin.server == "https://10.96.0.1:443"
    assert (connection.origin.context, connection.origin.namespace) == ("in-cluster", "shop")
    settings = connection.client.configuration.auth_settings()
    assert settings["BearerToken"]["value"] == "Bearer pod-token"
    assert connection.client.configuration.ssl_ca_cert == str(service_account / "ca.crt")


def test_inside_a_pod_with_ipv6(service_account: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert opened(Target(), environ, service_account).origin.server == "https://[fd00::1]:443"


def test_a_kubeconfig_comes_before_the_pods_own(service_account: Path, tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "config", "https://named")
    environ = {"KUBECONFIG": str(path), "KUBERNETES_SERVICE_HOST": "10.96.0.1"}
    assert opened(Target(), environ, service_account).origin.server == "https://named"


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(BadKubeconfig, match="no kubeconfig was found"):
        opened(Target(), {"HOME": str(tmp_path)})
