"""One command's conversation with a source: rounds of questions that add up to one Snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kcompanion.cluster.source import Source
from kcompanion.errors import NotAuthenticated, Unreachable
from kcompanion.model.ask import Ask, Outcome, Reading, Verb, listing
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Snapshot

_NO_ANSWER = frozenset({Outcome.UNREACHABLE, Outcome.TIMEOUT})


class Session:
    """Reads what a command asks for, keeps all of it, and tells an unreachable cluster from a partial answer."""

    def __init__(self, source: Source, now: datetime | None = None) -> None:
        self._source = source
        self._now = now
        self._readings: dict[str, Reading] = {}

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self._now or self._source.now, self._source.origin, dict(self._readings))

    def read(self, asks: Iterable[Ask]) -> Snapshot:
        """Asks what was not asked yet and returns everything read so far.

        Raises:
            Unreachable: not one question of the first round was answered by the server.
            NotAuthenticated: the server answered 401 to everything it answered.
        """
        fresh = [ask for ask in asks if ask.key not in self._readings]
        first = not self._readings
        answers = self._source.read(fresh)
        self._readings.update(answers)
        if first and answers:
            _check_reached(list(answers.values()))
        return self.snapshot

    def read_everywhere(self, resource: Resource) -> Snapshot:
        """Lists a resource in all namespaces; where that is forbidden, in the namespaces one may hope for."""
        everywhere = listing(resource)
        snapshot = self.read([everywhere])
        if snapshot.reading(everywhere).outcome is Outcome.FORBIDDEN:
            hoped = dict.fromkeys([self._source.origin.namespace, "kube-system"])
            snapshot = self.read(listing(resource, namespace) for namespace in hoped)
        return snapshot


def _check_reached(answers: list[Reading]) -> None:
    here = [a for a in answers if not a.ask.server and a.ask.verb is not Verb.LOCAL]
    if not here:
        return
    if all(answer.outcome is Outcome.UNAUTHENTICATED or _public(answer) for answer in here) and any(
        answer.outcome is Outcome.UNAUTHENTICATED for answer in here
    ):
        raise NotAuthenticated(
            "the API server does not know these credentials (401)",
            "check the user of this context: `kcompanion contexts` shows when its certificate ends",
        )
    if all(answer.outcome in _NO_ANSWER for answer in here):
        worst = next((a for a in here if a.outcome is Outcome.UNREACHABLE), here[0])
        raise Unreachable(
            f"the API server does not answer: {worst.detail}",
            "check the address and the network: `kcompanion contexts`, `kcompanion doctor`",
        )


def _public(answer: Reading) -> bool:
    """Paths that even unknown callers may read (system:public-info-viewer)."""
    return answer.ask.verb is Verb.RAW
