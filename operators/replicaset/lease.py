"""Leader election: of all instances for one target, only the holder of the Lease acts.

The rules and times are client-go's (leaderelection.go): a Lease counts as run out when *we* have not seen it change
for its duration, so clocks need not agree. What is added is the fence: `left()` says for how many seconds we may
still write. It ends with the renew deadline, five seconds before another may take over, also when this process was
stopped (SIGSTOP) and does not know yet what it has missed.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from kcompanion.model.fields import dig, text_at
from kcompanion.model.resources import LEASES
from kcompanion.reconcile.requests import Answer
from operators.replicaset.client import Client
from operators.replicaset.logs import Log

LAST_TRY = 1.0  # seconds for a renewal when the deadline is near or past, as after SIGSTOP: it also tells who leads now
GIVING_AWAY = 3.0  # seconds for the last write and, where it fails, for more of it; after that the Lease just runs out
PAUSE = 0.1  # seconds between those


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, as kube-controller-manager's defaults: duration, renew deadline, retry period."""

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0


class LostLease(Exception):
    """We were the leader, and are it no longer."""


class Election:
    """One candidate for one Lease."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        name: str,
        identity: str,
        log: Log,
        *,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self.holder = ""  # whom we saw last
        self.leading = False
        self.since = 0.0  # when we became the leader
        self.transitions = 0
        self.refused = ""  # why the Lease could not be read or written, for /readyz
        self.forbidden = False  # it was for want of rights
        self._client, self._log, self._clock = client, log, clock
        self._collection = LEASES.path(namespace)
        self._path = LEASES.path(namespace, name)
        self._namespace, self._name = namespace, name
        self._timing = timing or Timing()
        self._seen: Mapping[str, Any] = {}
        self._seen_at = 0.0
        self._renewed = 0.0

    def left(self) -> float:
        """Seconds for which we may write; 0 or less when we may not."""
        return self._renewed + self._timing.deadline - self._clock() if self.leading else 0.0

    async def acquire(self) -> None:
        """Waits until the Lease is ours."""
        while not await self.attempt():
            usual = self._timing.retry * random.uniform(1.0, 2.2)  # noqa: S311 - JitterFactor 1.2, so as not to collide
            await asyncio.sleep(min(usual, max(0.1, self._runs_out() - self._clock() + 0.05)))

    async def attempt(self) -> bool:
        """Whether the Lease is ours, now or by one try."""
        if self.leading:
            return True
        if not await self._try():
            return False
        self.leading, self.since = True, self._clock()
        self._log.info("became the leader", lease=self._name, identity=self.identity)
        return True

    async def hold(self) -> None:
        """Renews the Lease until it cannot be renewed in time.

        Raises:
            LostLease: another took it, or the renew deadline went by. `left` was 0 before.
        """
        while True:
            await asyncio.sleep(min(self._timing.retry, max(0.0, self.left())))
            if await self._try():
                continue
            taken = self.holder not in ("", self.identity)
            if taken or self.left() <= 0:
                self.leading = False
                raise LostLease(f"taken by {self.holder}" if taken else f"not renewed in time: {self.refused}")

    async def release(self) -> None:
        """Lets the next one take over at once; called when nothing is written any more.

        A renewal that was cut off may have been heard. Then the version that we know is not the last one, the first
        write is refused for it (409), and the next one is made of what is there now.
        """
        if not self.leading:
            return
        self.leading = False
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVING_AWAY):
                while self._seen and self.holder == self.identity:  # not deleted, nor taken: free already
                    free = {**self._record(), "holderIdentity": "", "leaseDurationSeconds": 1}
                    if not await self._write("PUT", self._path, {**self._seen, "spec": free}, limit=GIVING_AWAY):
                        await asyncio.sleep(PAUSE)

    async def _try(self) -> bool:
        """One attempt to take or to renew the Lease."""
        began = self._clock()
        limit = self._timing.deadline / 2
        if self.leading:
            limit = max(LAST_TRY, min(self.left(), limit))
        if not self.leading or not self._seen:
            answer = await self._client.ask("GET", self._path, limited=False, timeout=limit)
            if answer.code == 404:
                return await self._create(began, limit)
            if not answer.ok:
                return self._refuse(answer)
            self._observe(answer.body)
            if not self._free():
                self.refused, self.forbidden = "", False
                return False
        return await self._write("PUT", self._path, {**self._seen, "spec": self._record()}, began=began, limit=limit)

    def _free(self) -> bool:
        return self.holder in ("", self.identity) or self._clock() > self._runs_out()

    def _runs_out(self) -> float:
        """When another's Lease is free, if it is not renewed."""
        duration = dig(self._seen, "spec", "leaseDurationSeconds")
        return self._seen_at + (duration if isinstance(duration, int) else self._timing.duration)

    async def _create(self, began: float, limit: float) -> bool:
        lease = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._record(),
        }
        return await self._write("POST", self._collection, lease, began=began, limit=limit)

    async def _write(
        self, method: str, path: str, lease: Mapping[str, Any], *, limit: float, began: float | None = None
    ) -> bool:
        body = json.dumps(lease).encode()
        answer = await self._client.ask(method, path, body, limited=False, fenced=False, timeout=limit)
        if answer.ok:
            self._observe(answer.body)
            self._renewed = self._clock() if began is None else began
            self.refused, self.forbidden = "", False
            return True
        if answer.code == 404:  # somebody deleted it: the next try makes it anew, unless another did
            self._seen = {}
        self._refuse(answer)
        if answer.code == 409:  # somebody else wrote: look who
            found = await self._client.ask("GET", self._path, limited=False, timeout=limit)
            if found.ok:
                self._observe(found.body)
        return False

    def _refuse(self, answer: Answer) -> Literal[False]:
        """Keeps why there was no getting at the Lease, and tells it when it is news."""
        if answer.message != self.refused and answer.code != 409:  # another was quicker: no trouble
            said = f"{answer.code or 'no answer'}: {answer.message}"
            self._log.warning("the Lease cannot be had", lease=f"{self._namespace}/{self._name}", said=said)
        self.refused, self.forbidden = answer.message, answer.code == 403
        return False

    def _observe(self, lease: Mapping[str, Any]) -> None:
        if lease.get("spec") != self._seen.get("spec"):
            self._seen_at = self._clock()
        holder = text_at(lease, "spec", "holderIdentity")
        if holder and holder != self.identity and holder != self.holder:
            self._log.info("another instance leads", lease=self._name, holder=holder)
        transitions = dig(lease, "spec", "leaseTransitions")
        self.transitions = transitions if isinstance(transitions, int) else 0
        self._seen, self.holder = lease, holder

    def _record(self) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        ours = self.holder == self.identity
        taken_over = bool(self._seen) and not ours
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self._timing.duration),
            "acquireTime": (ours and text_at(self._seen, "spec", "acquireTime")) or now,
            "renewTime": now,
            "leaseTransitions": self.transitions + taken_over,
        }
