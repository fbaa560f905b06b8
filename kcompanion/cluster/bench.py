"""A live cluster as the bench of a lesson: sends its requests, waits, and keeps secrets out of what is told."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kcompanion.cluster import scrub
from kcompanion.cluster.connect import Connection, with_token
from kcompanion.cluster.execute import NotRun, execute
from kcompanion.cluster.journal import Journal
from kcompanion.cluster.machines import Machines, Ran
from kcompanion.cluster.toolbox import Toolbox
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.errors import CompanionError, Unreachable
from kcompanion.learn.answers import Exchange, Request
from kcompanion.learn.lesson import EXEC, INVALID, LOCAL, RUN, Undo, Until
from kcompanion.learn.perform import credentials_word

EVERY = 0.2  # seconds between two looks
NOBODY = 599  # the status of a look that nobody answered
NOT_STARTED = 127  # the exit code of what could not be started, as shells have it


class Bench:
    """Asks over one connection; changes nothing whose way back the journal does not hold."""

    def __init__(
        self,
        connection: Connection,
        journal: Journal,
        timeout: float,
        machines: Machines | None = None,
        tools: Toolbox | None = None,
    ) -> None:
        self._connection = connection
        self._journal = journal
        self._timeout = timeout
        self._machines = machines  # for lessons that break them; these then wait out that nothing answers
        self._tools = tools
        self._own = Transport(connection)
        self._began = time.monotonic()

    def note(self, undo: Undo) -> None:
        """Keeps how a change is taken back."""
        self._journal.note(undo)

    def send(self, name: str, request: Request, *, managed: bool) -> Exchange:
        """One request and its answer, whatever its status.

        Raises:
            Unreachable: there was no answer.
        """
        try:
            status, body = self._answer(request)
        except TransportError as error:
            raise Unreachable(
                f"the API server did not answer {request.method} {request.path}: {error.detail}",
                "what was made is removed; if that fails too: kcompanion learn cleanup",
            ) from error
        return self._exchange(name, request, status, body, managed=managed)

    def wait(self, name: str, request: Request, until: Until, seconds: float, *, managed: bool) -> Exchange:
        """Looks until it holds or time is up."""
        return self._look(name, request, until, seconds, managed=managed, stop=lambda held: held)

    def hold(self, name: str, request: Request, until: Until, seconds: float, *, managed: bool) -> Exchange:
        """Looks until it holds no more or time is up."""
        return self._look(name, request, until, seconds, managed=managed, stop=lambda held: not held)

    def _look(
        self, name: str, request: Request, until: Until, seconds: float, *, managed: bool, stop: Callable[[bool], bool]
    ) -> Exchange:
        ends = time.monotonic() + seconds
        tries = 0
        while True:
            tries += 1
            exchange = self._looked(name, request, managed=managed)
            held = _tested(until, exchange)
            if stop(held) or time.monotonic() >= ends:
                return replace(exchange, tries=tries, held=held)
            time.sleep(EVERY)

    def _looked(self, name: str, request: Request, *, managed: bool) -> Exchange:
        """One look; where the control plane is what the lesson breaks, that nobody answers is an answer."""
        try:
            return self.send(name, request, managed=managed)
        except Unreachable as error:
            if self._machines is None:
                raise
            return self._exchange(name, request, NOBODY, {"message": str(error)}, managed=managed)

    def _answer(self, request: Request) -> tuple[int, Any]:
        """Status and body, of a request or of a command.

        Raises:
            TransportError: there was none.
            CompanionError: the command may not be run.
        """
        if request.method == RUN:
            if self._machines is None:
                raise CompanionError("this lesson runs commands on nodes without saying so", "")
            return ran(self._machines.run(request.body))
        if request.method in LOCAL:
            if self._tools is None:
                raise CompanionError("this lesson runs programs without a place for them", "")
            return self._tools.answer(request)
        if request.method == EXEC:
            return run_in_pod(self._connection, request, self._timeout)
        return ask(self._transport(request), request, self._timeout)

    def _transport(self, request: Request) -> Transport:
        if not request.credentials:
            return self._own
        token = "nobody-knows-this-token" if request.credentials == INVALID else request.credentials
        return Transport(with_token(self._connection, token))

    def _exchange(self, name: str, request: Request, status: int, body: Any, *, managed: bool) -> Exchange:  # noqa: ANN401 - JSON
        told = replace(
            request,
            body=scrub.document(copy.deepcopy(request.body)),
            credentials=credentials_word(request.credentials),
        )
        seen = scrub.document(copy.deepcopy(body), keep_managed=managed)
        at = int((time.monotonic() - self._began) * 1000)
        return Exchange(name, told, status, seen, at, raw=body)


def run_in_pod(connection: Connection, request: Request, timeout: float) -> tuple[int, Any]:
    """Runs a command in a pod; a refusal is told by the API server's own status.

    Raises:
        TransportError: there was no answer.
    """
    _, _, _, _, namespace, _, pod, end = request.path.split("/")
    container = end.partition("container=")[2]
    try:
        done = execute(connection, namespace, pod, container, request.body, timeout=timeout)
    except NotRun as error:
        if not error.status:
            raise TransportError(error.outcome, error.detail) from error
        return error.status, {"message": error.detail}
    code = NOT_STARTED if done.code is None else done.code
    return ran(Ran(code, done.out.decode("utf-8", "replace"), done.err or done.detail))


def ran(done: Ran) -> tuple[int, Any]:
    """A command's end as an answer: its exit code, and what it printed; JSON is read."""
    out: Any = done.out.strip()
    if out.startswith(("{", "[")):
        with suppress(ValueError):
            out = json.loads(out)
    return done.code, {"code": done.code, "out": out, "err": done.err.strip()}


def ask(transport: Transport, request: Request, timeout: float) -> tuple[int, Any]:
    """Status and JSON of an answer.

    Raises:
        TransportError: there was none.
    """
    data = None if request.body is None else json.dumps(request.body).encode()
    response = transport.request(
        request.path, body=data, method=request.method, timeout=timeout, content_type=request.content_type
    )
    try:
        return response.status, json.loads(response.body or b"{}")
    except ValueError:
        return response.status, {"message": response.body.decode(errors="replace")[:300]}


def _tested(until: Until, exchange: Exchange) -> bool:
    """Whether it holds; an answer that lacks what the test looks at does not."""
    try:
        return bool(until.test(exchange.status, exchange.body))
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, StopIteration):
        return False
