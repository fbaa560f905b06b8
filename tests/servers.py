"""Small real servers on 127.0.0.1: something that answers like an API server, and a proxy."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml


@dataclass
class Request:
    """What a client asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Answer:
    """What the server says: an object as JSON, or text; `parts` are sent one by one, each after a pause."""

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: int = 1
    pause: float = 0.0

    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


Behaviour = Callable[[Request], Answer]


def items(*objects: Any, proceed: str = "", kind: str = "List") -> Answer:
    """A list as API servers send it."""
    return Answer({"kind": kind, "apiVersion": "v1", "metadata": {"continue": proceed}, "items": list(objects)})


def refusal(status: int, message: str = "", **headers: str) -> Answer:
    """A Status object, as API servers refuse."""
    wanted = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer({"kind": "Status", "status": "Failure", "message": message, "code": status}, status, wanted)


class Api:
    """A server whose paths answer as told; it remembers every request."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.answers: dict[str, Answer | Behaviour] = {}
        self.otherwise: Answer | Behaviour = refusal(404, "not found")
        self._released = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "https" if context else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def hang(self, request: Request) -> Answer:
        """A behaviour: no answer before the server stops."""
        self._released.wait(60)
        return Answer(status=500)

    def stop(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        told = self.answers.get(request.path, self.otherwise)
        return told(request) if callable(told) else told

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                url = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                body = self.rfile.read(length)
                answer = api._answer(Request(self.command, url.path, query, list(self.headers.items()), body))
                data = answer.encoded()
                self.send_response_only(answer.status)
                wanted = {
                    "Date": self.date_time_string(),
                    "Content-Type": "application/json",
                    "Content-Length": str(len(data)),
                    **answer.headers,
                }
                for name, value in wanted.items():
                    self.send_header(name, value)
                self.end_headers()
                size = -(-len(data) // answer.parts) or 1
                for start in range(0, len(data), size):
                    api._released.wait(answer.pause)
                    self.wfile.write(data[start : start + size])
                    self.wfile.flush()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

            def handle(self) -> None:
                try:
                    super().handle()
                except ssl.SSLError:
                    _drain(self.connection)
                except OSError:  # the client hung up
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        return Handler


def _drain(connection: socket.socket) -> None:
    """Lets the client read our alert: closing with its bytes unread would reset the connection instead."""
    with socket.socket(fileno=connection.detach()) as bare:
        bare.settimeout(1)
        try:
            bare.shutdown(socket.SHUT_WR)
            while bare.recv(65536):
                pass
        except OSError:
            return


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no event."""

    def shutdown_request(self, request: Any) -> None:
        try:
            super().shutdown_request(request)
        except OSError:
            request.close()


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Api]:
    """A server for the length of a block."""
    api = Api(context)
    try:
        yield api
    finally:
        api.stop()


def tls(certificate: tuple[Path, Path], client_authority: Path | None = None) -> ssl.SSLContext:
    """A server's context; with a client authority it demands client certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority)
    return context


class Proxy:
    """A CONNECT proxy that leads wherever it is told, whatever the client asks for."""

    def __init__(self, port: int) -> None:
        self.asked_for: list[str] = []
        self._target = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def stop(self) -> None:
        self._stopped.set()
        self._socket.close()

    def _accept(self) -> None:
        self._socket.settimeout(0.1)
        while not self._stopped.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                continue
            threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            head = client.recv(4096).decode().split()
            if not head:  # it hung up before it asked
                return
            self.asked_for.append(head[1])
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self._stopped.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.1)
                for source in ready:
                    try:
                        data = source.recv(65536)
                        if not data:
                            return
                        (server if source is client else client).sendall(data)
                    except OSError:
                        return


def write_kubeconfig(
    path: Path, server: str, user: Mapping[str, Any] | None = None, *, name: str = "test", **cluster: Any
) -> Path:
    """A kubeconfig of one context; keywords are fields of the cluster, with _ for -."""
    fields = {key.replace("_", "-"): str(v) if isinstance(v, Path) else v for key, v in cluster.items()}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": server, **fields}}],
        "users": [{"name": name, "user": dict(user or {})}],
    }
    path.write_text(yaml.safe_dump(document))
    return path
