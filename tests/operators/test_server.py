"""What the operator says of itself: probes, decisions as they are made, and the second pair of eyes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from kcompanion.cluster.decisions import Decisions
from kcompanion.reconcile.decision import Action, Decision
from kcompanion.reconcile.moments import SECOND
from kcompanion.reconcile.owner import replicaset_of
from kcompanion.reconcile.target import COMPANION, Key
from operators.replicaset.chronicle import KEPT, Chronicle
from operators.replicaset.server import Check, Server
from operators.replicaset.witness import LATE, Witness
from tests.operators.loops import in_loop, until
from tests.reconcile.build import NOW

WEB, API = Key("shop", "web"), Key("shop", "api")


def created(key: Key, *names: str) -> Decision:
    return Decision(key, action=Action.CREATE, count=len(names), created=names)


class Told:
    """A server, its chronicle, and what its checks say at the moment."""

    def __init__(self) -> None:
        self.chronicle = Chronicle(lambda: NOW)
        self.alive: tuple[Check, ...] = (Check("watch-pods", ok=True, detail="heard 1 s ago"),)
        self.ready: tuple[Check, ...] = (Check("lease", ok=False, detail="not read yet"),)
        self.server = Server(
            "127.0.0.1", 0, alive=lambda: self.alive, ready=lambda: self.ready, metrics=lambda: "m 1\n"
        )
        self.server.chronicle = self.chronicle


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Told, aiohttp.ClientSession]]:
    told = Told()
    port = await told.server.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield told, session
    await told.server.stop()


async def asked(session: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with session.get(path) as answer:
        return answer.status, await answer.json()


@in_loop
async def test_probes_name_each_check() -> None:
    async with served() as (told, session):
        for path in ("/healthz", "/livez"):
            assert (await asked(session, path))[0] == 200
        code, body = await asked(session, "/readyz")
        assert (code, body) == (503, {"ok": False, "checks": {"lease": {"ok": False, "detail": "not read yet"}}})
        told.ready = (Check("lease", ok=True, detail="leader"),)
        assert (await asked(session, "/readyz"))[0] == 200
        told.alive = (*told.alive, Check("watch-crs", ok=False))
        assert (await asked(session, "/healthz"))[0] == 503
        async with session.get("/metrics") as answer:
            assert (answer.status, await answer.text()) == (200, "m 1\n")


@in_loop
async def test_decisions_are_numbered_and_can_be_chosen_from() -> None:
    async with served() as (told, session):
        told.chronicle.add(created(WEB, "web-1"))
        told.chronicle.add(created(API, "api-1"))
        told.chronicle.add(created(WEB, "web-2"))
        told.chronicle.add(Decision(WEB))  # nothing was done
        assert [entry["seq"] for entry in (await asked(session, "/decisions"))[1]] == [1, 2, 3]
        _, found = await asked(session, "/decisions?namespace=shop&name=web&since=1")
        assert [(entry["seq"], entry["decision"]["created"]["first"]) for entry in found] == [(3, ["web-2"])]
        assert (await asked(session, "/decisions?namespace=elsewhere")) == (200, [])
        assert (await asked(session, "/decisions?since=x"))[0] == 400


@in_loop
async def test_decisions_can_be_followed_and_none_is_skipped() -> None:
    async with served() as (told, session):
        told.chronicle.add(created(WEB, "web-0"))
        async with session.get("/decisions?watch=1&name=web") as answer:
            for number in range(5):
                line = json.loads(await answer.content.readline())
                assert line["decision"]["created"]["first"] == [f"web-{number}"]
                told.chronicle.add(created(API, "other"))
                told.chronicle.add(created(WEB, f"web-{number + 1}"))


def test_the_chronicle_forgets_the_oldest() -> None:
    chronicle = Chronicle(lambda: NOW)
    for number in range(KEPT + 5):
        chronicle.add(created(WEB, str(number)))
    kept = chronicle.since(0, lambda _: True)
    assert (len(kept), kept[0].seq, kept[-1].seq) == (KEPT, 6, KEPT + 5)


@pytest.mark.parametrize(("ours", "late"), [(None, True), (4, True), (5, False), (6, False)])
def test_a_watch_that_lags_behind_kopfs_is_noticed(ours: int | None, late: bool) -> None:
    now = 0.0
    witness = Witness(lambda: now)
    witness.note(WEB, 5, gone=False)
    metadata = {"namespace": "shop", "name": "web", "uid": "u", "resourceVersion": str(ours)}
    known = None if ours is None else replicaset_of(COMPANION, {"metadata": metadata, "spec": {}})
    assert witness.late(lambda _: known) is None  # it may still come
    now = LATE + 1
    assert witness.late(lambda _: known) == (WEB if late else None)
    assert witness.late(lambda _: known) is None  # told once


def test_what_is_gone_cannot_be_late() -> None:
    now = 0.0
    witness = Witness(lambda: now)
    witness.note(WEB, 5, gone=False)
    witness.note(WEB, 6, gone=True)
    now = LATE + SECOND
    assert witness.late(lambda _: None) is None


@in_loop
async def test_who_followed_another_run_of_the_operator_is_told_all_of_this_one() -> None:
    async with served() as (told, session):
        for number in range(3):
            told.chronicle.add(created(WEB, f"web-{number}"))
        run = (await asked(session, "/decisions"))[1][0]["run"]
        assert [entry["seq"] for entry in (await asked(session, f"/decisions?since=2&run={run}"))[1]] == [3]
        assert [entry["seq"] for entry in (await asked(session, "/decisions?since=2&run=before"))[1]] == [1, 2, 3]


@in_loop
async def test_a_follower_who_leaves_is_let_go_though_nothing_is_told_to_him() -> None:
    async with served() as (told, session):
        alone = len(asyncio.all_tasks())
        for _ in range(5):
            answer = await session.get("/decisions?watch=1&name=quiet")
            told.chronicle.add(created(API, "other"))
            answer.close()
        await until(lambda: len(asyncio.all_tasks()) <= alone)


@in_loop
async def test_an_operator_that_is_started_anew_at_the_same_place_is_followed_on() -> None:
    first, second = Told(), Told()
    for name in ("web-1", "web-2"):
        first.chronicle.add(created(WEB, name))
    port = await first.server.start()
    follower, seen = Decisions(lambda: f"http://127.0.0.1:{port}/decisions", "shop", "web"), list[str]()

    def has(name: str) -> bool:
        for entry in follower.new():
            seen.extend(entry["decision"]["created"]["first"] if "seq" in entry else ())
        return name in seen

    await asyncio.to_thread(follower.start)
    first.chronicle.add(created(WEB, "web-3"))
    await until(lambda: has("web-3"))
    await first.server.stop()
    second.server._address = "127.0.0.1", port
    second.chronicle.add(created(WEB, "web-4"))  # its first, before anybody is back to follow it
    await second.server.start()
    await until(lambda: has("web-4"), 20)
    follower.stop()
    await second.server.stop()
    assert seen == ["web-3", "web-4"]
