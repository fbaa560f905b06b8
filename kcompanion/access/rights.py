"""Which rights the commands need, which of them we have, and so how complete each command will be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Verb, review
from kcompanion.model.fields import dig
from kcompanion.model.finding import Evidence, Finding, Severity, Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One right as RBAC grants it: a verb on a resource (in a namespace, on one name) or on a URL path."""

    namespace: str = ""  # empty: the whole cluster
    group: str = ""
    resource: str = ""
    verb: str = ""
    name: str = ""
    path: str = ""

    @property
    def text(self) -> str:
        """`list pods -n kube-system`, `get /readyz`."""
        what = self.path or (f"{self.resource}.{self.group}" if self.group else self.resource)
        where = f" -n {self.namespace}" if self.namespace else ""
        return f"{self.verb} {what}{f' {self.name}' if self.name else ''}{where}"

    def to_json(self) -> dict[str, Any]:
        return {
            "verb": self.verb,
            "group": self.group,
            "resource": self.resource or None,
            "namespace": self.namespace or None,
            "name": self.name or None,
            "path": self.path or None,
        }


@dataclass(frozen=True, slots=True)
class Need:
    """What a command asks: without the essential ones it cannot answer, without the others it answers in part.

    `acts` are the rights of one that changes things: whoever may change nothing can do nothing with it.
    """

    command: str
    essential: tuple[Ask, ...]
    helpful: tuple[Ask, ...] = ()
    acts: tuple[Right, ...] = ()
    closer: str = ""  # the command that tells more of it

    @property
    def asks(self) -> tuple[Ask, ...]:
        return (*self.essential, *self.helpful)

    @property
    def rights(self) -> tuple[Right, ...]:
        """Each once, in the order in which they are asked for."""
        asked = (right for ask in self.asks if (right := right_of(ask)) is not None)
        return tuple(dict.fromkeys((*asked, *self.acts)))

    @property
    def live(self) -> bool:
        """Whether no recording can take the cluster's place."""
        return bool(self.acts) or any(ask.verb is Verb.WATCH for ask in self.asks)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How complete a command will be: complete, partial, impossible, or unknown."""

    command: str
    verdict: str
    missing: tuple[Right, ...]
    unsure: tuple[Right, ...]
    closer: str = ""

    @property
    def status(self) -> Status:
        return _STATUS[self.verdict]

    def to_json(self) -> dict[str, Any]:
        return {
            "command": self.command,
            "verdict": self.verdict,
            "status": self.status.value,
            "missing": [right.to_json() for right in self.missing],
            "notKnown": [right.to_json() for right in self.unsure],
        }


def findings(rows: Iterable[Coverage]) -> Iterator[Finding]:
    """KC4030: a command that these rights leave partial or impossible."""
    for row in rows:
        if not row.missing:
            continue
        yield Finding(
            "KC4030",
            Severity.CRITICAL if row.verdict == "impossible" else Severity.WARNING,
            f"Command/{row.command}",
            say("doctor.finding.kc4030", command=row.command, count=len(row.missing)),
            tuple(Evidence("SelfSubjectAccessReview", right.text, "denied") for right in row.missing[:2]),
            row.closer or f"kcompanion doctor {row.command} --rbac",
        )


_READING = ("get", "list", "watch")
_STATUS = {
    "complete": Status.OK,
    "partial": Status.WARN,
    "impossible": Status.FAIL,
    "unknown": Status.UNKNOWN,
}


def right_of(ask: Ask) -> Right | None:
    """The right a question needs; None where everybody who is authenticated has it (reviews) or nobody is asked."""
    if ask.verb in (Verb.REVIEW, Verb.LOCAL):
        return None
    if ask.resource is None:
        return Right(verb="get", path=ask.path.partition("?")[0])
    namespace = ask.namespace if ask.resource.namespaced else None
    return Right(namespace or "", ask.resource.group, ask.resource.plural, ask.verb.value, ask.name or "")


def rights(needs: Iterable[Need]) -> tuple[Right, ...]:
    """All that the commands read, each right once, without those that a wider one among them includes."""
    return widest(right for need in needs for ask in need.asks if (right := right_of(ask)) is not None)


def widest(found: Iterable[Right]) -> tuple[Right, ...]:
    """Each once, without those that a wider one among them includes."""
    kept = set(found)
    return tuple(sorted(right for right in kept if not any(_includes(other, right) for other in kept)))


def _includes(wide: Right, narrow: Right) -> bool:
    """A right in the whole cluster includes the same one in a namespace or on one name."""
    if wide == narrow or wide.path or narrow.path:
        return False
    same = (wide.group, wide.resource, wide.verb) == (narrow.group, narrow.resource, narrow.verb)
    return same and wide.namespace in ("", narrow.namespace) and wide.name in ("", narrow.name)


def _answers(held: Right, right: Right) -> bool:
    """Whether the answer to a held question holds that to a narrower one: a list also gives each of its objects."""
    verb = "list" if right.verb == "get" and held.verb == "list" else right.verb
    return _includes(held, replace(right, verb=verb)) or held == replace(right, verb=verb, name="")


def access_review(right: Right) -> Ask:
    """The question whether we have a right: answered by the API server for whoever asks, stored nowhere."""
    if right.path:
        return review(r.ACCESS_REVIEW, {"nonResourceAttributes": {"path": right.path, "verb": right.verb}})
    resource, _, sub = right.resource.partition("/")
    attributes = {
        "group": right.group,
        "name": right.name,
        "namespace": right.namespace,
        "resource": resource,
        "subresource": sub,
        "verb": right.verb,
    }
    return review(r.ACCESS_REVIEW, {"resourceAttributes": {k: v for k, v in attributes.items() if v}})


def reviews(needs: Iterable[Need]) -> tuple[Ask, ...]:
    """Every access review the commands call for, each once."""
    return tuple(access_review(right) for right in sorted({right for need in needs for right in need.rights}))


def allowed(snapshot: Snapshot, right: Right) -> bool | None:
    """Whether we have a right: by the access review, else by how the question itself went; None if neither tells."""
    answer = snapshot.object(access_review(right))
    if answer is not None:
        verdict = dig(answer, "status", "allowed")
        return verdict if isinstance(verdict, bool) else None
    for reading in snapshot.readings.values():
        known = right_of(reading.ask)
        if known is None or reading.ask.server or not (known == right or _answers(known, right)):
            continue
        if reading.outcome in (Outcome.OK, Outcome.ABSENT):
            return True
        if reading.outcome is Outcome.FORBIDDEN and known == right:
            return False
    return None


def coverage(snapshot: Snapshot, needs: Sequence[Need]) -> tuple[Coverage, ...]:
    """How complete each command will be, in the order of the table."""
    known: dict[Right, bool | None] = {}
    for right in dict.fromkeys(right for need in needs for right in need.rights):
        known[right] = allowed(snapshot, right)
    return tuple(_covered(need, known) for need in needs)


def _covered(need: Need, known: dict[Right, bool | None]) -> Coverage:
    essential = {right for ask in need.essential if (right := right_of(ask)) is not None}
    changes = {right for right in need.acts if right.verb not in _READING}
    missing = tuple(right for right in need.rights if known[right] is False)
    unsure = tuple(right for right in need.rights if known[right] is None)
    if essential & set(missing) or (changes and changes <= set(missing)):
        verdict = "impossible"
    elif unsure:
        verdict = "unknown"
    else:
        verdict = "partial" if missing else "complete"
    return Coverage(need.command, verdict, missing, unsure, need.closer)
