"""One HTTP request through the official client, in raw mode: bytes in, bytes out, every failure named.

Raw because typed models drop unknown fields, fail a whole list for one odd object, and cost five times the CPU.
The only module that knows urllib3 and the client's internals; pinned to kubernetes 37.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from kcompanion.model.ask import Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from kcompanion.cluster.connect import Connection

JSON = "application/json"
CONNECT_TIMEOUT = 5.0


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
        """The server's clock, from the Date header."""
        try:
            return parsedate_to_datetime(self.headers.get("Date", ""))
        except (TypeError, ValueError):
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds the server asks us to wait."""
        try:
            return max(0.0, float(self.headers["Retry-After"]))
        except (KeyError, ValueError):
            return None


class Transport:
    """Sends requests over one Connection; safe to use from several threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._configuration = connection.client.configuration

    def request(
        self,
        path: str,
        *,
        accept: str = JSON,
        body: bytes | None = None,
        server: str = "",
        timeout: float,
    ) -> Response:
        """GETs a path (POSTs it when there is a body) within about `timeout` seconds.

        Raises:
            TransportError: there was no HTTP answer.
        """
        import urllib3  # noqa: PLC0415 - loaded by the client anyway, never for --help

        pool = self._connection.client.rest_client.pool_manager
        limits = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, timeout), read=timeout)
        url = (server or str(self._configuration.host)).rstrip("/") + path
        try:
            answer = pool.request(
                "POST" if body is not None else "GET",
                url,
                body=body,
                headers=self._headers(accept),
                timeout=limits,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            peer = _peer(answer)
            data = answer.read(decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise _named(error, url, timeout) from error
        except (OSError, ssl.SSLError) as error:
            raise TransportError(Outcome.UNREACHABLE, _short(error), transient=True) from error
        answer.release_conn()
        return Response(answer.status, answer.headers, data, peer)

    def _headers(self, accept: str) -> Any:  # noqa: ANN401 - urllib3.HTTPHeaderDict, imported lazily
        import urllib3  # noqa: PLC0415 - as above

        headers = urllib3.HTTPHeaderDict({"Accept": accept, "Accept-Encoding": "gzip"})
        headers.update(self._connection.headers)
        for group in self._connection.groups:
            headers.add("Impersonate-Group", group)
        if accept == JSON:
            headers["Content-Type"] = JSON
        for setting in self._configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        return headers


def _peer(answer: Any) -> bytes | None:  # noqa: ANN401 - urllib3's response
    """The certificate of the connection, read before the connection goes back to the pool."""
    sock = getattr(getattr(answer, "connection", None), "sock", None)
    return sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None


def _named(error: Exception, url: str, timeout: float) -> TransportError:
    from urllib3 import exceptions as u3  # noqa: PLC0415 - as above

    cause: BaseException = getattr(error, "reason", None) or error
    if not isinstance(cause, BaseException):
        cause = error
    if isinstance(cause, u3.ConnectTimeoutError):
        return TransportError(
            Outcome.UNREACHABLE, f"{_host(url)} did not accept a connection within {min(CONNECT_TIMEOUT, timeout):.0f} s"
        )
    if isinstance(cause, u3.ReadTimeoutError | u3.TimeoutError):
        return TransportError(Outcome.TIMEOUT, f"no answer within {timeout:.0f} s")
    if isinstance(cause, u3.SSLError):
        return TransportError(Outcome.UNREACHABLE, f"TLS: {_short(cause)}")
    if isinstance(cause, u3.NameResolutionError):
        return TransportError(Outcome.UNREACHABLE, f"the name {_host(url)} cannot be resolved")
    if isinstance(cause, u3.NewConnectionError):
        return TransportError(Outcome.UNREACHABLE, f"{_host(url)} refused the connection")
    if isinstance(cause, u3.ProxyError):
        return TransportError(Outcome.UNREACHABLE, f"proxy: {_short(cause)}")
    return TransportError(Outcome.UNREACHABLE, _short(cause), transient=True)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]
