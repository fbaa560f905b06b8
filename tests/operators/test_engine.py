"""The engine before a small server: what it does at the start, and how ready it calls itself."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target
from kcompanion.errors import UsageError
from operators.replicaset.client import WatchEnded
from operators.replicaset.engine import STUCK, Engine
from operators.replicaset.login import Logins
from operators.replicaset.reflector import SILENCE
from operators.replicaset.settings import Settings
from operators.replicaset.witness import Witness
from tests.operators.loops import in_loop
from tests.servers import Answer, refusal, serving, write_kubeconfig


@asynccontextmanager
async def engine(folder: Path, url: str, settings: Settings) -> AsyncIterator[Engine]:
    logins = Logins(Target(kubeconfig=str(write_kubeconfig(folder / "config", url))))
    made = Engine(settings, logins, Witness())
    try:
        yield made
    finally:
        await made._client.close()


@in_loop
async def test_who_may_not_reach_the_shared_lease_is_told_what_to_do(tmp_path: Path) -> None:
    with serving() as api:
        api.answers["/version"] = Answer({})
        api.otherwise = refusal(403, "leases is forbidden")
        with pytest.raises(UsageError, match=r"kube-system/kcompanion-.*forbidden") as refused:
            async with engine(tmp_path, api.url, Settings(namespace="shop")) as made:
                await made.run()
    assert "--lease-namespace shop" in refused.value.hint


@in_loop
async def test_a_blind_watch_makes_it_unready_but_not_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first list everything is refused: an answer each time, but nothing is seen any more."""
    later = 0.0
    async with engine(tmp_path, "http://127.0.0.1:1", Settings(elect=False)) as made:
        pods, _ = made.reflectors
        monkeypatch.setattr(pods, "_clock", lambda: time.monotonic() + later)

        def cache() -> tuple[bool, str]:
            check = next(check for check in made._ready() if check.name == "cache-pods")
            return check.ok, check.detail

        pods.synced.set()
        assert cache() == (True, "synced")
        pods._fail(WatchEnded(403, "pods is forbidden"), lived=False, listed=False)
        later = SILENCE * STUCK - 60
        pods._fail(WatchEnded(403, "pods is forbidden"), lived=False, listed=False)
        assert cache()[0]  # an outage ends, and readiness does not flap
        later += 61
        pods._fail(WatchEnded(403, "pods is forbidden"), lived=False, listed=True)
        ok, detail = cache()
        assert not ok
        assert detail.endswith("403: pods is forbidden")
        assert all(check.ok for check in made.alive())  # another start would not help
