"""What the operator says of itself over HTTP: /healthz, /readyz, /metrics, /decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from operators.replicaset.chronicle import Chronicle, Entry, Wanted


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be so."""

    name: str
    ok: bool
    detail: str = ""


Checks = Callable[[], tuple[Check, ...]]


class Server:
    """Bound to one address from `start` to `stop`."""

    def __init__(self, host: str, port: int, *, alive: Checks, ready: Checks, metrics: Callable[[], str]) -> None:
        self._address = host, port
        self._alive, self._ready, self._metrics = alive, ready, metrics
        self.chronicle: Chronicle | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Begins to listen; the port, which differs from the one asked for if that was 0.

        Raises:
            OSError: the address cannot be had.
        """
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._tell_alive),
                web.get("/livez", self._tell_alive),
                web.get("/readyz", self._tell_ready),
                web.get("/metrics", self._tell_metrics),
                web.get("/decisions", self._tell_decisions),
            ]
        )
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=0.5,
            handler_cancellation=True,  # a follower that left is told by nothing else as long as nothing is written
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._address).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _tell_alive(self, _: web.Request) -> web.Response:
        return _verdict(self._alive())

    async def _tell_ready(self, _: web.Request) -> web.Response:
        return _verdict(self._ready())

    async def _tell_metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=self._metrics(), content_type="text/plain", charset="utf-8")

    async def _tell_decisions(self, request: web.Request) -> web.StreamResponse:
        if self.chronicle is None:
            return web.json_response({"message": "not started yet"}, status=503)
        since = request.query.get("since", "0")
        if not since.isdecimal():
            return web.json_response({"message": "since is not a number"}, status=400)
        if request.query.get("run", self.chronicle.run) != self.chronicle.run:
            since = "0"  # the number is another operator's, which was here before
        wanted = _wanted(request.query.get("namespace", ""), request.query.get("name", ""))
        if request.query.get("watch") not in ("1", "true"):
            found = [entry.to_json() for entry in self.chronicle.since(int(since), wanted)]
            return web.json_response(found)
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        async for entry in self.chronicle.follow(int(since), wanted):
            await answer.write(json.dumps(entry.to_json()).encode() + b"\n")
        return answer


def _wanted(namespace: str, name: str) -> Wanted:
    def matches(entry: Entry) -> bool:
        key = entry.decision.key
        return namespace in ("", key.namespace) and name in ("", key.name)

    return matches


def _verdict(checks: tuple[Check, ...]) -> web.Response:
    ok = all(check.ok for check in checks)
    body = {"ok": ok, "checks": {check.name: {"ok": check.ok, "detail": check.detail} for check in checks}}
    return web.json_response(body, status=200 if ok else 503)
