"""Tries the way to an API server step by step, so that a failure has a place: name, port, certificate, or credentials.

The client does all of this in one call and reports only that it failed.
"""

from __future__ import annotations

import socket
import ssl
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kcompanion.access.steps import Reach, Step
from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.errors import CompanionError
from kcompanion.model.finding import Status

T = TypeVar("T")
SAMPLES = 3
_PORTS = {"http": 80, "https": 443}


def reach(target: Target, timeout: float) -> tuple[Reach, Connection | None]:
    """Goes as far as it can; the connection is None when no client could be built."""
    steps: list[Step] = []
    try:
        connection = connect(target)
    except CompanionError as error:
        return Reach((Step("kubeconfig", Status.FAIL, error.text),)), None
    origin = connection.origin
    steps.append(Step("kubeconfig", Status.OK, f"{origin.context} → {origin.server}"))
    steps += _way(connection, timeout)
    if any(step.status is Status.FAIL for step in steps):
        return Reach(tuple(steps)), connection
    answer, latency, skew = _answer(connection, timeout)
    return Reach((*steps, answer), latency, skew), connection


def _way(connection: Connection, timeout: float) -> list[Step]:
    """Name, port and TLS; through a proxy these are the proxy's business."""
    configuration = connection.client.configuration
    if getattr(configuration, "proxy", None):
        return [Step("proxy", Status.OK, _host(str(configuration.proxy)))]
    url = urlsplit(connection.origin.server)
    host, port = url.hostname or "", url.port or _PORTS.get(url.scheme, 443)
    steps: list[Step] = []
    try:
        addresses, took = _timed(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError as error:
        return [Step("resolve", Status.FAIL, f"{host}: {error.strerror or error}")]
    found = ", ".join(dict.fromkeys(str(address[4][0]) for address in addresses))
    steps.append(Step("resolve", Status.OK, f"{host} = {found}" if found != host else host, took))
    try:
        sock, took = _timed(lambda: socket.create_connection((host, port), timeout=timeout))
    except OSError as error:
        return [*steps, Step("connect", Status.FAIL, f"{host}:{port}: {error.strerror or error}")]
    with sock:
        steps.append(Step("connect", Status.OK, f"{host}:{port}", took))
        if url.scheme == "https":
            steps.append(_tls(sock, host, configuration))
    return steps


def _tls(sock: socket.socket, host: str, configuration: Any) -> Step:  # noqa: ANN401 - the client's Configuration
    try:
        context = _context(configuration)
        name = getattr(configuration, "tls_server_name", None) or host
        wrapped, took = _timed(lambda: context.wrap_socket(sock, server_hostname=name))
        with wrapped:
            detail = f"{wrapped.version()}"
    except ssl.SSLCertVerificationError as error:
        return Step("tls", Status.FAIL, f"the certificate is not accepted: {error.verify_message or error.reason}")
    except (ssl.SSLError, OSError) as error:
        return Step("tls", Status.FAIL, " ".join(str(error).split())[:200])
    if not configuration.verify_ssl:
        return Step("tls", Status.WARN, f"{detail}, the certificate is not checked", took)
    return Step("tls", Status.OK, detail, took)


def _context(configuration: Any) -> ssl.SSLContext:  # noqa: ANN401 - as above
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert or None)
    # a private CA without key usage is common in clusters; OpenSSL 3 in Python 3.13 refuses it by default
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _answer(connection: Connection, timeout: float) -> tuple[Step, int | None, int | None]:
    """/version some times over one connection: does it answer, how fast, and what time is it there."""
    transport = Transport(connection)
    times: list[int] = []
    skew: int | None = None
    status = 0
    for _ in range(SAMPLES):
        try:
            response, took = _timed(lambda: transport.request("/version", timeout=timeout))
        except TransportError as error:
            return Step("answer", Status.FAIL, error.detail), None, None
        times.append(took)
        status = response.status
        if response.date is not None:
            # the Date header has whole seconds, and the answer was on its way: half a second belongs to neither
            skew = round((response.date - datetime.now(UTC)).total_seconds() + 0.5)
    latency = int(statistics.median(times))
    good = status < 500
    return Step("answer", Status.OK if good else Status.FAIL, f"/version: HTTP {status}", latency), latency, skew


def _timed(action: Callable[[], T]) -> tuple[T, int]:
    start = time.monotonic()
    result = action()
    return result, round((time.monotonic() - start) * 1000)


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
