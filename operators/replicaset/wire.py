"""How writes travel: HTTP/1.1 over kept connections, with nothing in it but what a write needs.

One thread makes all pods of a burst, and most of its time went into a general client: 270 µs for a request, of which
130 are left here. Reads, watches and whatever goes through a proxy stay with aiohttp, where an answer may be large,
compressed or endless.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from operators.replicaset.login import Login

IDLE = 85.0  # seconds after which a kept connection is not used again; the API server closes it after 90
LARGEST_HEAD = 65536
CLOSED = "the server closed the connection"
_AGAIN = frozenset({"PUT", "DELETE"})  # they carry a version or a uid: serving them twice does no harm
_WITHOUT_BODY = frozenset({204, 304})


class Lost(ConnectionError):
    """The connection ended before the answer; `unheard` if not even a part of one came."""

    def __init__(self, message: str, *, unheard: bool) -> None:
        super().__init__(message)
        self.unheard = unheard


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and whether the connection can be used again."""

    code: int
    retry_after: str
    body: bytes
    keep: bool


def parsed(data: bytes, *, ended: bool = False) -> Reply | None:
    """The answer in what has come so far; None while it is not all there.

    Raises:
        ValueError: this is not HTTP.
    """
    head, complete, rest = data.partition(b"\r\n\r\n")
    if not complete:
        if len(data) > LARGEST_HEAD:
            raise ValueError("an answer without an end of its headers")
        return None
    first, *lines = head.split(b"\r\n")
    version, _, status = first.partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not status[:3].isdigit():
        raise ValueError("an answer that is not HTTP/1.1")
    code = int(status[:3])
    if code < 200:
        return parsed(rest, ended=ended)  # "go on", "early hints": the answer comes behind it
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    found = _body(code, headers, rest, ended=ended)
    if found is None:
        return None
    body, exact = found
    keep = exact and version == b"HTTP/1.1" and b"close" not in headers.get(b"connection", b"").lower()
    return Reply(code, headers.get(b"retry-after", b"").decode("latin-1"), body, keep)


def _body(code: int, headers: dict[bytes, bytes], rest: bytes, *, ended: bool) -> tuple[bytes, bool] | None:
    """The body, and whether nothing stands behind it."""
    if code in _WITHOUT_BODY:
        return b"", not rest
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _joined(rest)
    if b"content-length" in headers:
        size = int(headers[b"content-length"])
        return (rest[:size], len(rest) == size) if len(rest) >= size else None
    return (rest, False) if ended else None  # as long as the connection lasts


def _joined(data: bytes) -> tuple[bytes, bool] | None:
    """The chunks of a body as one."""
    parts: list[bytes] = []
    at = 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size, at = int(data[at:end].partition(b";")[0], 16), end + 2
        if not size:
            ends = data.find(b"\r\n\r\n", end) + 4  # the end of the last size and the empty line; trailers between
            return (b"".join(parts), ends == len(data)) if ends >= 4 else None
        if len(data) < at + size + 2:
            return None
        parts.append(data[at : at + size])
        at += size + 2
    return None


class Line(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self) -> None:
        self.rested = 0.0  # since when it rests
        self.usable = True
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._got = b""

    async def exchange(self, request: bytes) -> Reply:
        """Sends a request and waits for its answer; whoever stops waiting ends the connection."""
        if self._transport is None or not self.usable:
            raise Lost(CLOSED, unheard=True)
        self._got, self._answer = b"", asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            reply = await self._answer
        except BaseException:
            self.close()
            raise
        if not reply.keep:
            self.close()
        return reply

    def close(self) -> None:
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------------ what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # no other comes of create_connection

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked: what comes next could not be told from an answer
        else:
            _settle(self._answer, self._got, ended=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        answer = self._answer
        if answer is not None and not answer.done():
            _settle(answer, self._got, ended=True)
            if not answer.done():
                told = " ".join(str(exc or "").split()) or CLOSED
                answer.set_exception(Lost(told, unheard=not self._got))


def _settle(answer: asyncio.Future[Reply], got: bytes, *, ended: bool) -> None:
    try:
        reply = parsed(got, ended=ended)
    except ValueError as error:
        answer.set_exception(Lost(str(error), unheard=False))
    else:
        if reply is not None:
            answer.set_result(reply)


class Lines:
    """The kept connections; those of another server or other credentials are never used."""

    def __init__(self) -> None:
        self._resting: deque[Line] = deque()
        self._place: tuple[object, ...] = ()

    async def exchange(
        self, login: Login, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes | None
    ) -> Reply:
        """One request, once; a kept connection that turns out to be dead is replaced for what may be sent again.

        Raises:
            OSError: there is no connection, or it broke.
        """
        request = _written(login, method, path, headers, body or b"")
        while True:
            line = self._kept(login)
            fresh = line is None
            if line is None:
                line = await self._opened(login)
            try:
                reply = await line.exchange(request)
            except Lost as lost:
                if fresh or not lost.unheard or method not in _AGAIN:
                    raise
                continue
            if line.usable:
                line.rested = asyncio.get_running_loop().time()
                self._resting.append(line)
            return reply

    def close(self) -> None:
        while self._resting:
            self._resting.pop().close()

    def _kept(self, login: Login) -> Line | None:
        """The one that rested longest, so that each is used before it counts as idle."""
        place = (login.server, login.server_name, login.context)
        if place != self._place:
            self.close()
            self._place = place
        now = asyncio.get_running_loop().time()
        while self._resting:
            line = self._resting.popleft()
            if line.usable and now - line.rested < IDLE:
                return line
            line.close()
        return None

    async def _opened(self, login: Login) -> Line:
        url = urlsplit(login.server)
        port = url.port or (443 if url.scheme == "https" else 80)
        name = (login.server_name or url.hostname) if login.context else None
        _, line = await asyncio.get_running_loop().create_connection(
            Line, url.hostname or "", port, ssl=login.context, server_hostname=name, happy_eyeballs_delay=0.25
        )
        return line


def _written(login: Login, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    url = urlsplit(login.server)
    host = url.netloc.rpartition("@")[2]
    lines = [f"{method} {url.path}{path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if any(line.splitlines() != [line] for line in lines) or " " in path:
        raise ValueError("a line break in a header")
    return "\r\n".join((*lines, "\r\n")).encode("latin-1") + body
