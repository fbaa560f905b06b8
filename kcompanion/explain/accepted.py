"""What is known already: suppressions that people write down, and a baseline that a recording holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from kcompanion.errors import UsageError
from kcompanion.explain.book import RULES
from kcompanion.explain.judge import BROKEN_RULE
from kcompanion.explain.sweep import Entry
from kcompanion.model.refs import parse_ref

_RULES = frozenset(rule.code for rule in RULES) | {BROKEN_RULE}
_BESIDE_RULES = re.compile(r"KC[1-4]\d{3}")  # findings about the control plane, nodes and add-ons
_KEYS = frozenset({"code", "kind", "namespace", "name", "reason", "expires"})


@dataclass(frozen=True, slots=True)
class Suppression:
    """An entry of the file: it covers a cause by where that hangs, or by all that it affects.

    Kind (in any case), namespace and name may hold `*`; the day it expires is the first it does not hold.
    """

    code: str
    reason: str
    expires: date | None = None
    kind: str = "*"
    namespace: str = "*"
    name: str = "*"

    def covers(self, entry: Entry) -> bool:
        if self.code != entry.finding.code:
            return False
        others = [name for name in entry.affected if name != entry.root]
        return self._names(entry.root) or (bool(others) and all(map(self._names, others)))

    def _names(self, subject: str) -> bool:
        ref = parse_ref(subject)
        return all(
            fnmatchcase(value, pattern)
            for value, pattern in (
                (ref.kind.lower(), self.kind.lower()),
                (ref.namespace, self.namespace),
                (ref.name, self.name),
            )
        )

    def expired(self, now: datetime) -> bool:
        return self.expires is not None and now.date() >= self.expires


def suppressions(document: Any, file: str) -> tuple[Suppression, ...]:  # noqa: ANN401 - YAML of a person
    """The suppressions of a parsed file: a list under `suppressions`.

    Raises:
        UsageError: it is something else; the message names the entry.
    """
    rows = document.get("suppressions") if isinstance(document, Mapping) else None
    if not isinstance(rows, list):
        raise UsageError(f"{file} holds no list `suppressions`", "each entry: {code: KC5044, reason: …, expires: DATE}")
    return tuple(_suppression(row, number, file) for number, row in enumerate(rows, start=1))


def _suppression(row: object, number: int, file: str) -> Suppression:
    where = f"entry {number} of {file}"
    if not isinstance(row, Mapping):
        raise UsageError(f"{where} is no mapping", "write {code: KC5044, reason: …}")
    if unknown := sorted(set(map(str, row)) - _KEYS):
        raise UsageError(f"{where} has an unknown key {unknown[0]!r}", f"known: {', '.join(sorted(_KEYS))}")
    if not row.get("code") or not row.get("reason"):
        raise UsageError(f"{where} needs a code and a reason", "write {code: KC5044, reason: …}")
    expires = row.get("expires")
    if isinstance(expires, datetime):
        expires = expires.date()
    if expires is not None and not isinstance(expires, date):
        raise UsageError(f"{where}: {expires!r} is no date", "write expires: 2026-12-31")
    code = str(row["code"]).upper()
    if code not in _RULES and not _BESIDE_RULES.fullmatch(code):
        raise UsageError(f"{where}: there is no code {row['code']!r}", "health tells codes in brackets: KC5044")
    patterns = {key: str(row[key]) for key in ("kind", "namespace", "name") if row.get(key)}
    return Suppression(code, str(row["reason"]), expires, **patterns)


@dataclass(frozen=True)
class Sorted:
    """Entries that count, and those that somebody knows of."""

    counted: tuple[Entry, ...]
    suppressed: tuple[tuple[Entry, Suppression], ...] = ()
    known: tuple[Entry, ...] = ()  # in the baseline too
    expired: tuple[Suppression, ...] = ()  # these would have covered something
    unused: tuple[Suppression, ...] = ()  # these cover nothing that was found


def sort(entries: Iterable[Entry], rows: Sequence[Suppression], baseline: Iterable[Entry], now: datetime) -> Sorted:
    """Sets aside what is suppressed, then what the baseline held already."""
    before = {entry.key for entry in baseline}
    counted: list[Entry] = []
    known: list[Entry] = []
    aside: list[tuple[Entry, Suppression]] = []
    expired: dict[Suppression, None] = {}
    used: set[Suppression] = set()
    for entry in entries:
        covering = [row for row in rows if row.covers(entry)]
        used.update(covering)
        valid = next((row for row in covering if not row.expired(now)), None)
        if valid is not None:
            aside.append((entry, valid))
            continue
        expired.update(dict.fromkeys(covering))
        (known if entry.key in before else counted).append(entry)
    unused = tuple(row for row in dict.fromkeys(rows) if row not in used)
    return Sorted(tuple(counted), tuple(aside), tuple(known), tuple(expired), unused)
