"""`kcompanion orphans`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from kcompanion.cli import gathering, targets
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.errors import NotFound, UsageError
from kcompanion.explain.judge import judge_alone
from kcompanion.explain.rules.ownership import BOOK
from kcompanion.model import discovery
from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.finding import Finding, Status
from kcompanion.model.message import say
from kcompanion.model.selectors import matches
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.claim import CLAIMS
from kcompanion.ownership.orphans import EXAMINED, FAULTS, Orphan, examined, orphans
from kcompanion.ownership.overlaps import conflicts, events_asked
from kcompanion.ownership.owners import Entity
from kcompanion.ownership.preview import Changes, parsed, preview
from kcompanion.report import orphans as report
from kcompanion.report.document import Document

NEEDED = (*dict.fromkeys((*EXAMINED, *CLAIMS)), r.HPAS)

JUDGED = 200  # orphans whose findings are told; the body of the answer has them all


@click.command("orphans")
@click.argument("words", nargs=-1, metavar="[TYPE NAME | TYPE/NAME …]")
@click.option("--all-kinds", is_flag=True, help="Objects of every kind whose owner is gone, by discovery.")
@click.option(
    "--preview-label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE|KEY-",
    help="What this label on the pod named would bring about; nothing is written.",
)
@reading
def command(options: Options, words: tuple[str, ...], *, all_kinds: bool, labels: tuple[str, ...]) -> int:
    """What no controller looks after, and why; who would adopt it; controllers in each other's way."""
    changes = _changes(labels, words)

    def work(world: World) -> report.Found | NotKnown:
        try:
            return (
                _previewed(words, options, changes, world) if changes else _searched(words, options, world, all_kinds)
            )
        except NotKnown as unknown:
            return unknown

    def produce(conversation: Session) -> Answer:
        first = list(discovery.ROOTS) if all_kinds else []
        if not words:
            space = targets.namespace_of_options(options, World(conversation.snapshot))
            first += [*(listing(resource, space or None) for resource in NEEDED), *events_asked(space)]
        found = settle(conversation, work, first)
        if not words and isinstance(found, report.Found) and not found.examined and not found.gaps:
            found = _of_nothing(found, conversation, options)
        return _answer(conversation, found, options, previewing=bool(changes))

    return run(options, produce)


def _of_nothing(found: report.Found, conversation: Session, options: Options) -> report.Found:
    """The same, if nothing is what there really is: where labels or a namespace were named they may be misspelt."""
    if options.selector:
        raise NotFound(f"nothing has the labels {options.selector!r}", "kubectl get pods -A --show-labels")
    missed = gathering.nothing_in(conversation, options.namespace or "")
    return replace(found, gaps=(missed.gap,), undecided=True) if missed else found


def _changes(labels: Sequence[str], words: Sequence[str]) -> Changes:
    if words:
        targets.pairs(words)
    try:
        changes = dict(parsed(labels))
    except ValueError as error:
        raise UsageError(f"{error.args[0]!r} is no label", "write KEY=VALUE, or KEY- to take it away") from error
    if changes and not words:
        raise UsageError(
            "--preview-label needs a pod", "for example: kcompanion orphans pod/web-1 --preview-label app=x"
        )
    return changes


def _previewed(words: Sequence[str], options: Options, changes: Changes, world: World) -> report.Found:
    found = targets.find(words, options, world)
    if len(found) != 1 or found[0].resource != r.PODS:
        raise UsageError("--preview-label looks at one pod", "name it: pod/NAME")
    told = preview(found[0].item, changes, world)
    return report.Found(preview=told, gaps=told.gaps, examined=1, undecided=any(gap.decisive for gap in told.gaps))


def _searched(words: Sequence[str], options: Options, world: World, all_kinds: bool) -> report.Found:
    if words:
        entities = [Entity(one.resource, one.item) for one in targets.find(words, options, world)]
        missed: list[Gap] = []
    else:
        space = targets.namespace_of_options(options, world)
        entities, missed = examined(space, world, every=all_kinds)
        entities = [entity for entity in entities if matches(options.selector, entity.labels)]
    found, gaps = orphans(entities, world)
    clashes, more = ((), ()) if words else conflicts(targets.namespace_of_options(options, world), world)
    every = {gap.what: gap for gap in (*missed, *gaps, *more)}
    return report.Found(
        found,
        clashes,
        findings=_findings(found, world),
        gaps=tuple(every[key] for key in sorted(every)),
        examined=len(entities),
        namespace="" if words else targets.namespace_of_options(options, world),
        undecided=any(gap.decisive for gap in (*missed, *gaps)),
        blind=any(gap.decisive for gap in more),
    )


def _findings(found: Sequence[Orphan], world: World) -> list[Finding]:
    """What the rules of ownership say of them, so that codes, --fail-on and `explain` agree."""
    codes = {rule.code for rule in BOOK.rules}
    told: list[Finding] = []
    for orphan in sorted(found, key=lambda one: one.sort not in FAULTS)[:JUDGED]:
        item: Object = orphan.entity.item
        if not orphan.entity.bare:
            verdict = judge_alone(item, orphan.entity.ref.kind, world)
            told += [finding for finding in verdict.findings if finding.code in codes]
    return told


def _answer(conversation: Session, result: report.Found | NotKnown, options: Options, *, previewing: bool) -> Answer:
    snapshot = conversation.snapshot
    world = World(snapshot)
    found = report.Found(gaps=(result.gap,), undecided=True) if isinstance(result, NotKnown) else result
    told, status = report.verdict(found)
    if found.preview is not None:
        told = report.preview_verdict(found.preview)
        status = Status.UNKNOWN if found.undecided else Status.OK
        sections = report.preview_sections(found.preview, explain=options.explain)
    elif previewing:
        told, sections = say("orphans.preview.unknown"), []
    else:
        sections = report.sections(found, world, every=options.output == "wide", explain=options.explain)
    return Answer(
        "Orphans",
        snapshot,
        report.to_json(found),
        Document(title=say("orphans.title"), verdict=told, status=status, sections=sections, gaps=found.gaps),
        names=[f"{one.entity.ref.kind.lower()}/{one.entity.ref.name}" for one in found.faults],
        findings=found.findings,
        gaps=found.gaps,
        undecided=found.undecided or found.blind,
    )
