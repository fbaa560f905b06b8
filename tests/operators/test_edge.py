"""Kopf as the frame of the engine: what the two may do to each other. The rest is in test_operator_process.py, live."""

from __future__ import annotations

import asyncio
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import kopf
import pytest

from kcompanion.cluster.connect import Target
from operators.replicaset import edge
from operators.replicaset.login import Logins
from operators.replicaset.settings import Settings
from operators.replicaset.thread import EngineThread
from operators.replicaset.witness import Witness
from tests.operators.loops import in_loop, until
from tests.servers import write_kubeconfig


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """With what the process would have been ended."""
    found: list[int] = []
    monkeypatch.setattr(os, "_exit", found.append)
    return found


@pytest.fixture
def frame(codes: list[int], tmp_path: Path) -> edge.Frame:  # codes: its last resort would end the tests
    """Around an engine that is never started: nobody listens at the address."""
    config = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    settings, witness = Settings(connection=Target(kubeconfig=str(config))), Witness()
    logins = Logins(settings.connection)
    return edge.Frame(settings, EngineThread(settings, logins, witness), logins, witness)


def test_kopf_is_started_again_with_longer_and_longer_pauses(
    frame: edge.Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[float] = []

    async def crash(**_: Any) -> None:
        began.append(time.monotonic())
        if len(began) == 4:
            frame._end()
        raise OSError("the watch broke")

    monkeypatch.setattr(kopf, "operator", crash)
    monkeypatch.setattr(edge, "FIRST_PAUSE", 0.05)
    asyncio.run(asyncio.wait_for(frame.live(), 30))
    pauses = [later - earlier for earlier, later in pairwise(began)]
    assert len(began) == 4
    assert all(pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True))
    assert frame._witness.state == "ended: OSError"


def test_without_an_engine_the_process_ends_though_kopf_does_not(
    frame: edge.Frame, codes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "LINGER", 0.1)

    async def never_end(**_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(kopf, "operator", never_end)

    @in_loop
    async def live() -> None:
        living = asyncio.ensure_future(frame.live())
        await asyncio.sleep(0.05)
        frame._engine.on_end()
        await until(lambda: codes)
        living.cancel()

    live()
    assert codes == [1]
