"""Candidates for one Lease on a small real server; the clock is the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster.connect import Target
from operators.replicaset import lease
from operators.replicaset.client import Client
from operators.replicaset.lease import Election, LostLease, Timing
from operators.replicaset.login import Logins
from operators.replicaset.logs import Log
from tests.operators.loops import in_loop, until
from tests.servers import Answer, Api, Request, refusal, serving, write_kubeconfig

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
LEASE = f"{LEASES}/kcompanion-test"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Leases:
    """One Lease, with the API server's rule: who writes must have seen the last version."""

    lease: dict[str, Any] | None = None
    version: int = 0
    down: bool = False
    writes: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if self.down:
            return refusal(500, "etcdserver: request timed out")
        if request.method == "GET":
            return Answer(self.lease) if self.lease else refusal(404, "not found")
        body = json.loads(request.body)
        if request.method == "POST" and self.lease:
            return refusal(409, "exists")
        if request.method == "PUT" and not self.lease:
            return refusal(404, "not found")
        if request.method == "PUT" and self.lease and body["metadata"]["resourceVersion"] != str(self.version):
            return refusal(409, "the object has been modified")
        self.version += 1
        self.lease = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}}
        self.writes.append(body["spec"]["holderIdentity"])
        return Answer(self.lease, 201 if request.method == "POST" else 200)


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as server:
        yield server


@pytest.fixture
def leases(api: Api) -> Leases:
    kept = Leases()
    api.answers[LEASES] = api.answers[LEASE] = kept
    return kept


@asynccontextmanager
async def candidates(api: Api, folder: Path, clock: Clock, *names: str) -> AsyncIterator[list[Election]]:
    config = write_kubeconfig(folder / "config", api.url)
    client = Client(Logins(Target(kubeconfig=str(config))))
    # renewals come quickly, durations are the usual ones and pass by the test's clock
    timing = Timing(duration=15, deadline=10, retry=0.01)
    try:
        yield [
            Election(client, "kube-system", "kcompanion-test", name, Log("test"), timing=timing, clock=clock)
            for name in names
        ]
    finally:
        await client.close()


@in_loop
async def test_the_first_becomes_the_leader_and_the_second_waits(api: Api, leases: Leases, tmp_path: Path) -> None:
    async with candidates(api, tmp_path, Clock(), "a", "b") as (a, b):
        assert await a.attempt()
        assert not await b.attempt()
        assert (a.leading, b.leading, b.holder) == (True, False, "a")
        assert (a.left(), b.left()) == (10, 0)
    assert leases.lease is not None
    spec = leases.lease["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("a", 15, 0)


@in_loop
async def test_a_dead_leaders_lease_is_taken_only_when_it_was_not_renewed_for_its_duration(
    api: Api, leases: Leases, tmp_path: Path
) -> None:
    clock = Clock()
    async with candidates(api, tmp_path, clock, "a", "b") as (a, b):
        await a.attempt()
        assert not await b.attempt()
        clock.now += 14.9
        assert not await b.attempt()
        clock.now += 0.2
        assert await b.attempt()
        assert a.left() < 0  # and that for five seconds already
    assert leases.lease is not None
    assert leases.lease["spec"]["leaseTransitions"] == 1


@in_loop
async def test_a_candidate_who_comes_late_waits_a_whole_duration(api: Api, leases: Leases, tmp_path: Path) -> None:
    """It cannot know how old the last renewal is: clocks of two machines are not compared."""
    clock = Clock()
    async with candidates(api, tmp_path, clock, "a", "b") as (a, b):
        await a.attempt()
        clock.now += 100
        assert not await b.attempt()
        clock.now += 15.1
        assert await b.attempt()


@in_loop
async def test_renewing_keeps_it(api: Api, leases: Leases, tmp_path: Path) -> None:
    clock = Clock()
    async with candidates(api, tmp_path, clock, "a", "b") as (a, b):
        await a.attempt()
        holding = asyncio.create_task(a.hold())
        for _ in range(5):
            clock.now += 4
            count = len(leases.writes)
            while len(leases.writes) < count + 2:
                await asyncio.sleep(0.01)
            assert not await b.attempt()
            assert a.left() > 5
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
    assert set(leases.writes) == {"a"}


@in_loop
async def test_who_cannot_renew_in_time_stops_before_another_may_begin(
    api: Api, leases: Leases, tmp_path: Path
) -> None:
    clock = Clock()
    async with candidates(api, tmp_path, clock, "a", "b") as (a, b):
        await a.attempt()
        await b.attempt()
        leases.down = True
        holding = asyncio.create_task(a.hold())
        await asyncio.sleep(0.1)
        assert not holding.done()
        clock.now += 10.1
        with pytest.raises(LostLease, match="not renewed in time: etcdserver"):
            await holding
        assert (a.leading, a.left()) == (False, 0)
        leases.down = False
        assert not await b.attempt()  # not yet: its own fifteen seconds are not over


@in_loop
async def test_a_process_that_was_stopped_finds_another_in_its_place(api: Api, leases: Leases, tmp_path: Path) -> None:
    clock = Clock()
    async with candidates(api, tmp_path, clock, "a", "b") as (a, b):
        await a.attempt()
        await b.attempt()
        clock.now += 16  # SIGSTOP
        assert a.left() < 0  # already before it has heard of anything
        assert await b.attempt()
        with pytest.raises(LostLease, match="taken by b"):
            await a.hold()


@in_loop
async def test_a_released_lease_is_free_at_once(api: Api, leases: Leases, tmp_path: Path) -> None:
    async with candidates(api, tmp_path, Clock(), "a", "b") as (a, b):
        await a.attempt()
        await a.release()
        assert a.left() == 0
        assert await b.attempt()
    assert leases.writes == ["a", "", "b"]


@in_loop
async def test_it_is_released_although_a_renewal_was_cut_off_that_the_server_had_heard(
    api: Api, leases: Leases, tmp_path: Path
) -> None:
    async with candidates(api, tmp_path, Clock(), "a", "b") as (a, b):
        await a.attempt()
        assert leases.lease is not None
        leases.version += 1  # the renewal: its answer was not waited for
        leases.lease["metadata"]["resourceVersion"] = str(leases.version)
        await a.release()
        assert await b.attempt()
    assert leases.writes == ["a", "", "b"]


@in_loop
async def test_it_is_released_when_the_server_answers_again(api: Api, leases: Leases, tmp_path: Path) -> None:
    async with candidates(api, tmp_path, Clock(), "a") as (a,):
        await a.attempt()
        leases.down = True
        releasing = asyncio.create_task(a.release())
        await until(lambda: a.refused != "")
        assert not releasing.done()
        leases.down = False
        await releasing
    assert leases.writes == ["a", ""]


@in_loop
async def test_another_who_took_it_keeps_it_and_the_end_does_not_wait_for_a_dead_server(
    api: Api, leases: Leases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "GIVING_AWAY", 0.3)
    async with candidates(api, tmp_path, Clock(), "a", "b") as (a, b):
        await a.attempt()
        leases.lease = None
        assert await b.attempt()
        await a.release()  # it does not know yet
        leases.down = True
        await b.release()
    assert leases.writes == ["a", "b"]


@in_loop
async def test_of_two_who_see_it_free_one_gets_it(api: Api, leases: Leases, tmp_path: Path) -> None:
    async with candidates(api, tmp_path, Clock(), "a", "b", "c") as all_of_them:
        got = await asyncio.gather(*(one.attempt() for one in all_of_them))
        assert sum(got) == 1
        await asyncio.gather(*(one.attempt() for one in all_of_them))
        assert sum(one.leading for one in all_of_them) == 1


@in_loop
async def test_a_lease_that_was_deleted_is_made_anew(api: Api, leases: Leases, tmp_path: Path) -> None:
    async with candidates(api, tmp_path, Clock(), "a", "b") as (a, b):
        await a.attempt()
        holding = asyncio.create_task(a.hold())
        leases.lease = None  # kubectl delete lease
        await until(lambda: leases.lease is not None or holding.done())
        assert not holding.done()
        assert not await b.attempt()
        assert b.holder == "a"
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
    assert leases.lease is not None
    assert leases.lease["spec"]["acquireTime"]  # an empty one the API server would refuse


@in_loop
async def test_a_deleted_lease_that_another_made_anew_is_lost(api: Api, leases: Leases, tmp_path: Path) -> None:
    async with candidates(api, tmp_path, Clock(), "a", "b") as (a, b):
        await a.attempt()
        leases.lease = None
        assert await b.attempt()
        with pytest.raises(LostLease, match="taken by b"):
            await a.hold()


@in_loop
async def test_a_refusal_is_kept_until_the_lease_can_be_had(api: Api, leases: Leases, tmp_path: Path) -> None:
    async with candidates(api, tmp_path, Clock(), "a") as (a,):
        api.answers[LEASE] = refusal(403, "leases is forbidden")
        assert not await a.attempt()
        assert (a.refused, a.forbidden) == ("leases is forbidden", True)
        api.answers[LEASE] = leases
        assert await a.attempt()
        assert (a.refused, a.forbidden) == ("", False)
