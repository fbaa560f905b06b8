from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target
from operators.replicaset.login import Login, Logins, log_in
from operators.replicaset.wire import Lines, Lost, Reply, parsed
from tests.operators.loops import in_loop, until
from tests.servers import write_kubeconfig

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = (
    b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nRetry-After: 3\r\n\r\n"
    b'6\r\n{"a":1\r\n1;x=y\r\n}\r\n0\r\nTrailer: t\r\n\r\n'
)
Answering = Callable[[bytes, int], bytes | None]  # the request and which of its connection it is; None hangs up


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (OK, Reply(200, "", b"{}", keep=True)),
        (CHUNKED, Reply(201, "3", b'{"a":1}', keep=True)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Reply(200, "", b"{}", keep=True)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Reply(204, "", b"", keep=True)),
        (
            b"HTTP/1.1 429 Too Many Requests\r\nretry-AFTER:1\r\nCONNECTION: Close\r\ncontent-length:0\r\n\r\n",
            Reply(429, "1", b"", keep=False),
        ),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", Reply(200, "", b"{}", keep=False)),
    ],
)
def test_an_answer_is_known_once_it_is_all_there(data: bytes, reply: Reply) -> None:
    assert parsed(data) == reply
    for length in range(len(data)):
        assert parsed(data[:length]) is None


def test_what_stands_behind_an_answer_ends_the_connection() -> None:
    for data in (OK, CHUNKED):
        reply = parsed(data + b"HTTP")
        assert reply is not None
        assert not reply.keep


def test_an_answer_without_a_length_lasts_as_long_as_its_connection() -> None:
    data = b"HTTP/1.1 200 OK\r\n\r\n{}"
    assert parsed(data) is None
    assert parsed(data, ended=True) == Reply(200, "", b"{}", keep=False)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"x" * 70000,
    ],
)
def test_what_is_no_http_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whichever step notices it
        parsed(data)


class Played:
    """A server of which each connection answers as it is told."""

    def __init__(self, answering: Answering) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()
        self._answering = answering

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            for number in range(1000):
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(size))
                answer = self._answering(self.requests[-1], number)
                if answer is None:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.open.discard(writer)
        writer.transport.abort()


@asynccontextmanager
async def played(folder: Path, answering: Answering) -> AsyncIterator[tuple[Played, Login, Lines]]:
    server, lines = Played(answering), Lines()
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/prefix"
    config = write_kubeconfig(folder / "config", address, {"token": "t"})
    try:
        yield server, log_in(Target(kubeconfig=str(config))), lines
    finally:
        lines.close()
        listening.close()


def put(lines: Lines, login: Login, method: str = "PUT") -> Awaitable[Reply]:
    return lines.exchange(login, method, "/path", (("Accept", "json"),), b"{}")


@in_loop
async def test_a_connection_is_used_again(tmp_path: Path) -> None:
    async with played(tmp_path, lambda *_: OK) as (server, login, lines):
        assert [(await put(lines, login)).code for _ in range(3)] == [200] * 3
        assert server.connections == 1
        assert server.requests[0].startswith(b"PUT /prefix/path HTTP/1.1\r\nHost: 127.0.0.1:")
        assert server.requests[0].endswith(b"Accept: json\r\n\r\n{}")
        await asyncio.gather(*(put(lines, login) for _ in range(4)))
        assert server.connections == 4


@pytest.mark.parametrize(("method", "again"), [("PUT", True), ("DELETE", True), ("POST", False), ("PATCH", False)])
def test_a_kept_connection_that_is_dead_is_replaced_only_for_what_may_be_sent_twice(
    tmp_path: Path, method: str, *, again: bool
) -> None:
    @in_loop
    async def send() -> None:
        def answering(request: bytes, number: int) -> bytes | None:
            return OK if not number else None  # hangs up at the second of a connection

        async with played(tmp_path, answering) as (server, login, lines):
            await put(lines, login, method)
            if again:
                assert (await put(lines, login, method)).code == 200
            else:
                with pytest.raises(Lost):
                    await put(lines, login, method)
            assert (server.connections, len(server.requests)) == ((2, 3) if again else (1, 2))

    send()


@in_loop
async def test_nothing_is_sent_twice_once_a_part_of_the_answer_came(tmp_path: Path) -> None:
    broken = iter([OK, b"HTTP/1.1 200 OK\r\nContent-Le"])

    def answering(_request: bytes, _number: int) -> bytes | None:
        return next(broken, None)

    async with played(tmp_path, answering) as (server, login, lines):
        await put(lines, login)
        waiting = asyncio.ensure_future(put(lines, login))
        await until(lambda: len(server.requests) == 2)
        await asyncio.sleep(0.05)
        for writer in server.open:
            writer.close()
        with pytest.raises(Lost):
            await waiting
        assert server.connections == 1


@in_loop
async def test_a_connection_that_the_server_closed_while_it_rested_is_not_used(tmp_path: Path) -> None:
    async with played(tmp_path, lambda *_: OK) as (server, login, lines):
        await put(lines, login, "POST")
        for writer in list(server.open):
            writer.close()
        await until(lambda: not any(line.usable for line in lines._resting))
        assert (await put(lines, login, "POST")).code == 200
        assert server.connections == 2


@in_loop
async def test_whoever_stops_waiting_ends_the_connection(tmp_path: Path) -> None:
    late = asyncio.Event()

    async with played(tmp_path, lambda *_: OK if late.is_set() else b"") as (server, login, lines):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await put(lines, login)
        late.set()
        assert (await put(lines, login)).code == 200  # and not the answer to the first
        assert server.connections == 2


@in_loop
async def test_connections_are_not_shared_between_credentials(tmp_path: Path) -> None:
    async with played(tmp_path, lambda *_: OK) as (server, login, lines):
        await put(lines, login)
        await put(lines, replace(login, server_name="other"))
        assert server.connections == 2


@in_loop
async def test_a_line_break_in_a_header_is_never_sent(tmp_path: Path) -> None:
    async with played(tmp_path, lambda *_: OK) as (server, login, lines):
        with pytest.raises(ValueError, match="line break"):
            await lines.exchange(login, "PUT", "/x HTTP/1.1\r\nEvil: 1", (), None)
        assert not server.requests


@in_loop
async def test_a_new_token_leaves_the_connections_as_they_are(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    config = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:1", {"tokenFile": str(token)})
    logins = Logins(Target(kubeconfig=str(config)))
    old = logins.current
    token.write_text("new")
    logins._read -= 100
    new = await logins.fresh()
    assert (new.headers != old.headers, new.context is old.context) == (True, True)
