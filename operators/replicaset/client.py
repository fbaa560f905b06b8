"""The client of the API server: few features, and each for a guarantee.

- Writes go through the fence: none is sent once the lease ran out. It is asked last, after every wait.
- Nothing is sent twice but what the server said it had not looked at (429). A lost answer is `Answer(0)`; the core
  settles the doubt by looking. Only a connection that was idle and turns out dead is replaced, and not for a POST.
- All requests of one controller share one bucket, as in kube-controller-manager; watches do not take from it.
- Watches have a limit of silence, so that a stalled one is noticed.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from multidict import CIMultiDict

from kcompanion.cluster.transport import tls_problem
from kcompanion.reconcile.requests import JSON, Answer, Request, answer_of
from operators.replicaset import nesting
from operators.replicaset.bucket import Bucket
from operators.replicaset.login import Login, Logins
from operators.replicaset.wire import IDLE, Lines, Reply

REQUEST_LIMIT = 30.0  # seconds for one request; the API server gives up after 60
CONNECT_LIMIT = 10.0
# Requests at once. Each needs a connection of its own, and to open one costs more than twenty requests (1.5 ms of
# processor here, and as much there). So the first ones are opened before there is work, and more only while it lasts:
# etcd writes what is asked at once in one go, so a long burst gains by them.
CONNECTIONS, MORE_AFTER, MOST_CONNECTIONS = 40, 16, 128
TRIES = 10  # of a request answered by 429, as in client-go
NO_LEASE = "not sent: the lease ran out"
_TROUBLE = (aiohttp.ClientError, TimeoutError, OSError)


class Sending(Protocol):
    """What a request of the core is to the client."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def payload(self) -> object: ...
    @property
    def content_type(self) -> str: ...
    @property
    def accept(self) -> str: ...


class WatchEnded(Exception):
    """A watch that could not be opened or broke off; `code` is the server's, 0 when it said nothing."""

    def __init__(self, code: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after


class Client:
    """To be made inside a running loop, and closed."""

    def __init__(self, logins: Logins, *, qps: float = 0.0, burst: int = 0) -> None:
        self.counted: Counter[tuple[str, str, int]] = Counter()  # verb, resource, code
        self.in_flight = 0  # writes
        self.waited = 0.0  # seconds in which the bucket held requests back
        self.spent: Callable[[str, float], None] = lambda _verb, _seconds: None
        self.lease_left: Callable[[], float] = lambda: REQUEST_LIMIT
        self._logins = logins
        self._bucket = Bucket(qps, burst)
        self._session, self._streams, self._lines = _session(), _session(), Lines()
        self._slots = Slots()
        self._encoded: tuple[object, bytes] = (None, b"")

    async def close(self) -> None:
        self._lines.close()
        await self._session.close()
        await self._streams.close()

    async def warm_up(self) -> None:
        """Opens the first connections, so that the first pods need not wait for handshakes.

        Each gets a request, for the server ends a connection without one after half a minute. They stay open: the one
        that rested longest is taken, so the Lease's renewals, one each two seconds, go round all of them in time.
        """
        login = await self._logins.fresh()
        if login.proxy is not None:
            return
        asks = (self._lines.exchange(login, "GET", "/version", login.headers, None) for _ in range(CONNECTIONS))
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_LIMIT):
                for reply in await asyncio.gather(*asks, return_exceptions=True):
                    self._count("get", "/version", reply.code if isinstance(reply, Reply) else 0)

    async def send(self, request: Request) -> Answer:
        """One request of the core, within the limits and behind the fence."""
        return await self.ask(request.method, request.path, self._encode(request.payload), request)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: Sending | None = None,
        *,
        limited: bool = True,
        fenced: bool = True,
        timeout: float = REQUEST_LIMIT,
    ) -> Answer:
        """Any request: the lease and the checks at the start go past bucket and fence."""
        for attempt in range(TRIES):
            if limited:
                self.waited += await self._bucket.take()
            answer = await self._once(method, path, body, kind, fenced=fenced and method != "GET", timeout=timeout)
            if answer.code != 429 or attempt == TRIES - 1:
                return answer
            await asyncio.sleep(1.0 if answer.retry_after is None else answer.retry_after)
        raise AssertionError("unreachable")

    async def lines(self, path: str, *, silence: float) -> AsyncIterator[bytes]:
        """The lines of a watch as they come, until the server ends it.

        Raises:
            WatchEnded: it was refused, broke, or nothing came for `silence` seconds.
        """
        login = await self._logins.fresh()
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_LIMIT, sock_read=silence)
        try:
            async with self._streams.get(login.server + path, **_how(login), timeout=limits) as response:
                self._count("watch", path, response.status)
                if response.status != 200:
                    raise await self._refusal(response, login)
                rest = b""
                async for chunk in response.content.iter_any():
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line
        except TimeoutError as error:
            raise WatchEnded(0, f"nothing came for {silence:.0f} s") from error
        except _TROUBLE as error:
            raise WatchEnded(0, _short(error)) from error

    async def _refusal(self, response: aiohttp.ClientResponse, login: Login) -> WatchEnded:
        answer = _answer(response.status, response.headers.get("Retry-After", ""), await response.read())
        if answer.code == 401:
            await self._logins.fresh(refused=login)
        return WatchEnded(answer.code, answer.message, answer.retry_after)

    async def _once(
        self, method: str, path: str, body: bytes | None, kind: Sending | None, *, fenced: bool, timeout: float
    ) -> Answer:
        login = await self._logins.fresh()
        headers = [*login.headers, ("Accept", kind.accept if kind else JSON)]
        if body is not None:
            headers.append(("Content-Type", kind.content_type if kind else JSON))
        async with self._slots:
            if fenced:
                timeout = min(timeout, self.lease_left())
                if timeout <= 0:
                    return Answer(0, message=NO_LEASE)
            began = time.monotonic()
            self.in_flight += fenced
            try:
                async with asyncio.timeout(timeout):  # the time for a connection included
                    code, retry_after, data = await self._exchange(login, method, path, headers, body)
            except _TROUBLE as error:
                self._count(_VERBS.get(method, method.lower()), path, 0)
                late = isinstance(error, TimeoutError)
                return Answer(0, message=f"no answer within {timeout:.0f} s" if late else _short(error))
            finally:
                self.in_flight -= fenced
        self.spent(method, time.monotonic() - began)
        self._count(_VERBS.get(method, method.lower()), path, code)
        if code == 401:
            await self._logins.fresh(refused=login)
        return _answer(code, retry_after, data)

    async def _exchange(
        self, login: Login, method: str, path: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> tuple[int, str, bytes]:
        """Code, Retry-After and body: writes by the short way; reads, and all that goes through a proxy, by aiohttp."""
        if method != "GET" and login.proxy is None:
            reply = await self._lines.exchange(login, method, path, headers, body)
            return reply.code, reply.retry_after, reply.body
        how = _how(login, CIMultiDict(headers))
        async with self._session.request(method, login.server + path, data=body, **how) as response:
            return response.status, response.headers.get("Retry-After", ""), await response.read()

    def _encode(self, payload: object) -> bytes | None:
        """A sync's pods are all made from one payload: it is written as JSON once."""
        if payload is None:
            return None
        if self._encoded[0] is not payload:
            self._encoded = payload, json.dumps(payload, separators=(",", ":")).encode()
        return self._encoded[1]

    def _count(self, verb: str, path: str, code: int) -> None:
        self.counted[verb, resource_in(path), code] += 1


_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def resource_in(path: str) -> str:
    """`pods`, `replicasets/status`: what a path is about, for counting."""
    words = path.partition("?")[0].strip("/").split("/")
    words = words[2:] if words[0] == "api" else words[3:]
    if words[:1] == ["namespaces"] and len(words) > 2:
        words = words[2:]
    return "/".join((*words[:1], *words[2:3])) or path


class Slots:
    """So many at once: a semaphore that grows with the work, and starts small again after a pause."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._most, self._used, self._done, self._last = CONNECTIONS, 0, 0, clock()

    @property
    def most(self) -> int:
        return self._most

    async def __aenter__(self) -> None:
        if not self._used and self._most > CONNECTIONS and self._clock() - self._last > IDLE:
            self._free, self._most, self._done = asyncio.Semaphore(CONNECTIONS), CONNECTIONS, 0
        self._used += 1
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            self._used -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._used -= 1
        self._done += 1
        self._last = self._clock()
        self._free.release()
        if self._done % MORE_AFTER == 0 and self._most < MOST_CONNECTIONS:
            self._most += 1
            self._free.release()


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE)
    limits = aiohttp.ClientTimeout(total=None)  # whoever asks has his own
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=True,
        trust_env=False,
        timeout=limits,
    )


def _how(login: Login, headers: CIMultiDict[str] | None = None) -> dict[str, Any]:
    return {
        "headers": CIMultiDict(login.headers) if headers is None else headers,
        "ssl": login.context if login.context is not None else True,
        "server_hostname": login.server_name,
        "proxy": login.proxy,
        "allow_redirects": False,
    }


def _answer(code: int, retry_after: str, data: bytes) -> Answer:
    try:
        body = _read(data) if data else {}
    except ValueError:
        body = {}
    return answer_of(code, body, float(retry_after) if retry_after.isdecimal() else None)


def _read(data: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(data)
    except RecursionError:
        return nesting.items_of(data)


def _short(error: BaseException) -> str:
    """What went wrong, in the words of kcompanion's other commands."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"TLS: {tls_problem(str(error.certificate_error))}"
    where = f"{error.host}:{error.port}: " if isinstance(error, aiohttp.ClientConnectorError) else ""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {tls_problem(str(cause))}"
    if where and isinstance(cause, OSError) and cause.errno:
        return f"{where}{os.strerror(cause.errno).lower()}"
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]


def query(**parameters: object) -> str:
    """`?a=b&c=d` of what is not None."""
    given: Mapping[str, object] = {name: value for name, value in parameters.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
