"""A proxy on this machine that counts requests: every program that reads a cluster can be measured alike through it."""

from __future__ import annotations

import http.client
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from bench.material import client_files

_DROPPED = frozenset({"connection", "transfer-encoding", "keep-alive", "host", "accept-encoding"})


class Counter:
    """What passed through: requests and bytes of answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = 0
        self.bytes = 0

    def add(self, requests: int, size: int) -> None:
        with self._lock:
            self.requests += requests
            self.bytes += size

    def reset(self) -> None:
        with self._lock:
            self.requests = self.bytes = 0


@contextmanager
def counted(kubeconfig: Path) -> Iterator[tuple[Path, Counter]]:
    """A kubeconfig that leads through the proxy, and what it counts, for the time of a `with` block.

    The proxy proves itself to the API server with the kubeconfig's own certificate; on this machine it speaks HTTP.
    """
    counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        server, context = client_files(kubeconfig, Path(folder))
        listener = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server, context, counter))
        listener.daemon_threads = True
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        try:
            target = Path(folder) / "kubeconfig"
            target.write_text(yaml.safe_dump(_kubeconfig(f"http://127.0.0.1:{listener.server_port}")))
            yield target, counter
        finally:
            listener.shutdown()
            listener.server_close()


def _kubeconfig(url: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "counted",
        "clusters": [{"name": "counted", "cluster": {"server": url}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "counted", "context": {"cluster": "counted", "user": "nobody"}}],
    }


def _handler(server: str, context: ssl.SSLContext, counter: Counter) -> type[BaseHTTPRequestHandler]:
    address = urlsplit(server)

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            upstream = http.client.HTTPSConnection(address.hostname or "", address.port or 443, context=context)
            try:
                kept = {k: v for k, v in self.headers.items() if k.lower() not in _DROPPED}
                upstream.request(self.command, self.path, body, kept)
                counter.add(1, 0)
                self._answer(upstream.getresponse())
            finally:
                upstream.close()

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def _answer(self, response: http.client.HTTPResponse) -> None:
            """Passes the answer on as it comes: a watch must not wait for its end."""
            self.send_response_only(response.status)  # the server's own Date and Server are passed on
            for key, value in response.getheaders():
                if key.lower() not in (*_DROPPED, "content-length"):
                    self.send_header(key, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                while chunk := response.read1(1 << 16):
                    counter.add(0, len(chunk))
                    self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the counter is the log."""

    return Forward
