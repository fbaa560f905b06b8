"""One command's conversation with a source: rounds of questions that add up to one Snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kcompanion.cluster.source import Source
from kcompanion.errors import NotAuthenticated, Unreachable
from kcompanion.model.ask import Ask, Outcome, Reading, Verb, listing, local
from kcompanion.model.fields import text_at
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.times import parse_time

OWN_CERTIFICATE = local("client-certificate")
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

    def keep(self, reading: Reading) -> None:
        """Adds what was learnt in another way than by asking the source, so that a recording holds it too."""
        self._readings[reading.ask.key] = reading

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
            self._check_reached(list(answers.values()))
        return self.snapshot

    def _check_reached(self, answers: list[Reading]) -> None:
        here = [a for a in answers if not a.ask.server and a.ask.verb is not Verb.LOCAL]
        # paths like /version may be read by unknown callers too (system:public-info-viewer)
        named = [a for a in here if a.ask.verb is not Verb.RAW] or here
        if named and all(answer.outcome is Outcome.UNAUTHENTICATED for answer in named):
            raise self._not_authenticated()
        # a 504 is the API server's own word (etcd is slow): it has been reached
        if here and all(answer.outcome in _NO_ANSWER and not answer.status for answer in here):
            worst = next((a for a in here if a.outcome is Outcome.UNREACHABLE), here[0])
            raise Unreachable(
                f"the API server does not answer: {worst.detail}",
                self._expiry_hint() or "check the address and the network: `kcompanion contexts`, `kcompanion doctor`",
            )

    def _not_authenticated(self) -> NotAuthenticated:
        ended = self._expiry_hint()
        return NotAuthenticated(hint=ended) if ended else NotAuthenticated()

    def _expiry_hint(self) -> str:
        """What to do when the reason is on our side: a client certificate that has ended."""
        own = self._source.read([OWN_CERTIFICATE])[OWN_CERTIFICATE.key]
        end = text_at(own.body, "notAfter")
        moment = parse_time(end)
        if moment is None or moment > self._source.now:
            return ""
        return f"the client certificate of this context ended on {end}: renew it (kubeadm: `kubeadm certs renew`)"

    def read_everywhere(self, resource: Resource) -> Snapshot:
        """Lists a resource in all namespaces; where that is forbidden, in the namespaces one may hope for."""
        everywhere = listing(resource)
        snapshot = self.read([everywhere])
        if snapshot.reading(everywhere).outcome is Outcome.FORBIDDEN:
            hoped = dict.fromkeys([self._source.origin.namespace, "kube-system"])
            snapshot = self.read(listing(resource, namespace) for namespace in hoped)
        return snapshot
