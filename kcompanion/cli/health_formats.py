"""`health -o junit|sarif`: the same entries for machines that gate a change. Their sentences are English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kcompanion.explain.accepted import Sorted
from kcompanion.explain.book import RULES
from kcompanion.explain.judge import NotEvaluated
from kcompanion.explain.sweep import Entry, Sweep, resources
from kcompanion.model.finding import Severity
from kcompanion.model.message import one_or_many, say
from kcompanion.model.snapshot import Snapshot
from kcompanion.render import junit, sarif
from kcompanion.report.explain import EVERYTHING
from kcompanion.report.health import LISTED
from kcompanion.report.reality import notes
from kcompanion.text.catalog import has, phrase

LANGUAGE = "en"
MORE = "kcompanion health -o wide tells all"


@dataclass(frozen=True)
class Row:
    """An entry and whether it counts: `accepted` is why it was suppressed, `known` that the baseline held it."""

    entry: Entry
    accepted: str = ""
    known: bool = False


def rows(kept: Sorted) -> list[Row]:
    """Every entry but mere notes, the counted ones first."""
    every = [
        *(Row(entry) for entry in kept.counted),
        *(Row(entry, known=True) for entry in kept.known),
        *(Row(entry, accepted=row.reason) for entry, row in kept.suppressed),
    ]
    return [row for row in every if row.entry.finding.severity is not Severity.INFO]


def as_junit(kept: Sorted, sweep: Sweep, snapshot: Snapshot) -> str:
    """A failed case for each cause, an error for each answer that is missing, a passed case for each kind looked at.

    As long as the JSON at most: what is left out is counted, in a failed case if any of it counts.
    """
    found = rows(kept)
    cases = [_case(row) for row in found[:LISTED]]
    if left := found[LISTED:]:
        counts = any(not row.accepted and not row.known for row in left)
        cases.append(junit.Case("left out", _left_out(left), "failure" if counts else "skipped", MORE))
    cases += [junit.Case("not evaluated", one.gap.what, "error", _missing(one), one.code) for one in _gaps(sweep)]
    hit = {name.partition("/")[0] for row in found for name in (row.entry.root, *row.entry.affected)}
    cases += [_looked_at(kind, count, sweep) for kind, count in sorted(_judged(sweep).items()) if kind not in hit]
    judged = {f"judged.{kind}": str(n) for kind, n in sweep.judged.items()}
    told = {f"note.{number}": note for number, note in enumerate(_notes(snapshot), 1)}
    return junit.render("kcompanion health", cases, judged | told)


def _notes(snapshot: Snapshot) -> list[str]:
    """What of the cluster is not real."""
    return [phrase(note, LANGUAGE) for note in notes(snapshot, None)]


def _left_out(left: Sequence[Row]) -> str:
    return phrase(say(one_or_many("health.left_out", len(left)), count=len(left)), LANGUAGE)


def _judged(sweep: Sweep) -> dict[str, int]:
    """How many objects of each kind were judged, without kinds of which there surely are none."""
    return {kind: count for kind, count in sweep.judged.items() if count or kind in _open(sweep)}


def _open(sweep: Sweep) -> set[str]:
    """Kinds that were not all listed, or not all judged by every rule."""
    unlisted = {one.subject for one in sweep.not_evaluated if one.code == EVERYTHING}
    kinds = {resource.kind for resource in resources("") if resource.plural in unlisted}
    return kinds | {verdict.ref.kind for verdict in sweep.verdicts.values() if verdict.not_evaluated}


def _looked_at(kind: str, count: int, sweep: Sweep) -> junit.Case:
    objects = f"{kind}: {count} object{'' if count == 1 else 's'}"
    if kind in _open(sweep):
        return junit.Case("looked at", objects, "skipped", "not all could be read or judged: see the errors")
    return junit.Case("looked at", f"{objects}, none with a cause")


def _case(row: Row) -> junit.Case:
    finding = row.entry.finding
    text = "\n".join(
        [
            phrase(finding.message, LANGUAGE),
            f"affects {row.entry.count}: {', '.join(row.entry.affected[:10])}",
            *(f"{e.source} {e.path} = {e.value}" for e in finding.evidence),
            *(f"{step.risk.value}: {step.command}" for step in finding.steps if step.command),
        ]
    )
    name = f"{finding.code} {row.entry.root}"
    if row.accepted or row.known:
        return junit.Case(finding.code, name, "skipped", f"{row.accepted or 'in the baseline'}\n{text}")
    return junit.Case(finding.code, name, "failure", text, finding.severity.value)


def as_sarif(kept: Sorted, sweep: Sweep, snapshot: Snapshot, version: str, *, baseline: bool) -> str:
    """The causes as results, suppressed ones marked, and what was not evaluated as failed invocation; as bounded."""
    every = rows(kept)
    found = every[:LISTED]
    results = [
        sarif.Result(
            row.entry.finding.code,
            row.entry.finding.severity.value,
            row.entry.root,
            f"{phrase(row.entry.finding.message, LANGUAGE)} (affects {row.entry.count})",
            row.accepted,
            row.known,
        )
        for row in found
    ]
    texts = {row.entry.finding.code: _rule_text(row.entry) for row in found}
    missing = [_missing(one) for one in _gaps(sweep)]
    left = [f"{_left_out(every[LISTED:])}: {MORE}"] if every[LISTED:] else []
    return sarif.render(version, results, texts, missing, [*_notes(snapshot), *left], baseline=baseline)


def _rule_text(entry: Entry) -> sarif.RuleText:
    finding = entry.finding
    rule = next((rule for rule in RULES if rule.code == finding.code), None)
    title = f"{rule.area}.{finding.code.lower()}.title" if rule else ""
    told = phrase(say(title), LANGUAGE) if rule and has(LANGUAGE, title) else finding.code
    return sarif.RuleText(told, phrase(finding.why, LANGUAGE) if finding.why else "", rule.read if rule else "")


def _gaps(sweep: Sweep) -> list[NotEvaluated]:
    """One for each missing answer."""
    return list({one.gap.what: one for one in sweep.not_evaluated}.values())


def _missing(one: NotEvaluated) -> str:
    gap = one.gap
    return f"not evaluated: needs {gap.what} ({gap.outcome.value}{': ' + gap.detail if gap.detail else ''})"
