"""Servers, certificates and sources for the tests of kcompanion.cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.live import LiveSource
from kcompanion.cluster.parallel import Deadline
from tests.pki import Authority
from tests.servers import Api, serving, tls, write_kubeconfig


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA that the tests' servers and kubeconfigs trust."""
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def api() -> Iterator[Api]:
    """A server without TLS."""
    with serving() as server:
        yield server


@pytest.fixture
def tls_api(authority: Authority) -> Iterator[Api]:
    """A server with a certificate of `authority` for 127.0.0.1."""
    with serving(tls(authority.issue("server", "127.0.0.1"))) as server:
        yield server


Connect = Callable[..., LiveSource]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Connect]:
    """Makes a LiveSource: `source(url, {"token": "t"}, certificate_authority=file, deadline=2)`."""
    clients = []

    def make(
        server: str,
        user: dict[str, Any] | None = None,
        *,
        deadline: float = 10,
        request_timeout: float = 5,
        target: dict[str, Any] | None = None,
        **cluster: Any,
    ) -> LiveSource:
        path = write_kubeconfig(tmp_path / "config", server, user, **cluster)
        connection = connect(Target(kubeconfig=str(path), **(target or {})))
        clients.append(connection.client)
        return LiveSource(connection, request_timeout=request_timeout, deadline=Deadline(deadline))

    yield make
    for client in clients:
        client.rest_client.close()
