"""`serve`: the page on the loopback, to whoever asks for it by its own name, and nothing else."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from kcompanion.cli.commands.report import EVERY
from kcompanion.cli.commands.serve import Fresh, handler
from kcompanion.errors import Unreachable
from tests.cli.conftest import Command, complained


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A server whose page counts how often it was made."""
    made: list[str] = []

    def make() -> str:
        made.append("")
        return f"<p>{len(made)}</p>"

    with ThreadingHTTPServer(("127.0.0.1", 0), handler(Fresh(make))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(60)


def asked(server: ThreadingHTTPServer, verb: str = "GET", path: str = "/", **headers: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.request(verb, path, headers=headers)
    answer = connection.getresponse()
    told = answer.status, answer.read().decode(), answer.headers.get("X-Frame-Options") or ""
    connection.close()
    return told


def test_the_page_is_made_once_for_many_who_look(server: ThreadingHTTPServer) -> None:
    assert asked(server) == (200, "<p>1</p>", "DENY")
    assert asked(server) == (200, "<p>1</p>", "DENY")
    assert asked(server, "HEAD") == (200, "", "DENY")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:1", ""])
def test_other_names_are_refused(server: ThreadingHTTPServer, host: str) -> None:
    assert asked(server, Host=host)[0] == 403


@pytest.mark.parametrize(("verb", "path", "status"), [
    ("GET", "/etc/passwd", 404), ("GET", "/?x", 404), ("POST", "/", 501), ("PUT", "/", 501), ("DELETE", "/", 501),
])  # fmt: skip
def test_nothing_else_is_answered(server: ThreadingHTTPServer, verb: str, path: str, status: int) -> None:
    assert asked(server, verb, path)[0] == status


def test_the_last_page_stays_while_the_cluster_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["first"])

    def make() -> str:
        try:
            return next(answers)
        except StopIteration:
            raise Unreachable("gone", "") from None

    fresh = Fresh(make)
    assert fresh.latest() == "first"
    fresh.at -= EVERY
    assert fresh.latest() == "first"
    with pytest.raises(Unreachable):
        Fresh(make).latest()


@pytest.mark.parametrize("listen", ["0.0.0.0:8011", "[::]:1", "example.org:80", "127.0.0.1", "127.0.0.1:x"])
def test_only_the_loopback(inside: Command, listen: str) -> None:
    complained(inside("serve", "--from", "demo:three-nodes", "--listen", listen), 2, listen)
