"""The thread in which the engine runs, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from kcompanion.errors import CompanionError
from operators.replicaset.engine import Engine
from operators.replicaset.lease import LostLease
from operators.replicaset.login import Logins
from operators.replicaset.settings import Settings
from operators.replicaset.witness import Witness

PATIENCE = 7.0  # seconds for the engine to end; whoever sent SIGTERM waits ten


class EngineThread:
    """Started once, stopped once; `on_end` is called, in that thread, when it ends by itself or by `stop`."""

    def __init__(self, settings: Settings, logins: Logins, witness: Witness) -> None:
        self.on_end: Callable[[], object] = lambda: None
        self.failure: BaseException | None = None
        self._settings, self._logins, self._witness = settings, logins, witness
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._task: asyncio.Task[None] | None = None
        self._last: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Does nothing if it runs already: Kopf may be started more than once."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> bool:
        """Lets what was sent be answered, then ends; whether it ended in time."""
        if self._thread.ident is None:
            return True
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._wind_down)
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def _wind_down(self) -> None:
        if self._engine is None or self._task is None:
            return
        task = self._task

        async def then_cancel(engine: Engine) -> None:
            await engine.finish()
            task.cancel()

        self._last = asyncio.ensure_future(then_cancel(self._engine))

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - told by whoever looks at `failure`
            self.failure = _innermost(error)
        with suppress(RuntimeError):  # whoever waited for it has ended first
            self.on_end()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._engine = Engine(self._settings, self._logins, self._witness)
        self._task = asyncio.current_task()
        await self._engine.run()


def _innermost(error: BaseException) -> BaseException:
    """The error that ended a group of tasks: a lost Lease before all others, since it was the cause of them."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_innermost(one) for one in error.exceptions]
    return next((one for one in leaves if isinstance(one, LostLease | CompanionError)), leaves[0])
