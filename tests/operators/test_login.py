from __future__ import annotations

from pathlib import Path

from kcompanion.cluster.connect import Target
from operators.replicaset.client import Client
from operators.replicaset.login import Logins, log_in
from tests.operators.loops import in_loop
from tests.pki import Authority
from tests.servers import items, serving, tls, write_kubeconfig

PATH = "/api/v1/pods"


@in_loop
async def test_a_client_certificate_is_shown_and_the_servers_name_is_checked(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("somebody")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    with serving(tls(authority.issue("server", "127.0.0.1"), authority.file)) as api:
        api.answers[PATH] = items()
        config = write_kubeconfig(tmp_path / "config", api.url, user, certificate_authority=authority.file)
        client = Client(Logins(Target(kubeconfig=str(config))))
        assert [(await client.ask("GET", PATH)).code for _ in range(3)] == [200] * 3
        await client.close()
    with serving(tls(authority.issue("server", "elsewhere.example"))) as api:
        config = write_kubeconfig(tmp_path / "config", api.url, user, certificate_authority=authority.file)
        client = Client(Logins(Target(kubeconfig=str(config))))
        answer = await client.ask("GET", PATH)
        assert (answer.code, "certificate" in answer.message.lower()) == (0, True)
        await client.close()


def test_impersonation_may_name_several_groups(tmp_path: Path) -> None:
    user = {"token": "t", "as": "jane", "as-groups": ["a", "b"]}
    config = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:1", user)
    headers = [pair for pair in log_in(Target(kubeconfig=str(config))).headers if pair[0].startswith("Impersonate")]
    assert headers == [("Impersonate-User", "jane"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b")]


def test_loopback_is_never_sent_to_a_proxy(tmp_path: Path) -> None:
    near = write_kubeconfig(tmp_path / "near", "https://127.0.0.1:1")
    own = write_kubeconfig(tmp_path / "own", "https://127.0.0.1:1", proxy_url="http://127.0.0.1:3128")
    environ = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    assert log_in(Target(kubeconfig=str(near)), environ).proxy is None
    assert log_in(Target(kubeconfig=str(own)), environ).proxy == "http://127.0.0.1:3128"
