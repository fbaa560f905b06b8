"""`kcompanion serve`: the report as a page for a wall screen, kept fresh; on this machine alone, and read-only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click

from kcompanion.cli.commands.report import EVERY, drawings
from kcompanion.cli.context import session, talk
from kcompanion.cli.options import Options, serving
from kcompanion.cli.reporting import gathered
from kcompanion.errors import CompanionError, UsageError
from kcompanion.report.whole.gathered import Scope
from kcompanion.report.whole.page import page
from kcompanion.text.language import choose_language

_LOOPBACK = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1"}
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Fresh:
    """The latest page, made anew when somebody asks and it is older than EVERY."""

    make: Callable[[], str]
    text: str = ""
    at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def latest(self) -> str:
        """The page. While the cluster cannot be read, the last one stays.

        Raises:
            CompanionError: there is none yet, and none could be made.
        """
        with self._lock:
            if time.monotonic() - self.at >= EVERY:
                try:
                    self.text = self.make()
                except CompanionError as error:
                    if not self.text:
                        raise
                    talk(f"error: {error.text}")
                self.at = time.monotonic()
            return self.text


@click.command("serve")
@click.option("--listen", default="127.0.0.1:8011", metavar="ADDRESS:PORT", help="Loopback only [127.0.0.1:8011].")
@serving
def command(options: Options, listen: str) -> int:
    """The report of the whole cluster at http://127.0.0.1:8011, read anew every 30 s while somebody looks.

    It listens on this machine alone, answers nothing but that page, and only reads the cluster.
    """
    host, port = _address(listen)
    fresh = Fresh(lambda: _made(options))
    fresh.latest()  # what is wrong shows here, not in a browser
    with _bound(host, port, fresh) as server:
        talk(f"http://{host}:{server.server_address[1]}/ (Ctrl-C ends it)")
        server.serve_forever()
    return 0


def _made(options: Options) -> str:
    with session(options) as conversation:
        whole = page(gathered(conversation, Scope()))
    return drawings(whole, choose_language(options.lang, os.environ), refresh=EVERY)["html"]()


def _address(listen: str) -> tuple[str, int]:
    """Raises:
    UsageError: the address is not this machine's own, or no port.
    """
    host, _, port = listen.rpartition(":")
    if host not in _LOOPBACK:
        raise UsageError(f"{listen} is not on this machine's loopback", "--listen 127.0.0.1:8011")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"{listen} has no port", "--listen 127.0.0.1:8011")
    return _LOOPBACK[host], int(port)


def _bound(host: str, port: int, fresh: Fresh) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer((host, port), handler(fresh))
    except OSError as error:
        raise CompanionError(
            f"{host}:{port} cannot be listened on: {error.strerror}", "name another port with --listen"
        ) from error


def handler(fresh: Fresh) -> type[BaseHTTPRequestHandler]:
    """Answers GET and HEAD of / to whoever asks for this machine by its own name, and nothing else.

    The Host header is looked at because a page from elsewhere could otherwise let its own name point here and read
    the report (DNS rebinding).
    """

    class Handler(BaseHTTPRequestHandler):
        server_version = "kcompanion"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host")
            if host not in _LOOPBACK:
                self.send_error(HTTPStatus.FORBIDDEN, "ask for 127.0.0.1")
                return
            if self.path != "/":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            try:
                data = fresh.latest().encode()
            except CompanionError as error:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, error.text)
                return
            self.send_response(HTTPStatus.OK)
            for name, value in {**_HEADERS, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged: who looks at a wall screen is nobody's business."""

    return Handler
