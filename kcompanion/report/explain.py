"""`explain`: the verdict on an object, its root cause in full, what else was found, and a portrait of the object.

A few objects are told in full. Of many there is a line for each that is not well, and every cause once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kcompanion.explain.exitcodes import BY_SIGNAL, SIGNALS
from kcompanion.explain.judge import NotEvaluated, Verdict, in_order
from kcompanion.explain.pod import Pod
from kcompanion.model.finding import Finding, Severity, Status, worst
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.report.document import Block, Cause, Cell, Lines, Section, Table, columns
from kcompanion.report.portraits import owners, portrait
from kcompanion.report.portraits.sight import Sight, joined

IN_FULL = 3  # objects told one by one; more than these are told in a table
CAUSES = 8  # told in full below such a table (all with -o wide)
EVERYTHING = "*"  # stands for the rules of children that could not be listed
ROWS = 30  # of objects that are not well (all with -o wide)


@dataclass(frozen=True)
class Explained:
    """One object with its verdict; `sections` tell it in full, where it was drawn."""

    item: Object
    verdict: Verdict
    sections: Sequence[Section] = ()

    def to_json(self) -> dict[str, Any]:
        verdict = self.verdict
        told: dict[str, Any] = {
            "kind": verdict.ref.kind,
            "namespace": verdict.ref.namespace or None,
            "name": verdict.ref.name,
            "status": verdict.status.value,
            "rootCause": verdict.root.to_json() if verdict.root else None,
            "causes": [finding.code for finding in verdict.findings],
            "notEvaluated": [missed.to_json() for missed in verdict.not_evaluated],
            "controlledBy": owners.nearest(self.item) or None,
        }
        return {**told, **_pod_json(Pod(self.item))} if verdict.ref.kind == "Pod" else told


def _pod_json(pod: Pod) -> dict[str, Any]:
    return {
        "statusWord": pod.status_word,
        "statusSteps": [{"word": word, "from": path} for word, path in pod.status_steps],
        "phase": pod.phase,
        "node": pod.node or None,
        "containers": [
            {
                "name": one.name,
                "sort": one.sort.value,
                "state": one.state or None,
                "reason": one.waiting or (one.terminated.get("reason") if one.terminated else None),
                "ready": one.ready,
                "restarts": one.restarts,
                "lastExitCode": one.exit_code,
                "lastSignal": SIGNALS.get((one.exit_code or 0) - BY_SIGNAL),
            }
            for one in pod.containers
        ],
    }


@dataclass(frozen=True)
class Answered:
    """All that was asked for: objects, and those named that do not exist."""

    explained: Sequence[Explained] = ()
    absent: Sequence[Ref] = ()
    extra: Sequence[Section] = field(default_factory=tuple)

    @property
    def status(self) -> Status:
        return worst([*(one.verdict.status for one in self.explained), *(Status.FAIL for _ in self.absent)])


def told(verdict: Verdict, item: Object) -> Message:
    """The verdict in one sentence."""
    what = str(verdict.ref)
    if verdict.root is not None:
        if verdict.ref.kind == "Pod":
            return say("explain.verdict.bad_word", what=what, word=Pod(item).status_word)
        return say("explain.verdict.bad", what=what)
    if verdict.status is Status.UNKNOWN:
        return say("explain.verdict.unknown", what=what)
    if verdict.ref.kind == "Pod":
        return say("explain.verdict.word", what=what, word=Pod(item).status_word)
    return say("explain.verdict.ok", what=what)


def sections(verdict: Verdict, item: Object, world: World, *, wide: bool, lessons: bool) -> list[Section]:
    """Causes first, then the portrait of the object, then what could not be evaluated.

    What is well is shown whole, because then the object itself is what is asked about; beside a cause it is kept short
    unless `wide` or `lessons` asks for all.
    """
    whole = wide or lessons
    found = [
        Cause(
            f if whole or f is verdict.root else briefly(f), world.now, root=f is verdict.root, about=str(verdict.ref)
        )
        for f in verdict.findings
    ]
    made = [Section(told(verdict, item), [cause for cause in found if cause.root], verdict.status)]
    also: list[Block] = [cause for cause in found if not cause.root and cause.finding.severity is not Severity.INFO]
    notes: list[Block] = [cause for cause in found if cause.finding.severity is Severity.INFO]
    if also or notes:
        made.append(Section(say("explain.section.also"), [*also, *notes]))
    made += portrait(Sight(item, verdict.ref, world, whole or verdict.root is None, whole, lessons))
    if verdict.not_evaluated:
        made.append(Section(say("explain.section.not_evaluated"), [Lines(gaps(verdict.not_evaluated))]))
    return made


def briefly(finding: Finding) -> Finding:
    """A finding beside the root cause: without the lesson, and a mere remark only in its sentence."""
    if finding.severity is Severity.INFO:
        return replace(finding, evidence=(), why=None, steps=(), read="")
    return replace(finding, why=None)


def alike(verdicts: Sequence[tuple[Object, Verdict]]) -> bool:
    """Whether several objects share a cause, so that telling each in full would say the same twice."""
    bad = [Explained(item, verdict) for item, verdict in verdicts if verdict.root is not None]
    return len(shared(bad)) < len(bad)


def absent(refs: Iterable[Ref], *, manifest: bool) -> list[Section]:
    """What a manifest or the command line names and the cluster does not have."""
    told = "explain.verdict.absent" if manifest else "explain.verdict.not_there"
    return [Section(say(told, what=str(ref)), [], Status.FAIL) for ref in refs]


def many(answered: Answered, world: World, *, wide: bool) -> list[Section]:
    """One line for each object that is not well, how many are, and each cause once and in full."""
    bad = [one for one in answered.explained if one.verdict.status is not Status.OK]
    well = len(answered.explained) - len(bad)
    shown = bad if wide else bad[:ROWS]
    lines: list[Cell] = []
    if len(bad) > len(shown):
        lines.append(say("portrait.rows_left", count=len(bad) - len(shown)))
    if well:
        lines.append(say(one_or_many("explain.well", well), count=well))
    title = say("explain.section.many", count=len(answered.explained), bad=len(bad))
    blocks: list[Block] = [Table(*_table(shown, codes=True))] if shown else []
    made = [Section(title, [*blocks, Lines(lines)] if lines else blocks, answered.status)]
    causes = shared(answered.explained)
    kept = causes if wide else causes[:CAUSES]
    if kept:
        full: list[Block] = [Cause(finding, world.now, root=True) for finding in kept]
        if len(causes) > len(kept):
            full.append(Lines([say("explain.causes_left", count=len(causes) - len(kept))]))
        made.append(Section(say("explain.section.causes"), full))
    missed = dict.fromkeys(gap for one in answered.explained for gap in gaps(one.verdict.not_evaluated))
    if missed:
        made.append(Section(say("explain.section.not_evaluated"), [Lines(list(missed))]))
    return made


def short(answered: Answered) -> list[Section]:
    """One line for each object: STATUS and root cause."""
    rows = _table(answered.explained, codes=False)
    return [Section(say("explain.section.short", count=len(answered.explained)), [Table(*rows)])]


def shared(explained: Iterable[Explained]) -> tuple[Finding, ...]:
    """The root causes, those of one code and one root (or one controller) told once with all they affect."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in explained:
        root = one.verdict.root
        if root is not None:
            key = root.root or owners.nearest(one.item) or root.subject
            groups.setdefault((root.code, key), []).append(root)
    made = []
    for those in groups.values():
        affected = dict.fromkeys(name for f in those for name in (f.affected or (f.subject,)))
        made.append(replace(those[0], affected=tuple(affected)))
    return in_order(made)


def _table(explained: Sequence[Explained], *, codes: bool) -> tuple[Any, list[tuple[Cell, ...]]]:
    """Name, STATUS and root cause (its code, where the sentence follows); kind and namespace only where they differ."""
    kinds = Counter(one.verdict.ref.kind for one in explained)
    spaces = {one.verdict.ref.namespace for one in explained}
    rows: list[tuple[Cell, ...]] = []
    for one in explained:
        ref, root = one.verdict.ref, one.verdict.root
        name = ref.place if len(spaces) > 1 else ref.name
        word: Cell = Pod(one.item).status_word if ref.kind == "Pod" else one.verdict.status
        if root is None and one.verdict.status is Status.UNKNOWN:
            why: Cell = say("explain.unevaluated")
        else:
            why = (root.code if codes else root.message) if root else None
        rows.append((f"{ref.kind}/{name}" if len(kinds) > 1 else name, word, why))
    return columns("NAME STATUS CAUSE"), rows


def gaps(missed: Sequence[NotEvaluated]) -> list[Message]:
    """What could not be evaluated and what that needs; rules that lack the same are told together."""
    codes: dict[tuple[str, str, str], list[str]] = {}
    for one in missed:
        key = (one.gap.verb, one.gap.resource, one.gap.outcome.value)
        if one.code not in codes.setdefault(key, []):
            codes[key].append(one.code)
    return [
        say(
            "explain.not_evaluated",
            code=joined([say("explain.children") if code == EVERYTHING else code for code in those]),
            verb=verb,
            resource=resource,
            reason=say(f"common.outcome.{outcome}"),
        )
        for (verb, resource, outcome), those in codes.items()
    ]
