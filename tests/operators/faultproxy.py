"""A proxy between a controller and the API server that makes things go wrong, and counts what is asked.

It speaks TLS with a certificate of the tests' own authority and goes on to the real server with the credentials of a
kubeconfig. Every fault is switched by a plain attribute or call, from any thread.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from kcompanion.cluster.connect import Target
from operators.replicaset.client import resource_in
from operators.replicaset.login import Login, log_in
from tests.operators.loops import hang_up
from tests.pki import Authority
from tests.servers import tls, write_kubeconfig

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
TICK = 0.01
_HOP = {
    "transfer-encoding",
    "content-length",
    "connection",
    "content-encoding",
    "host",
    "authorization",
    "accept-encoding",
}


@dataclass
class Injection:
    """Answers that come from here and not from the server; or answers of the server that are thrown away."""

    verb: str
    resource: str
    status: int = 0  # 0: the request is served, and its answer is lost
    times: int = 1
    retry_after: int | None = None
    message: str = "injected"


@dataclass
class FaultProxy:
    """The faults, and the counts. `verb` is Kubernetes' own: get, list, watch, create, update, patch, delete."""

    server: str
    login: Login
    held: bool = False  # watches say nothing; what they have to say comes when this ends
    stalled: bool = False  # watches, also new ones, say nothing more; those open at the time never will
    delay: float = 0.0  # seconds by which each line of a watch comes late
    refusing: bool = False  # connections are closed at once
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: list[tuple[float, str, str]] = field(default_factory=list)  # when (monotonic), verb, path
    port: int = 0
    _injections: list[Injection] = field(default_factory=list)
    _watches: set[_Watch] = field(default_factory=set)
    _served: int = 0  # requests at the moment
    _session: aiohttp.ClientSession | None = None

    def inject(self, verb: str, resource: str, status: int, *, times: int = 1, retry_after: int | None = None) -> None:
        """The next requests of that kind are answered from here."""
        self._injections.append(Injection(verb, resource, status, times, retry_after))

    def drop_answers(self, verb: str, resource: str, *, times: int = 1) -> None:
        """The next requests of that kind reach the server, and its answers get lost."""
        self._injections.append(Injection(verb, resource, 0, times))

    def cut(self, resource: str = "") -> int:
        """Ends the open watches (of one resource) without a word; how many."""
        return self._each(resource, lambda watch: setattr(watch, "cut", True))

    def fail(self, code: int, resource: str = "", message: str = "injected") -> int:
        """Sends an ERROR event through the open watches, and ends them, as the API server does."""
        return self._each(resource, lambda watch: setattr(watch, "error", (code, message)))

    def open_watches(self, resource: str = "") -> int:
        return sum(1 for watch in self._watches if resource in ("", watch.resource))

    def _each(self, resource: str, do: Any) -> int:
        concerned = [watch for watch in list(self._watches) if resource in ("", watch.resource)]
        for watch in concerned:
            do(watch)
        return len(concerned)

    # ------------------------------------------------------------------ serving

    @asynccontextmanager
    async def serving(self, context: ssl.SSLContext | None) -> AsyncIterator[FaultProxy]:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = runner.addresses[0][1]
        connector = aiohttp.TCPConnector(limit=0, ssl=self.login.context or True)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        try:
            yield self
        finally:
            self.refusing = True
            await self._drained()
            await runner.cleanup()
            await self._session.close()

    async def _drained(self) -> None:
        """Waits for what is being served: asyncio never closes a connection that is cancelled in its handshake."""
        deadline = time.monotonic() + 10
        while self._served and time.monotonic() < deadline:
            self.cut()
            await asyncio.sleep(TICK)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._served += 1
        try:
            return await self._serve(request)
        finally:
            self._served -= 1

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        watching = request.query.get("watch") in ("true", "1")
        resource = resource_in(request.path)
        verb = VERBS.get(request.method, request.method.lower())
        if verb == "get":
            named = request.path.rstrip("/").rpartition("/")[2] != resource.partition("/")[0]
            verb = "watch" if watching else "get" if named else "list"
        self.counts[verb, resource] += 1
        if self.refusing:
            return _hang_up(request)
        if verb in ("create", "update", "patch", "delete"):
            self.writes.append((time.monotonic(), verb, request.path))
        injection = self._matching(verb, resource)
        if injection is not None and injection.status:
            return _injected(injection)
        async with self._forward(request) as answer:
            if watching and answer.status == 200:
                return await self._relay(request, answer, resource)
            body = await answer.read()
            if injection is not None:
                return _hang_up(request)
            return web.Response(status=answer.status, body=body, headers=_kept(answer.headers))

    def _forward(self, request: web.Request) -> Any:
        assert self._session is not None
        headers = [pair for pair in request.headers.items() if pair[0].lower() not in _HOP]
        ours = [pair for pair in self.login.headers if pair[0] != "User-Agent"]
        body = request.content if request.can_read_body else None
        return self._session.request(request.method, self.server + request.path_qs, headers=headers + ours, data=body)

    def _matching(self, verb: str, resource: str) -> Injection | None:
        for injection in self._injections:
            if (injection.verb, injection.resource) == (verb, resource) and injection.times > 0:
                injection.times -= 1
                return injection
        return None

    async def _relay(self, request: web.Request, answer: aiohttp.ClientResponse, resource: str) -> web.StreamResponse:
        """A watch, line by line; each may be held, delayed or lost."""
        relay = web.StreamResponse(headers={"Content-Type": "application/json"})
        await relay.prepare(request)
        watch = _Watch(resource)
        self._watches.add(watch)
        lines: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()
        reading = asyncio.create_task(_read(answer, lines))
        try:
            await self._pump(watch, relay, lines)
        except ConnectionError:
            pass
        finally:
            self._watches.discard(watch)
            reading.cancel()
            with suppress(asyncio.CancelledError, aiohttp.ClientError):
                await reading
        if watch.cut and request.transport is not None:
            request.transport.abort()
        return relay

    async def _pump(
        self, watch: _Watch, relay: web.StreamResponse, lines: asyncio.Queue[tuple[float, bytes | None]]
    ) -> None:
        while not watch.cut:
            if watch.error is not None:
                await relay.write(_error_event(*watch.error))
                return
            watch.stalled = watch.stalled or self.stalled
            if watch.stalled or self.held or lines.empty():
                await asyncio.sleep(TICK)
                continue
            came, line = lines.get_nowait()
            if line is None:
                return
            if (late := came + self.delay - time.monotonic()) > 0:
                await asyncio.sleep(late)
            await relay.write(line + b"\n")


@dataclass(eq=False)
class _Watch:
    resource: str
    cut: bool = False
    stalled: bool = False
    error: tuple[int, str] | None = None


async def _read(answer: aiohttp.ClientResponse, lines: asyncio.Queue[tuple[float, bytes | None]]) -> None:
    rest = b""
    async for chunk in answer.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            lines.put_nowait((time.monotonic(), line))
    lines.put_nowait((time.monotonic(), None))


def _error_event(code: int, message: str) -> bytes:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"


def _injected(injection: Injection) -> web.Response:
    headers = {} if injection.retry_after is None else {"Retry-After": str(injection.retry_after)}
    reason = {409: "Conflict", 410: "Expired", 429: "TooManyRequests", 500: "InternalError"}.get(injection.status, "")
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
    return web.json_response(
        {**body, "message": injection.message, "code": injection.status}, status=injection.status, headers=headers
    )


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _kept(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP}


@contextmanager
def faulty(kubeconfig: Path, folder: Path) -> Iterator[tuple[FaultProxy, Path]]:
    """A proxy in a thread of its own, before the cluster of a kubeconfig; with the kubeconfig that leads through it."""
    login = log_in(Target(kubeconfig=str(kubeconfig)))
    proxy = FaultProxy(login.server, login)
    authority = Authority(folder, "fault-proxy-ca")
    context = tls(authority.issue("fault-proxy", "127.0.0.1"))
    started, stop = threading.Event(), threading.Event()

    async def live() -> None:
        async with proxy.serving(context):
            started.set()
            while not stop.is_set():
                await asyncio.sleep(0.05)
        await hang_up()

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="fault-proxy", daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        way = write_kubeconfig(
            folder / "through-fault-proxy", f"https://127.0.0.1:{proxy.port}", certificate_authority=authority.file
        )
        yield proxy, way
    finally:
        stop.set()
        thread.join(10)
