"""Asks what needs call for: the API server, or a program of this machine; each question once."""

from __future__ import annotations

import subprocess

from kcompanion.cluster.bench import ask
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.errors import NotAuthenticated, Unreachable
from kcompanion.learn.needs import Asked, Command, Reply

UNKNOWN_CALLER = 401
NO_PROGRAM, NO_END = 127, 124  # as shells and timeout(1) tell them
PROGRAM_LIMIT = 60.0  # seconds: a program that is slow to start is there all the same


class Inquiry:
    """Questions and replies of one moment."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._transport = Transport(connection)
        self._timeout = timeout
        self._replies: dict[str, Reply] = {}

    def __call__(self, asked: Asked) -> Reply:
        """The reply, from before if it was asked before.

        Raises:
            Unreachable: the API server did not answer, or does not know who asks.
        """
        key = repr(asked)
        if key not in self._replies:
            self._replies[key] = self._reply(asked)
        return self._replies[key]

    def _reply(self, asked: Asked) -> Reply:
        if isinstance(asked, Command):
            return _ran(asked)
        try:
            status, body = ask(self._transport, asked, self._timeout)
        except TransportError as error:
            raise Unreachable(f"the API server did not answer: {error.detail}", "kcompanion doctor") from error
        if status == UNKNOWN_CALLER:
            raise NotAuthenticated
        return Reply(status, body)


def _ran(command: Command) -> Reply:
    try:
        done = subprocess.run(  # noqa: S603 - the commands are those of the table of needs
            command.argv, capture_output=True, text=True, timeout=PROGRAM_LIMIT, check=False
        )
    except OSError:
        return Reply(NO_PROGRAM, "")
    except subprocess.TimeoutExpired:
        return Reply(NO_END, "")
    return Reply(done.returncode, done.stdout)
