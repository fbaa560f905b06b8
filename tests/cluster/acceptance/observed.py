"""What an independent observer sees: one watch of pods and one of each kind of owner, told apart by namespace."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp

from tests.cluster.acceptance.api import Api, ApiError, Object

PATIENCE = 60.0  # seconds; a machine that is busy with other tests is slow, not wrong
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Change:
    """One event of a watch."""

    at: float  # seconds on the monotonic clock
    type: str  # ADDED, MODIFIED, DELETED
    resource: str
    object: Object

    @property
    def name(self) -> str:
        return str(self.object["metadata"]["name"])


@dataclass
class Space:
    """What is and what was in one namespace."""

    objects: dict[str, dict[str, Object]] = field(default_factory=lambda: defaultdict(dict))  # resource, uid
    history: list[Change] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, look: Callable[[], _Found], what: str, patience: float = PATIENCE) -> _Found:
        """Looks again after every event until it finds something true, and returns that."""
        end = time.monotonic() + patience
        while not (found := look()):
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), end - time.monotonic())
            except TimeoutError:
                raise AssertionError(f"not within {patience:.0f} s: {what}; there is {self.summary()}") from None
        return found

    def summary(self) -> str:
        """One line for each object: what a failing case has to show."""
        lines = []
        for resource, objects in self.objects.items():
            for one in objects.values():
                meta, status = one["metadata"], dict(one.get("status") or {})
                status.pop("containerStatuses", None)
                wanted = (one.get("spec") or {}).get("replicas")
                lines.append(
                    f"{resource}/{meta['name']} {'deleting ' * ('deletionTimestamp' in meta)}{wanted} {status}"
                )
        return "\n  " + "\n  ".join(lines)


class Observer:
    """Follows resources of the whole cluster; `spaces` holds what it saw."""

    def __init__(self, api: Api, paths: dict[str, str]) -> None:
        self._api = api
        self._paths = paths  # resource to path
        self.spaces: dict[str, Space] = defaultdict(Space)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Observer:
        listed = [asyncio.Event() for _ in self._paths]
        for (resource, path), ready in zip(self._paths.items(), listed, strict=True):
            self._tasks.append(asyncio.create_task(self._follow(resource, path, ready)))
        for ready in listed:
            await asyncio.wait_for(ready.wait(), PATIENCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, resource: str, path: str, ready: asyncio.Event) -> None:
        while True:
            try:
                version = await self._relist(resource, path)
                ready.set()
                while version:
                    version = await self._stream(resource, path, version)
            except (aiohttp.ClientError, ApiError, TimeoutError):
                await asyncio.sleep(0.5)

    async def _relist(self, resource: str, path: str) -> str:
        listed = await self._api.get(path)
        seen: dict[str, set[str]] = defaultdict(set)
        for one in listed["items"]:
            seen[one["metadata"]["namespace"]].add(one["metadata"]["uid"])
            self._note("MODIFIED", resource, one)
        for name, space in self.spaces.items():
            for uid, one in list(space.objects[resource].items()):
                if uid not in seen[name]:
                    self._note("DELETED", resource, one)
        return str(listed["metadata"]["resourceVersion"])

    async def _stream(self, resource: str, path: str, version: str) -> str:
        """Follows one watch to its end and returns where the next one begins, empty if a list has to come first."""
        async with self._api.watch(path, version) as answer:
            if answer.status != 200:
                return ""
            rest = b""
            async for piece in answer.content.iter_any():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return ""
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        self._note(event["type"], resource, event["object"])
        return version

    def _note(self, type_: str, resource: str, found: Object) -> None:
        space = self.spaces[found["metadata"]["namespace"]]
        uid = found["metadata"]["uid"]
        if type_ == "DELETED":
            space.objects[resource].pop(uid, None)
        else:
            space.objects[resource][uid] = found
        space.history.append(Change(time.monotonic(), type_, resource, found))
        space.changed.set()
