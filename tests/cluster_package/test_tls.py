"""TLS: which servers are believed, and what is said of those that are not."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcompanion.cluster.live import LiveSource
from kcompanion.cluster.session import Session
from kcompanion.errors import Unreachable
from kcompanion.model.ask import Outcome, Reading, local, raw
from tests.cluster_package.conftest import Connect
from tests.pki import LONG_AGO, Authority
from tests.servers import Answer, Api, Proxy, serving, tls

VERSION = raw("/version")
ENDED = LONG_AGO.replace(year=2021)


def read(source: LiveSource) -> Reading:
    return source.read([VERSION])[VERSION.key]


def greet(api: Api) -> Api:
    api.otherwise = Answer({"gitVersion": "v1.36.3"})
    return api


def test_a_server_of_the_kubeconfigs_ca_is_believed_and_described(
    tls_api: Api, authority: Authority, source: Connect
) -> None:
    reading = read(source(greet(tls_api).url, certificate_authority=authority.file))
    assert reading.ok
    assert reading.peer is not None
    assert (reading.peer["subject"], reading.peer["names"]) == ("CN=server", ["127.0.0.1"])


def test_ca_as_data(tls_api: Api, authority: Authority, source: Connect) -> None:
    data = base64.b64encode(authority.pem.encode()).decode()
    assert read(source(greet(tls_api).url, certificate_authority_data=data)).ok


def test_a_server_of_another_ca_is_not(tls_api: Api, tmp_path: Path, source: Connect) -> None:
    reading = read(source(greet(tls_api).url, certificate_authority=Authority(tmp_path, "other").file))
    assert reading.outcome is Outcome.UNREACHABLE
    assert reading.detail == "TLS: the server's certificate is not signed by the CA of the kubeconfig"
    assert tls_api.requests == []


def test_verification_can_be_turned_off(tls_api: Api, source: Connect) -> None:
    assert read(source(greet(tls_api).url, insecure_skip_tls_verify=True)).ok


def test_another_api_server_is_asked_at_its_own_address(tls_api: Api, authority: Authority, source: Connect) -> None:
    ask = raw("/version", greet(tls_api).url)
    answer = source("https://127.0.0.1:1", certificate_authority=authority.file).read([ask])[ask.key]
    assert answer.ok
    assert len(tls_api.requests) == 1


@pytest.mark.parametrize("options", [{"insecure_skip_tls_verify": True}, {}], ids=["unverified", "plain http"])
def test_no_credentials_go_to_another_address_that_need_not_prove_itself(
    tls_api: Api, source: Connect, options: dict[str, bool]
) -> None:
    ask = raw("/version", greet(tls_api).url)
    base = "https://127.0.0.1:1" if options else "http://127.0.0.1:1"
    assert source(base, **options).read([ask])[ask.key].outcome is Outcome.UNSUPPORTED
    assert tls_api.requests == []


def test_an_expired_server_certificate(authority: Authority, source: Connect) -> None:
    with serving(tls(authority.issue("old", "127.0.0.1", ends=ENDED))) as api:
        reading = read(source(api.url, certificate_authority=authority.file))
    assert reading.detail == "TLS: the server's certificate has expired"


def test_a_certificate_for_another_name(authority: Authority, source: Connect) -> None:
    with serving(tls(authority.issue("other", "api.example.org"))) as api:
        reading = read(source(greet(api).url, certificate_authority=authority.file))
        assert "for another" in reading.detail
        named = source(api.url, certificate_authority=authority.file, tls_server_name="api.example.org")
        assert read(named).ok


def test_plain_http_on_a_tls_port(api: Api, source: Connect) -> None:
    reading = read(source(api.url.replace("http://", "https://"), insecure_skip_tls_verify=True))
    assert reading.outcome is Outcome.UNREACHABLE
    assert "does not speak TLS" in reading.detail


def test_a_server_that_hangs_up(source: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        live = source(f"https://127.0.0.1:{server.getsockname()[1]}", request_timeout=0.3)
        assert read(live).outcome in {Outcome.UNREACHABLE, Outcome.TIMEOUT}


@pytest.fixture
def strict_api(authority: Authority) -> Iterator[Api]:
    """A server that wants client certificates of `authority` during the handshake."""
    with serving(tls(authority.issue("server", "127.0.0.1"), authority.file)) as api:
        yield greet(api)


def test_a_client_certificate_is_shown_and_known(strict_api: Api, authority: Authority, source: Connect) -> None:
    certificate, key = authority.issue("jane", group="dev")
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    live = source(strict_api.url, user, certificate_authority=authority.file)
    assert read(live).ok
    own = local("client-certificate")
    assert live.read([own])[own.key].body["subject"] == "O=dev,CN=jane"


def test_an_expired_client_certificate_is_named_with_its_date(
    strict_api: Api, authority: Authority, source: Connect
) -> None:
    certificate, key = authority.issue("jane", ends=ENDED)
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    live = source(strict_api.url, user, certificate_authority=authority.file)
    with pytest.raises(Unreachable) as caught:
        Session(live).read([VERSION])
    assert "our client certificate has expired" in caught.value.text
    assert "2021-01-01T00:00:00Z" in caught.value.hint


def test_a_missing_client_certificate(strict_api: Api, authority: Authority, source: Connect) -> None:
    assert "wants a client certificate" in read(source(strict_api.url, certificate_authority=authority.file)).detail


@pytest.fixture
def behind_proxy(authority: Authority) -> Iterator[tuple[Api, Proxy]]:
    """A server called api.example.org that only the proxy can find."""
    with serving(tls(authority.issue("server", "api.example.org"))) as api:
        proxy = Proxy(api.port)
        yield greet(api), proxy
        proxy.stop()


SERVER = "https://api.example.org:6443"


def test_proxy_url_of_the_kubeconfig(
    behind_proxy: tuple[Api, Proxy], authority: Authority, source: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")  # says nothing about proxy-url, as for kubectl
    _, proxy = behind_proxy
    assert read(source(SERVER, certificate_authority=authority.file, proxy_url=proxy.url)).ok
    assert proxy.asked_for == ["api.example.org:6443"]


def test_proxy_of_the_environment(
    behind_proxy: tuple[Api, Proxy], authority: Authority, source: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, proxy = behind_proxy
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("https_proxy", proxy.url)
    assert read(source(SERVER, certificate_authority=authority.file)).ok
    monkeypatch.setenv("NO_PROXY", "example.org")
    monkeypatch.setenv("no_proxy", "example.org")
    reading = read(source(SERVER, certificate_authority=authority.file, request_timeout=2))
    assert reading.outcome is Outcome.UNREACHABLE
    assert len(proxy.asked_for) == 1


def test_loopback_never_goes_to_a_proxy_of_the_environment(
    tls_api: Api, authority: Authority, source: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert read(source(greet(tls_api).url, certificate_authority=authority.file)).ok


def test_a_dead_proxy_is_told(authority: Authority, source: Connect) -> None:
    reading = read(source(SERVER, certificate_authority=authority.file, proxy_url="http://127.0.0.1:1"))
    assert reading.outcome is Outcome.UNREACHABLE
    assert "proxy" in reading.detail
