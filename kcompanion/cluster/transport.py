"""One HTTP request through the official client, in raw mode: bytes in, bytes out, every failure named.

Raw because typed models drop unknown fields, fail a whole list for one odd object, and cost five times the CPU.
The only module that knows urllib3 and the client's internals; pinned to kubernetes 37.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from kcompanion.model.ask import Outcome

if TYPE_CHECKING:
    from kcompanion.cluster.connect import Connection

JSON = "application/json"
CONNECT_TIMEOUT = 5.0
CHUNK = 1 << 16
RETRIED = frozenset({429, 502, 503})  # what a moment later may go well; client-go retries these too
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class TransportError(Exception):
    """No HTTP answer. `outcome` is TIMEOUT or UNREACHABLE; `transient` says whether a retry may help."""

    def __init__(self, outcome: Outcome, detail: str, *, transient: bool = False) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail
        self.transient = transient


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes
    peer: bytes | None  # the server's certificate (DER) of the connection that answered

    @property
    def date(self) -> datetime | None:
        """The server's clock, from the Date header. It is GMT also where a proxy added its own and no zone is read."""
        try:
            read = parsedate_to_datetime(self.headers.get("Date", ""))
        except (TypeError, ValueError):
            return None
        return read if read.tzinfo else read.replace(tzinfo=UTC)

    @property
    def retry_after(self) -> float | None:
        """Seconds the server asks us to wait (API servers send whole seconds, never dates)."""
        wish = self.headers.get("Retry-After", "")
        return float(wish) if wish.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Lines:
    """An answer that is read line by line while it comes."""

    status: int
    lines: Iterator[bytes]


class Transport:
    """Sends requests over one Connection; safe to use from several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._configuration = connection.client.configuration
        if not self._configuration.verify_ssl:
            import urllib3  # noqa: PLC0415 - as below

            urllib3.disable_warnings()  # the kubeconfig's owner chose so; kubectl does not complain either

    @property
    def verified(self) -> bool:
        """Whether servers have to prove who they are by a certificate."""
        return bool(self._configuration.verify_ssl) and str(self._configuration.host).startswith("https://")

    def request(
        self,
        path: str,
        *,
        accept: str = JSON,
        body: bytes | None = None,
        server: str = "",
        timeout: float,
        method: str = "",
        content_type: str = JSON,
    ) -> Response:
        """GETs a path (POSTs it when there is a body, or does what `method` says) within about `timeout` seconds.

        Raises:
            TransportError: there was no HTTP answer.
        """
        import urllib3  # noqa: PLC0415 - loaded by the client anyway, never for --help

        pool = self._connection.client.rest_client.pool_manager
        ends = time.monotonic() + timeout
        limits = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, timeout), read=timeout)
        url = (server or str(self._configuration.host)).rstrip("/") + path
        try:
            answer = pool.request(
                method or ("POST" if body is not None else "GET"),
                url,
                body=body,
                headers=self._headers(accept, content_type if body is not None else ""),
                timeout=limits,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            peer = _peer(answer)
            data = _body(answer, ends)
        except urllib3.exceptions.HTTPError as error:
            raise _named(error, url, timeout) from error
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; ValueError: a URL nobody can ask
            raise TransportError(Outcome.UNREACHABLE, _short(error)) from error
        answer.release_conn()
        return _of_an_api_server(Response(answer.status, answer.headers, data, peer), url)

    @contextmanager
    def lines(self, path: str, *, timeout: float) -> Iterator[Lines]:
        """GETs a path whose answer goes on and on, one JSON per line; `timeout` limits the silence between two bytes.

        Raises:
            TransportError: there was no HTTP answer, or the connection broke.
        """
        import urllib3  # noqa: PLC0415 - as above

        pool = self._connection.client.rest_client.pool_manager
        url = str(self._configuration.host).rstrip("/") + path
        headers = self._headers(JSON)
        headers["Accept-Encoding"] = "identity"  # compressed, lines would come in blocks
        limits = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, timeout), read=timeout)
        try:
            answer = pool.request(
                "GET", url, headers=headers, timeout=limits, retries=False, redirect=False, preload_content=False
            )
            try:
                yield Lines(answer.status, _split(answer))
            finally:
                answer.close()  # never back to the pool: the server is not done with it
        except urllib3.exceptions.HTTPError as error:
            raise _named(error, url, timeout) from error
        except OSError as error:
            raise TransportError(Outcome.UNREACHABLE, _short(error), transient=True) from error

    def headers(self) -> Any:  # noqa: ANN401 - urllib3.HTTPHeaderDict, imported lazily
        """Who we are: credentials and impersonation, for what is not sent by `request`."""
        headers = self._headers("")
        for name in ("Accept", "Accept-Encoding"):
            headers.discard(name)
        return headers

    def _headers(self, accept: str, content_type: str = "") -> Any:  # noqa: ANN401 - urllib3.HTTPHeaderDict, imported lazily
        import urllib3  # noqa: PLC0415 - as above

        headers = urllib3.HTTPHeaderDict({"Accept": accept, "Accept-Encoding": "gzip"})
        for name, value in self._connection.headers:
            headers.add(name, value)
        if content_type:
            headers["Content-Type"] = content_type
        for setting in self._configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        return headers


def _split(answer: Any) -> Iterator[bytes]:  # noqa: ANN401 - urllib3's response
    """The lines of a body as they come; what stands after the last line break was cut off."""
    rest = b""
    while chunk := answer.read1(CHUNK, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def _peer(answer: Any) -> bytes | None:  # noqa: ANN401 - urllib3's response
    """The certificate of the connection, read before the connection goes back to the pool."""
    sock = getattr(getattr(answer, "connection", None), "sock", None)
    return sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None


def _body(answer: Any, ends: float) -> bytes:  # noqa: ANN401 - as above
    """The whole body; a server that drips is given up on too (urllib3 limits each read, not their sum).

    Raises:
        TransportError: the body is not complete at `ends`.
    """
    chunks: list[bytes] = []
    while chunk := answer.read1(CHUNK, decode_content=True):
        chunks.append(chunk)
        if time.monotonic() > ends:
            answer.close()
            raise TransportError(Outcome.TIMEOUT, "the answer did not end in time")
    return b"".join(chunks)


def _of_an_api_server(response: Response, url: str) -> Response:
    """The response, unless it is a page for people: then a proxy or a login stands before the API server.

    Raises:
        TransportError: it is such a page.
    """
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        raise TransportError(
            Outcome.UNREACHABLE,
            f"{_host(url)} answered with a web page (HTTP {response.status}): a proxy or a login, not an API server",
            transient=response.status in RETRIED,
        )
    if response.status in _REDIRECTS:
        where = _host(response.headers.get("Location", "")) or "another address"
        raise TransportError(
            Outcome.UNREACHABLE, f"{_host(url)} redirects to {where}: a proxy or a login, not an API server"
        )
    return response


def _named(error: Exception, url: str, timeout: float) -> TransportError:
    """urllib3's errors in the words of the person who asked. The order matters: most are subclasses of others."""
    from urllib3 import exceptions as u3  # noqa: PLC0415 - as above

    cause: BaseException = error
    if isinstance(error, u3.ProxyError):
        return TransportError(Outcome.UNREACHABLE, f"the proxy: {_short(error.original_error)}")
    if isinstance(cause, u3.NameResolutionError):
        return TransportError(Outcome.UNREACHABLE, f"the name {_host(url)} cannot be resolved")
    if isinstance(cause, u3.NewConnectionError):
        return TransportError(Outcome.UNREACHABLE, f"{_host(url)}: {_connection_problem(cause)}")
    if isinstance(cause, u3.ConnectTimeoutError):
        limit = min(CONNECT_TIMEOUT, timeout)
        return TransportError(Outcome.UNREACHABLE, f"{_host(url)} did not accept a connection within {_seconds(limit)}")
    if isinstance(cause, u3.TimeoutError):
        return TransportError(Outcome.TIMEOUT, f"no answer within {_seconds(timeout)}")
    if isinstance(cause, u3.SSLError):
        return TransportError(Outcome.UNREACHABLE, f"TLS: {tls_problem(str(cause))}")
    # the connection broke: an idle one from the pool, or a server that restarts
    return TransportError(Outcome.UNREACHABLE, _short(cause), transient=True)


def _connection_problem(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    strerror = cause.strerror if isinstance(cause, OSError) else None
    return (strerror or _short(error)).lower()


# What OpenSSL says, and what it means for the person.
_TLS_PROBLEMS = (
    ("alert certificate expired", "the server says that our client certificate has expired"),
    ("alert certificate required", "the server wants a client certificate"),
    ("alert unknown ca", "the server does not know who signed our client certificate"),
    ("certificate has expired", "the server's certificate has expired"),
    ("certificate is not yet valid", "the server's certificate is not valid yet (is the clock right?)"),
    ("hostname mismatch", "the server's certificate is for another name"),
    ("ip address mismatch", "the server's certificate is for another address"),
    ("certificate verify failed", "the server's certificate is not signed by the CA of the kubeconfig"),
    ("eof occurred", "the server hung up during the handshake"),
    ("wrong version number", "the server does not speak TLS (is it http://?)"),
    ("record layer failure", "the server does not speak TLS (is it http://?)"),
)


def tls_problem(said: str) -> str:
    """OpenSSL's message in plain words; the message itself when there are none for it."""
    flat = " ".join(said.replace("_", " ").split()).lower()
    return next((words for mark, words in _TLS_PROBLEMS if mark in flat), flat[:200])


def _seconds(count: float) -> str:
    return f"{count:.0f} s" if count >= 1 else f"{count:.1f} s"


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]
