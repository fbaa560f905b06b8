"""`explain`: the verdict on an object, its root cause in full, what else was found, and a portrait of the object."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.explain.judge import NotEvaluated, Verdict
from kcompanion.explain.pod import Pod
from kcompanion.model.finding import Severity, Status
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.report.document import Block, Cause, Lines, Section
from kcompanion.report.portraits import portrait


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


def sections(verdict: Verdict, item: Object, world: World, *, explain: bool) -> list[Section]:
    """Causes first, then the portrait of the object, then what could not be evaluated."""
    found = [Cause(f, world.now, root=f is verdict.root) for f in verdict.findings]
    blocks: list[Block] = [cause for cause in found if cause.root]
    made = [Section(told(verdict, item), blocks, verdict.status)]
    also: list[Block] = [cause for cause in found if not cause.root and cause.finding.severity is not Severity.INFO]
    notes: list[Block] = [cause for cause in found if cause.finding.severity is Severity.INFO]
    if also or notes:
        made.append(Section(say("explain.section.also"), [*also, *notes]))
    made += portrait(item, verdict.ref.kind, world, explain=explain)
    if verdict.not_evaluated:
        made.append(Section(say("explain.section.not_evaluated"), [Lines(_gaps(verdict.not_evaluated))]))
    return made


def _gaps(missed: Sequence[NotEvaluated]) -> list[Message]:
    return [
        say(
            "explain.not_evaluated",
            code=one.code,
            verb=one.gap.verb,
            resource=one.gap.resource,
            reason=say(f"common.outcome.{one.gap.outcome.value}"),
        )
        for one in missed
    ]
