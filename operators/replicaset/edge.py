"""Kopf at the edge: it is the frame in which the engine lives, and the only place that knows kopf.

Kopf carries the life of the process: signals, start-up and clean-up, the login (its own, with our credentials), and
the handler of our kind. Its probes are not used: they would tell that Kopf's loop runs, and the work is done in
another; /healthz and /readyz are the engine's own. Only `on.event` is used: any other handler would make Kopf write
annotations or finalizers on the objects, and a ReplicaSet's main resource is never written here.

The engine runs in a thread with a loop of its own. Kopf ends, and then cancels every task of its loop, when one of
its watches gets an ERROR event (1.45.2); it is started again, and the engine does not notice.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import suppress
from typing import Any

import aiohttp
import kopf

from kcompanion.model.fields import name_of, namespace_of
from kcompanion.reconcile.pod import version_of
from kcompanion.reconcile.target import COMPANION, Key
from operators.replicaset.login import Logins
from operators.replicaset.logs import Log
from operators.replicaset.settings import Settings
from operators.replicaset.thread import EngineThread
from operators.replicaset.witness import Witness

FIRST_PAUSE, LAST_PAUSE = 1.0, 30.0  # before Kopf is started again
LINGER = 9.0  # seconds that Kopf has to end once the engine has; whoever asked for the end waits ten
_LOG = Log("edge")


class NoDiffs(kopf.DiffBaseStorage):
    """Kopf keeps and compares no copies: it would spend half a millisecond of each event on what nobody asks for."""

    def build(self, **_: Any) -> Any:  # noqa: ANN401 - kopf's signature
        return {}

    def fetch(self, **_: Any) -> Any:  # noqa: ANN401 - as above
        return None

    def store(self, **_: Any) -> None:  # noqa: ANN401 - as above
        """Keeps nothing."""


class Frame:
    """Kopf around one engine, as often as it takes."""

    def __init__(self, settings: Settings, engine: EngineThread, logins: Logins, witness: Witness) -> None:
        self._settings, self._engine, self._logins, self._witness = settings, engine, logins, witness
        self._ending = asyncio.Event()
        self._round = asyncio.Event()  # kopf's stop flag; a threading.Event it would wait for in a thread for ever

    async def live(self) -> None:
        """Runs Kopf until a signal or the engine asks for the end; starts it again when it ends by itself."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        self._engine.on_end = lambda: loop.call_soon_threadsafe(self._end)
        while not self._ending.is_set():
            began, self._round = loop.time(), asyncio.Event()
            try:
                await self._run_kopf()
                return
            except Exception as error:  # noqa: BLE001 - whatever Kopf ends of, the engine goes on
                self._witness.state = f"ended: {type(error).__name__}"
                _LOG.warning("kopf ended by itself; it is started again", error=f"{type(error).__name__}: {error}")
            pause = FIRST_PAUSE if loop.time() - began > LAST_PAUSE else min(pause * 2, LAST_PAUSE)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._end)  # Kopf's own are gone
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause)

    def _end(self) -> None:
        self._ending.set()
        self._round.set()
        # a process without an engine must not live on because Kopf does not end
        last_resort = threading.Timer(LINGER, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()

    async def _run_kopf(self) -> None:
        namespace = self._settings.namespace
        await kopf.operator(
            registry=self._registry(),
            settings=_kopf_settings(),
            standalone=True,
            clusterwide=not namespace,
            namespaces=[namespace] if namespace else [],
            stop_flag=self._round,
        )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        sessions: list[aiohttp.ClientSession] = []

        @kopf.on.startup(id="start", registry=registry)
        async def start(**_: Any) -> None:  # noqa: ANN401 - kopf passes what it has
            self._engine.start()  # and no waiting for the Lease: Kopf serves nothing before its start-up is over
            self._witness.state = "running"

        @kopf.on.cleanup(id="clean-up", registry=registry)
        async def clean_up(**_: Any) -> None:  # noqa: ANN401 - as above
            self._witness.state = "ended"
            self._round.set()  # else Kopf's own task that waits for it would hold up the end for 5 s
            for session in sessions:
                await session.close()

        @kopf.on.login(id="log-in", registry=registry)
        async def log_in(**_: Any) -> kopf.AiohttpSession:  # noqa: ANN401 - as above
            login = await asyncio.to_thread(self._logins.again)
            session = aiohttp.ClientSession(
                headers=login.headers, connector=aiohttp.TCPConnector(ssl=login.context or True), proxy=login.proxy
            )
            sessions.append(session)
            return kopf.AiohttpSession(server=login.server, aiohttp_session=session, default_namespace=login.namespace)

        if self._settings.target == COMPANION:
            _note_our_kind(registry, self._witness)
        return registry


def _kopf_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True  # a Lease elects; Kopf's peering has no fence and pauses both of two equals
    settings.scanning.disabled = True  # the kind is known; scanning needs rights on CRDs and namespaces
    settings.posting.enabled = False  # events are written by our recorder only
    settings.persistence.diffbase_storage = NoDiffs()
    settings.watching.inactivity_timeout = 75
    return settings


def _note_our_kind(registry: kopf.OperatorRegistry, witness: Witness) -> None:
    @kopf.on.event(COMPANION.group, COMPANION.version, COMPANION.plural, registry=registry)
    async def note(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 - as above
        """Notes what was seen. It returns nothing, for Kopf would write that into the status."""
        item = event["object"]
        key = Key(namespace_of(item), name_of(item))
        witness.note(key, version_of(item), gone=event["type"] == "DELETED")
