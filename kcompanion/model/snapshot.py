"""A Snapshot: everything that was read of a cluster, with the moment it was read and what could not be read.

Whether it came from a live cluster or from a recording cannot be told from it; that is the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from kcompanion.model.ask import Ask, Outcome, Reading
from kcompanion.model.fields import name_of

Object = Mapping[str, Any]  # a Kubernetes object as JSON
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a snapshot was taken: names from the kubeconfig, never credentials."""

    context: str = ""
    cluster: str = ""
    server: str = ""
    namespace: str = "default"
    user: str = ""
    anonymized: bool = False  # own names and addresses were replaced
    fake: str = ""  # why this recording was never a live cluster of ours ("minikube's published layout")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was asked and not learnt."""

    what: str  # the question's key
    outcome: Outcome
    detail: str
    verb: str
    resource: str

    @property
    def decisive(self) -> bool:
        """Absence is an answer; every other gap leaves something undecided."""
        return self.outcome is not Outcome.ABSENT

    def to_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "reason": self.outcome.value,
            "detail": self.detail,
            "verb": self.verb,
            "resource": self.resource,
        }


@dataclass(frozen=True)
class Snapshot:
    """Readings by key; `now` is the API server's clock when they were taken."""

    now: datetime
    origin: Origin = field(default_factory=Origin)
    readings: Mapping[str, Reading] = field(default_factory=dict)
    _indexes: dict[str, Mapping[str, Object]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def reading(self, ask: Ask) -> Reading:
        return self.readings.get(ask.key) or Reading(ask, Outcome.NOT_ASKED)

    def items(self, ask: Ask) -> Sequence[Object]:
        """The objects of a LIST, as far as they were read; look at `reading(ask)` for whether that is all."""
        body = self.reading(ask).body
        return body if isinstance(body, list) else ()

    def by_name(self, ask: Ask) -> Mapping[str, Object]:
        """The objects of a LIST by name, of one namespace or cluster-scoped; built once, for look-ups in loops."""
        if ask.key not in self._indexes:
            self._indexes[ask.key] = {name_of(item): item for item in self.items(ask)}
        return self._indexes[ask.key]

    def object(self, ask: Ask) -> Object | None:
        """The object of a GET or REVIEW, or None when there is none or it could not be read."""
        body = self.reading(ask).body
        return body if isinstance(body, dict) else None

    def text(self, ask: Ask) -> str | None:
        """The text of a RAW answer with whatever HTTP status, or None when nothing answered."""
        body = self.reading(ask).body
        return body if isinstance(body, str) else None

    def once(self, work: Callable[[Snapshot], T]) -> T:
        """What a pure function makes of this snapshot, worked out at the first call."""
        if work not in self._made:
            self._made[work] = work(self)
        found: T = self._made[work]
        return found

    @cached_property
    def _made(self) -> dict[Callable[[Snapshot], Any], Any]:
        return {}

    def gaps(self, asks: Iterable[Ask] | None = None) -> tuple[Gap, ...]:
        """What was not learnt, of the given questions or of all, in the order of their keys."""
        readings = self.readings.values() if asks is None else [self.reading(ask) for ask in asks]
        missing = (r for r in readings if not r.ok or r.stale)
        return tuple(sorted((gap_of(r) for r in missing), key=lambda gap: gap.what))


def gap_of(reading: Reading) -> Gap:
    """What one answer leaves open."""
    detail = reading.detail
    if reading.stale:
        detail = "answered from the API server's cache, which may be old: etcd could not be asked"
    verb, resource = reading.ask.right
    outcome = Outcome.TIMEOUT if reading.stale and reading.ok else reading.outcome
    return Gap(reading.ask.key, outcome, detail, verb, resource)
