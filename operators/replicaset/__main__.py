"""`python -m operators.replicaset`: what `kcompanion operator run` becomes, and what the container runs.

Ends with 0 when asked to (SIGTERM, SIGINT), 1 when the Lease was lost, 2 for wrong usage, 3 when there is no way to
the API server.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence

from kcompanion.errors import CompanionError
from kcompanion.render.clean import clean
from operators.replicaset import edge, logs
from operators.replicaset.lease import LostLease
from operators.replicaset.login import Logins
from operators.replicaset.settings import parse
from operators.replicaset.thread import EngineThread
from operators.replicaset.witness import Witness


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the operator until it ends; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until Kopf has its own handlers
    settings = parse(list(sys.argv[1:] if arguments is None else arguments))
    logs.set_up(settings.log_level)
    # JSON holds no cycles, and looking for some among the objects of a list takes longer than parsing it
    gc.set_threshold(50_000, 20, 50)
    log = logs.Log("operator")
    try:
        logins = Logins(settings.connection)
        witness = Witness()
        engine = EngineThread(settings, logins, witness)
        asyncio.run(edge.Frame(settings, engine, logins, witness).live())
    except CompanionError as error:
        return _refused(error)
    ended = engine.stop()
    failure = engine.failure
    if isinstance(failure, CompanionError):
        return _refused(failure)
    if isinstance(failure, LostLease):
        log.error("lost the lease", reason=str(failure))
        return 1
    if failure is not None:
        log.error("ended by an internal error", error=f"{type(failure).__name__}: {failure}")
        return 1
    log.info("ended" if ended else "ended without waiting any longer")
    return 0


def _refused(error: CompanionError) -> int:
    print(f"error: {clean(error.text)}", file=sys.stderr)  # noqa: T201 - for the person who started it
    if error.hint:
        print(f"  → {clean(error.hint)}", file=sys.stderr)  # noqa: T201 - as above
    return error.exit_code


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)  # threads of exec plugins or of a stuck engine must not keep the process
