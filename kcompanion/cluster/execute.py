"""Runs one command in a container of a pod, over a WebSocket, and returns what it printed.

The official client's stream() changes its ApiClient, drops the impersonation headers (a command would run as somebody
else than --as says) and tells a refusal as status 0. So the WebSocket library beneath it is used directly. The
protocol: sub-protocol v5.channel.k8s.io, one byte of channel before every message, channel 3 ends with a Status.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from kcompanion.cluster.transport import Transport, TransportError, tls_problem
from kcompanion.model.ask import Outcome
from kcompanion.model.fields import maps_at, text_at

if TYPE_CHECKING:
    from kcompanion.cluster.connect import Connection

_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
_OUT, _ERR, _STATUS = 1, 2, 3
LIMIT = 16 << 20  # bytes of output: etcd's largest value is 1.5 MiB, and base64 makes it two


@dataclass(frozen=True)
class Ran:
    """How a command ended. `code` is None when it could not be started."""

    out: bytes
    err: str
    code: int | None
    detail: str = ""


class NotRun(Exception):
    """The API server did not let us run it, or was not reached."""

    def __init__(self, outcome: Outcome, status: int, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.status = status
        self.detail = detail


def execute(
    connection: Connection, namespace: str, pod: str, container: str, words: Sequence[str], *, timeout: float
) -> Ran:
    """Runs `words`, without a shell and without input.

    Raises:
        NotRun: there was no answer, or a refusal.
    """
    query = [("container", container), ("stdout", "true"), ("stderr", "true"), *(("command", w) for w in words)]
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?{urlencode(query)}"
    socket = _connected(connection, path, timeout)
    try:
        return _until_end(socket, time.monotonic() + timeout)
    finally:
        socket.shutdown()  # close() would wait for the server, or leave the socket open after a close of its own


def _connected(connection: Connection, path: str, timeout: float) -> Any:  # noqa: ANN401 - websocket has no types
    import websocket  # noqa: PLC0415 - only where something is executed

    configuration = connection.client.configuration
    url = "ws" + str(configuration.host).rstrip("/").removeprefix("http") + path
    headers = [f"{name}: {value}" for name, value in Transport(connection).headers().items()]
    socket = websocket.WebSocket(sslopt=_tls(configuration), enable_multithread=False)
    try:
        # a redirect would carry the credentials to whatever host it names
        options = {"timeout": timeout, "redirect_limit": 0, **_proxy(configuration)}
        socket.connect(url, header=headers, subprotocols=_PROTOCOLS, **options)  # type: ignore[no-untyped-call] # theirs
    except websocket.WebSocketBadStatusException as error:
        raise _refused(error) from error
    except websocket.WebSocketTimeoutException as error:
        raise NotRun(Outcome.TIMEOUT, 0, f"no answer within {timeout:.0f} s") from error
    except ssl.SSLError as error:
        raise NotRun(Outcome.UNREACHABLE, 0, f"TLS: {tls_problem(str(error))}") from error
    except (websocket.WebSocketException, OSError, TransportError) as error:
        raise NotRun(Outcome.UNREACHABLE, 0, " ".join(str(error).split())[:200]) from error
    return socket


def _tls(configuration: Any) -> dict[str, Any]:  # noqa: ANN401 - the client's Configuration
    options: dict[str, Any] = {"cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE}
    names = {"ca_certs": "ssl_ca_cert", "certfile": "cert_file", "keyfile": "key_file"}
    options |= {key: value for key, field in names.items() if (value := getattr(configuration, field))}
    if not configuration.verify_ssl:
        options["check_hostname"] = False
    if name := getattr(configuration, "tls_server_name", None):
        options["server_hostname"] = name
    return options


def _proxy(configuration: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    if not configuration.proxy:
        return {"http_no_proxy": ["*"]}  # the library would look into the environment by itself
    proxy = urlsplit(configuration.proxy)
    found: dict[str, Any] = {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port, "proxy_type": "http"}
    if proxy.username:
        found["http_proxy_auth"] = (proxy.username, proxy.password or "")
    return found


def _refused(error: Any) -> NotRun:  # noqa: ANN401 - websocket has no types
    """The API server's own words; the handshake hides them in the body of its answer."""
    status = int(error.status_code or 0)
    body = error.resp_body or b""
    try:
        detail = str(json.loads(body).get("message") or "")
    except (ValueError, AttributeError):
        detail = ""
    outcome = {401: Outcome.UNAUTHENTICATED, 403: Outcome.FORBIDDEN, 404: Outcome.ABSENT}.get(status, Outcome.ERROR)
    return NotRun(outcome, status, " ".join(detail.split())[:300] or f"HTTP {status}")


def _until_end(socket: Any, ends: float) -> Ran:  # noqa: ANN401 - as above
    """Collects both streams until the Status comes.

    Raises:
        NotRun: it took too long, said too much, or the connection broke.
    """
    import websocket  # noqa: PLC0415 - as above

    out, err = bytearray(), bytearray()
    while (left := ends - time.monotonic()) > 0 and len(out) < LIMIT:
        socket.settimeout(left)
        try:
            opcode, data = socket.recv_data()
        except websocket.WebSocketTimeoutException:
            break
        except (websocket.WebSocketException, OSError) as error:
            raise NotRun(Outcome.UNREACHABLE, 0, " ".join(str(error).split())[:200]) from error
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise NotRun(Outcome.UNREACHABLE, 0, "the connection was closed before the command ended")
        channel, body = (data[0], data[1:]) if data else (0, b"")
        if channel == _OUT:
            out += body
        elif channel == _ERR:
            err += body
        elif channel == _STATUS:
            return _ended(bytes(out), err.decode("utf-8", "replace"), body)
    raise NotRun(Outcome.TIMEOUT, 0, "the command did not end in time")


def _ended(out: bytes, err: str, body: bytes) -> Ran:
    try:
        status = json.loads(body)
    except ValueError:
        return Ran(out, err, None, "the API server did not tell how it ended")
    if text_at(status, "status") == "Success":
        return Ran(out, err, 0)
    causes = maps_at(status, "details", "causes")
    code = next((text_at(cause, "message") for cause in causes if text_at(cause, "reason") == "ExitCode"), "")
    return Ran(out, err, int(code) if code.isdecimal() else None, text_at(status, "message")[:300])
