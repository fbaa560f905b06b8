"""A decision in sentences: what was wanted and found, what was done about it, what woke it, and why these pods.

It reads a decision's JSON and not the Decision, so that it tells just as well what comes from an operator elsewhere
(`/decisions`, its log) as what was decided here. What is missing or odd in it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.model.fields import dig, map_at, maps_at, text_at, texts_at
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.reconcile.decision import Action
from kcompanion.reconcile.triggers import Cause
from kcompanion.reconcile.victims import Rule

SHOWN = 5  # names, victims or causes that are told one by one
_ACTIONS = frozenset(action.value for action in Action)
_CAUSES = frozenset(cause.value for cause in Cause)
_RULES = frozenset(rule.value for rule in Rule)


def told(decision: Mapping[str, Any]) -> tuple[Message, ...]:
    """The sentences, the verdict first."""
    return (headline(decision), *_details(decision))


def headline(decision: Mapping[str, Any]) -> Message:
    """Wanted, found, and what follows from it."""
    action = text_at(decision, "plan", "action")
    return say(
        f"reconcile.action.{action if action in _ACTIONS else 'unknown'}",
        desired=_number(decision, "desired"),
        active=_number(decision, "observed", "active"),
        ready=_number(decision, "observed", "ready"),
        apart=abs(_number(decision, "difference")),
        count=_number(decision, "plan", "count"),
    )


def _details(decision: Mapping[str, Any]) -> Iterator[Message]:
    yield from _woken(decision)
    for kind in ("adopted", "released"):
        if names := _names(map_at(decision, "claims"), kind):
            yield say(f"reconcile.{kind}", pods=names)
    victims = list(maps_at(decision, "plan", "victims"))
    for victim in victims[:SHOWN]:
        if text_at(victim, "rule") in _RULES:
            yield _chosen(victim)
    for kind in ("created", "deleted"):
        if names := _names(decision, kind):
            yield say(f"reconcile.{kind}", pods=names)
    pending = map_at(decision, "expectations")
    if pending:
        counts = {name: _counted(name, _number(pending, name)) for name in ("creations", "deletions")}
        yield say("reconcile.pending", **counts)
    for answer in maps_at(decision, "answers"):
        yield from _refused(answer)
    changes = [
        f"{text_at(change, 'field')} {_value(change, 'old')} → {_value(change, 'new')}"
        for change in maps_at(decision, "status")
    ]
    if changes:
        yield say("reconcile.status", changes=", ".join(changes))
    if error := text_at(decision, "error"):
        yield say("reconcile.error", error=error)
    after = dig(decision, "requeueAfterSeconds")
    if isinstance(after, int | float) and not isinstance(after, bool):
        yield say("reconcile.again", seconds=f"{after:.1f}")


def _woken(decision: Mapping[str, Any]) -> Iterator[Message]:
    """Each cause once, with the pods it came from."""
    pods: dict[str, dict[str, None]] = {}
    for wake in maps_at(decision, "wokenBy"):
        if (cause := text_at(wake, "cause")) in _CAUSES:
            pods.setdefault(cause, {})[text_at(wake, "pod")] = None
    for cause, names in pods.items():
        first = [name or "-" for name in names][:SHOWN]
        more = f" +{len(names) - len(first)}" if len(names) > len(first) else ""
        told = say(one_or_many("reconcile.pods", len(names)), names=", ".join(first) + more)
        yield say(f"reconcile.woken.{cause}", pod=told)


def _chosen(victim: Mapping[str, Any]) -> Message:
    return say(
        f"reconcile.rule.{text_at(victim, 'rule')}",
        pod=text_at(victim, "pod"),
        value=_value(victim, "value"),
        spared=text_at(victim, "spared"),
        other=_value(victim, "sparedValue"),
    )


def _refused(answer: Mapping[str, Any]) -> Iterator[Message]:
    code = _number(answer, "code")
    if 200 <= code < 400:
        return
    values = {"request": text_at(answer, "request"), "count": _number(answer, "count")}
    if code == 0:
        yield say("reconcile.unanswered", **values)
    else:
        yield say("reconcile.refused", code=code, message=text_at(answer, "message"), **values)


def _counted(what: str, count: int) -> Message:
    return say(one_or_many(f"reconcile.{what}", count), count=count)


def _names(at: Mapping[str, Any], kind: str) -> str:
    """Some names, and how many more there are."""
    first = texts_at(at, kind, "first")[:SHOWN]
    more = _number(at, kind, "count") - len(first)
    return ", ".join(first) + (f" +{more}" if first and more > 0 else "")


def _value(at: Mapping[str, Any], name: str) -> str:
    value = at.get(name)
    return "-" if value is None or value == "" else str(value).lower() if isinstance(value, bool) else str(value)


def _number(at: object, *path: str) -> int:
    value = dig(at, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
