"""`health`: the verdict on the whole cluster, bounded in length whatever the size of the cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kcompanion.explain.accepted import Sorted
from kcompanion.explain.judge import NotEvaluated
from kcompanion.explain.sweep import Entry, Sweep, owner_of, worst_of
from kcompanion.model.finding import Finding, Severity, Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import parse_ref
from kcompanion.model.snapshot import Gap
from kcompanion.report.document import Block, Lines, Section, Told

SHOWN = 12  # entries told in the terminal (all with -o wide)
PER_CODE = 3  # entries of one code among them
NAMED = 3  # affected objects named for each
LISTED = 200  # entries in structured output
NAMES = 20  # affected objects listed there for each


def status(kept: Sorted, sweep: Sweep) -> Status:
    """A proven failure first, then what could not be looked at."""
    worst = worst_of(kept.counted)
    if worst is Severity.CRITICAL:
        return Status.FAIL
    if sweep.not_evaluated:
        return Status.UNKNOWN
    return Status.WARN if worst is Severity.WARNING else Status.OK


def verdict(kept: Sorted, sweep: Sweep) -> Message:
    """How many causes, how bad, and how much was looked at."""
    found = Counter(entry.finding.severity for entry in kept.counted)
    total = sum(sweep.judged.values())
    state = status(kept, sweep)
    known = len(kept.suppressed) + len(kept.known)
    told = say(
        f"health.verdict.{state.value}",
        critical=_count("critical", found[Severity.CRITICAL]),
        warning=_count("warning", found[Severity.WARNING]),
        objects=_count("objects", total),
        pods=_count("pods", sweep.judged.get("Pod", 0)),
        missing=_count("missing", len({one.gap.what for one in sweep.not_evaluated})),
    )
    return say("health.verdict.known", verdict=told, count=known) if known else told


def _count(what: str, count: int) -> Message:
    return say(one_or_many(f"health.count.{what}", count), count=count)


def sections(kept: Sorted, sweep: Sweep, *, every: bool, explain: bool) -> list[Section]:
    """The entries, what was left out of them, what is known already, and what could not be evaluated."""
    notable = [entry for entry in kept.counted if entry.finding.severity is not Severity.INFO]
    shown = notable if every else _first(notable)
    blocks: list[Block] = [_told(entry, every=every, explain=explain) for entry in shown]
    made = [Section(say("health.section.causes"), blocks)] if blocks else []
    if left := rest(notable, shown):
        made.append(Section(say("health.section.more"), [Lines(left)]))
    if aside := _aside(kept, every=every):
        made.append(Section(say("health.section.known"), [Lines(aside)]))
    if sweep.not_evaluated:
        made.append(Section(say("health.section.not_evaluated"), [Lines(_missing(sweep.not_evaluated))]))
    return made


def in_doubt(missed: Sequence[Gap]) -> list[Section]:
    """What the baseline did not hold, where causes that count as new may be old for all it says."""
    lines = [
        say(
            "health.baseline_lacks",
            verb=gap.verb,
            resource=gap.resource,
            reason=say(f"common.outcome.{gap.outcome.value}"),
        )
        for gap in missed
    ]
    left = [say("health.needs_more", count=len(lines) - SHOWN)] if len(lines) > SHOWN else []
    return [Section(say("health.section.doubts"), [Lines([*lines[:SHOWN], *left])])] if lines else []


def _first(entries: Sequence[Entry]) -> list[Entry]:
    """The worst ones, at most PER_CODE of a kind: a hundred like troubles are one story."""
    seen: Counter[str] = Counter()
    kept: list[Entry] = []
    for entry in entries:
        seen[entry.finding.code] += 1
        if seen[entry.finding.code] <= PER_CODE and len(kept) < SHOWN:
            kept.append(entry)
    return kept


def rest(entries: Sequence[Entry], shown: Sequence[Entry]) -> list[Message]:
    """What was left out of a list, counted by code."""
    kept = {entry.key for entry in shown}
    left = [entry for entry in entries if entry.key not in kept]
    counts = Counter(entry.finding.code for entry in left)
    lines = [
        say(
            one_or_many("health.more_of", count),
            code=code,
            count=count,
            objects=_objects(left, code),
        )
        for code, count in counts.most_common(SHOWN)
    ]
    if len(counts) > SHOWN:
        lines.append(say("health.more_codes", count=len(counts) - SHOWN))
    return lines


def _objects(entries: Sequence[Entry], code: str) -> Message:
    return _count("objects", sum(entry.count for entry in entries if entry.finding.code == code))


def _told(entry: Entry, *, every: bool, explain: bool) -> Told:
    """One entry: where, how many, the cause, and the command that tells all of it."""
    where: list[Message] = []
    others = [name for name in entry.affected if name != entry.root]
    if others:
        names = [str(parse_ref(name)) for name in others]
        limit = len(names) if every else NAMED
        words = ", ".join(names[:limit])
        more = len(names) - limit
        where.append(
            say("health.affects_more", count=len(names), names=words, more=more)
            if more > 0
            else say(one_or_many("health.affects", len(names)), count=len(names), names=words)
        )
    if explain and entry.finding.why is not None:
        where.append(entry.finding.why)
    return Told(entry.finding, place(entry), tuple(where), explain_command(entry))


def place(entry: Entry) -> str:
    """Where a cause hangs; a component is no object."""
    return str(owner_of(entry)) if "/" in entry.root else entry.root


def explain_command(entry: Entry) -> str:
    """The command that tells everything about an entry; that of the finding where it hangs on no object."""
    if not entry.finding.code.startswith("KC5"):
        return entry.finding.next_command
    return f"kcompanion explain {parse_ref(entry.told_by).kubectl}"


def bounded(kept: Sorted) -> list[Finding]:
    """The counted causes as findings; the objects they affect are in the entries, counted and bounded."""
    return [replace(entry.finding, affected=()) for entry in kept.counted[:LISTED]]


def _aside(kept: Sorted, *, every: bool) -> list[Message]:
    lines: list[Message] = []
    if kept.known:
        lines.append(say(one_or_many("health.in_baseline", len(kept.known)), count=len(kept.known)))
    if kept.suppressed and not every:
        lines.append(say(one_or_many("health.suppressed", len(kept.suppressed)), count=len(kept.suppressed)))
    if every:
        lines += [
            say("health.suppressed_one_entry", code=e.finding.code, root=e.root, reason=row.reason)
            for e, row in kept.suppressed
        ]
    lines += [say("health.unused", code=row.code, reason=row.reason) for row in kept.unused]
    lines += [say("health.expired", code=row.code, reason=row.reason, date=str(row.expires)) for row in kept.expired]
    return lines


def _missing(missed: Sequence[NotEvaluated]) -> list[Message]:
    """One line for each answer that is missing, with the rules that waited for it counted."""
    rules: dict[tuple[str, str, str], set[str]] = {}
    for one in missed:
        key = one.gap.verb, one.gap.resource, one.gap.outcome.value
        rules.setdefault(key, set()).add(one.code)
    lines = [
        say(
            "health.needs",
            verb=verb,
            resource=resource,
            reason=say(f"common.outcome.{outcome}"),
            rules=", ".join(sorted(codes - {"*"})[:5]) or "*",
        )
        for (verb, resource, outcome), codes in sorted(rules.items())
    ]
    return [*lines[:SHOWN], *([say("health.needs_more", count=len(lines) - SHOWN)] if len(lines) > SHOWN else [])]


def to_json(kept: Sorted, sweep: Sweep, worded: Callable[[Message], str]) -> dict[str, Any]:
    """The body, with sentences in the words of `worded`; lists are bounded and say how much they left out."""

    def one(entry: Entry) -> dict[str, Any]:
        return {**_entry_json(entry), "text": worded(entry.finding.message)}

    return {
        "status": status(kept, sweep).value,
        "judged": dict(sweep.judged),
        "entries": [one(entry) for entry in kept.counted[:LISTED]],
        "entriesLeftOut": max(0, len(kept.counted) - LISTED),
        "known": [one(entry) for entry in kept.known[:LISTED]],
        "suppressed": [
            {**one(entry), "reason": row.reason, "expires": str(row.expires) if row.expires else None}
            for entry, row in kept.suppressed[:LISTED]
        ],
        "expiredSuppressions": [{"code": row.code, "expires": str(row.expires)} for row in kept.expired],
        "unusedSuppressions": [{"code": row.code, "reason": row.reason} for row in kept.unused],
        "notEvaluated": [missed.to_json() for missed in sweep.not_evaluated[:LISTED]],
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    finding = {key: value for key, value in entry.finding.to_json().items() if key != "affected"}
    return {
        **finding,
        "root": entry.root,
        "affected": list(entry.affected[:NAMES]),
        "affectedCount": entry.count,
        "explain": explain_command(entry),
    }
