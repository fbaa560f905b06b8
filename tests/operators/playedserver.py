"""A small server that plays one collection of the API, with versions, pages and watches as the real one has them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Object = dict[str, Any]


class PlayedServer:
    """Pods of one namespace. Every change has a version; watches start from any that is not compacted."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.version = 100
        self.compacted = 0
        self.asked: list[tuple[str, str]] = []  # method, path with query
        self.port = 0
        self._history: list[tuple[int, Object]] = []
        self._listeners: set[asyncio.Queue[Object]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, name: str, **labels: str) -> Object:
        """A pod appears, or changes."""
        kind = "MODIFIED" if name in self.objects else "ADDED"
        known = self.objects.get(name)
        uid = known["metadata"]["uid"] if known else f"uid-{name}-{self.version}"
        self.version += 1
        metadata = {"name": name, "namespace": "n", "uid": uid, "labels": labels, "resourceVersion": str(self.version)}
        self.objects[name] = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata}
        self._tell(kind, self.objects[name])
        return self.objects[name]

    def drop(self, name: str) -> None:
        """A pod vanishes."""
        self.version += 1
        gone = self.objects.pop(name)
        gone["metadata"] = {**gone["metadata"], "resourceVersion": str(self.version)}
        self._tell("DELETED", gone)

    def bookmark(self) -> None:
        self._tell("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(self.version)}})

    def compact(self) -> None:
        """Older versions can no longer be watched from."""
        self.compacted = self.version
        self._history = [entry for entry in self._history if entry[0] > self.compacted]

    def lists(self) -> int:
        return sum(
            1 for method, path in self.asked if method == "GET" and "watch=" not in path and "continue" not in path
        )

    def watches(self) -> int:
        return sum(1 for _, path in self.asked if "watch=" in path)

    def _tell(self, kind: str, item: Object) -> None:
        event = {"type": kind, "object": json.loads(json.dumps(item))}
        if kind != "BOOKMARK":
            self._history.append((self.version, event))
        for listener in self._listeners:
            listener.put_nowait(event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[PlayedServer]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs))
        if request.query.get("watch"):
            return await self._watch(request, int(request.query["resourceVersion"]))
        if request.method == "POST":
            name = f"pod-{self.version + 1}"
            return web.json_response(self.put(name), status=201)
        names = sorted(self.objects)
        start, limit = int(request.query.get("continue", "0")), int(request.query.get("limit", "0")) or len(names)
        page = names[start : start + limit]
        proceed = str(start + limit) if start + limit < len(names) else ""
        metadata = {"resourceVersion": str(self.version), "continue": proceed}
        return web.json_response({"kind": "PodList", "metadata": metadata, "items": [self.objects[n] for n in page]})

    async def _watch(self, request: web.Request, since: int) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        if since < self.compacted:
            gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
            await answer.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
            return answer
        events: asyncio.Queue[Object] = asyncio.Queue()
        for version, event in self._history:
            if version > since:
                events.put_nowait(event)
        self._listeners.add(events)
        try:
            while True:
                await answer.write(json.dumps(await events.get()).encode() + b"\n")
        finally:
            self._listeners.discard(events)
