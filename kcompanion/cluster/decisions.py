"""An operator's decisions as they are made: through the API server's pod proxy, or from an address of its own.

One daemon thread reads `/decisions?watch=1`, a JSON per line, and puts them into a queue. After a break it goes on
where it stopped, or at the beginning if an operator answers that was started since: it counts anew. An address that was
named by hand gets no credentials.
"""

from __future__ import annotations

import json
import queue
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from kcompanion.cluster.connect import Connection
from kcompanion.cluster.transport import Lines, Transport, TransportError
from kcompanion.errors import UsageError
from kcompanion.model.ask import Outcome

SILENCE = 600.0  # seconds without a decision after which the connection is made anew
AGAIN = 1.0  # seconds before another attempt
REQUEST = 10.0
Entry = dict[str, Any]  # seq, time, decision; or a `lost` with the reason
Where = Callable[[], str]


class Decisions:
    """Follows the decisions about one ReplicaSet from `start` on. `where` names the path or URL, and may change."""

    def __init__(self, where: Where, namespace: str, name: str, connection: Connection | None = None) -> None:
        self._where = where
        self._query = {"namespace": namespace, "name": name}
        self._transport = Transport(connection) if connection is not None else None
        self._place = ""
        self._seq, self._run_id = 0, ""  # how far it came, and in whose numbers
        self._reason = ""  # why it broke off last
        self._stopped = threading.Event()
        self.entries: queue.SimpleQueue[Entry] = queue.SimpleQueue()

    def start(self) -> None:
        """Begins after what has been decided so far; where nobody answers yet, with the first decision."""
        try:
            self._skip()
        except (TransportError, OSError, ValueError) as error:
            self._lost(error)
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def new(self) -> Iterator[Entry]:
        """What has come since the last call."""
        while True:
            try:
                yield self.entries.get_nowait()
            except queue.Empty:
                return

    def _skip(self) -> None:
        self._place = self._where()
        told = json.loads(self._whole(f"{self._place}?{urlencode(self._query)}"))
        for entry in told:
            self._note(entry)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
            except (TransportError, OSError, ValueError) as error:
                self._lost(error)
            if self._stopped.wait(AGAIN):
                return
            place = self._where()
            if place != self._place:  # another one leads, and counts from the beginning
                self._place, self._seq, self._run_id = place, 0, ""

    def _lost(self, error: Exception) -> None:
        """Says once that they broke off, and why."""
        told = " ".join(str(error).split())[:120]
        if told != self._reason:
            self._reason = told
            self.entries.put({"lost": told})

    def _follow(self) -> None:
        life = {"run": self._run_id} if self._run_id else {}
        with self._read({"watch": "1", "since": str(self._seq), **life}, SILENCE) as answer:
            for line in answer.lines:
                if self._stopped.is_set():
                    return
                if line.strip():
                    entry = json.loads(line)
                    self._note(entry)
                    self._reason = ""
                    self.entries.put(entry)

    def _note(self, entry: Entry) -> None:
        self._seq, self._run_id = int(entry["seq"]), str(entry.get("run", ""))

    def _whole(self, url: str) -> bytes:
        if self._transport is None:
            with plain(url, REQUEST) as answer:
                return b"\n".join(answer.lines)
        response = self._transport.request(url, timeout=REQUEST)
        if response.status != 200:
            raise TransportError(Outcome.ERROR, f"HTTP {response.status}", transient=True)
        return response.body

    @contextmanager
    def _read(self, query: dict[str, str], timeout: float) -> Iterator[Lines]:
        url = f"{self._place}?{urlencode({**self._query, **query})}"
        if self._transport is None:
            with plain(url, timeout) as answer:
                yield answer
            return
        with self._transport.lines(url, timeout=timeout) as answer:
            if answer.status != 200:
                raise TransportError(Outcome.ERROR, f"HTTP {answer.status}", transient=True)
            yield answer


@contextmanager
def plain(url: str, timeout: float) -> Iterator[Lines]:
    """An answer from an address that was named by hand: no credentials, no proxy, no redirects to elsewhere."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout) as answer:
        yield Lines(answer.status, (line.rstrip(b"\n") for line in answer))


def check_url(url: str) -> str:
    """The address of the decisions, with its path.

    Raises:
        UsageError: it is no HTTP address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is no address like http://127.0.0.1:8080", "`operator run --listen` chose it")
    return url if parts.path not in ("", "/") else f"{url.rstrip('/')}/decisions"
