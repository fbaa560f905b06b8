"""`kcompanion explain`: objects, and the book behind them (phases, conditions, reasons, exit codes)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from kcompanion.cli import manifests, targets
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run, run_even_without
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.errors import UsageError
from kcompanion.explain.judge import judge
from kcompanion.model.finding import Status
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.model.world import NotKnown, World
from kcompanion.report import book
from kcompanion.report import explain as report
from kcompanion.report.book.page import Page
from kcompanion.report.document import Document, Section
from kcompanion.report.explain import IN_FULL, Answered, Explained
from kcompanion.report.portraits.settings import RESOURCES, missing_section


@click.command("explain")
@click.argument("words", nargs=-1, metavar="TYPE NAME | TYPE/NAME … | TOPIC [WORD]")
@click.option("-f", "--filename", "file", metavar="FILE", help="Explain the objects a manifest names; - is stdin.")
@click.option("--short", is_flag=True, help="One line per object: STATUS and root cause.")
@click.option("--with-logs", is_flag=True, help="With --record: keep crashed containers' last lines too.")
@reading
def command(options: Options, words: tuple[str, ...], file: str | None, short: bool, with_logs: bool) -> int:
    """Why an object is as it is: the root cause first, then the evidence, why, and what to do next.

    TYPE alone explains all objects of the type in the namespace. With many objects each cause is told once; -o wide
    tells all, --explain adds what things are.

    The topics `phase`, `condition`, `reason` and `exit-code` open the book: `explain phase Pending`, `explain
    exit-code 137`; without a word they list what there is.
    """
    if words and words[0].lower() in book.TOPICS and not file:
        return _topic(options, words)
    if file and words:
        raise UsageError("-f and names exclude each other", "the manifest names the objects")
    if not file:
        targets.pairs(words)
    named = manifests.named_in(file) if file else ()
    lists = not named and any(not name for _, name in targets.pairs(words))

    def found(world: World) -> tuple[list[targets.Target], list[Ref]]:
        if named:
            return manifests.find(named, options, world)
        objects, absent = targets.find_some(words, options, world)
        return objects, [one.ref for one in absent]

    def produce(conversation: Session) -> Answer:
        def work(world: World) -> tuple[Answered, list[Section]] | NotKnown:
            try:
                objects, absent = found(world)
            except NotKnown as unknown:
                return unknown
            told = _told(objects, absent, world, options, short=short, manifest=bool(named))
            return (told[0], [*told[1], *_asked_for(objects, world)]) if lists and not short else told

        result = settle(conversation, work, logs=with_logs or not options.record)
        return _answer(conversation, result)

    # one line per object: it is for `grep` and `sort`, so no line is broken
    shown = replace(options, output="wide") if short and options.output == "table" else options
    return run(shown, produce)


def _topic(options: Options, words: Sequence[str]) -> int:
    """A page of the book, with examples from this cluster, or without where none answers."""
    topic, word = words[0].lower(), " ".join(words[1:])
    book.check(topic, word)

    def work(world: World) -> Page:
        space = "" if options.all_namespaces else options.namespace or ""
        return book.page(topic, word, world, space)

    def told(page: Page, snapshot: Snapshot, gaps: Sequence[Gap]) -> Answer:
        document = Document(sections=page.sections, gaps=gaps)
        return Answer("Topic", snapshot, page.to_json(), document, names=page.names, gaps=page.gaps)

    def produce(conversation: Session) -> Answer:
        page = settle(conversation, work)
        return told(page, conversation.snapshot, page.gaps)

    # that nothing could be read was said already, and why
    return run_even_without(options, produce, lambda snapshot: told(work(World(snapshot)), snapshot, ()))


def _told(
    objects: Sequence[targets.Target],
    absent: Sequence[Ref],
    world: World,
    options: Options,
    *,
    short: bool,
    manifest: bool,
) -> tuple[Answered, list[Section]]:
    wide = options.output == "wide"
    verdicts = [(target.item, judge(target.item, target.ref.kind, world)) for target in objects]
    in_full = len(objects) <= IN_FULL and not short and (wide or not report.alike(verdicts))
    explained = []
    for item, verdict in verdicts:
        drawn = report.sections(verdict, item, world, wide=wide, lessons=options.explain) if in_full else []
        explained.append(Explained(item, verdict, drawn))
    answered = Answered(explained, absent)
    if in_full:
        told = [section for one in explained for section in one.sections]
    else:
        told = report.short(answered) if short else report.many(answered, world, wide=wide)
    return answered, [*told, *report.absent(absent, manifest=manifest)]


def _asked_for(objects: Sequence[targets.Target], world: World) -> Iterator[Section]:
    """Beside a list of ConfigMaps or Secrets: those that pods ask for and that are not there."""
    for kind in sorted({target.ref.kind for target in objects} & set(RESOURCES)):
        spaces = sorted({target.ref.namespace for target in objects if target.ref.kind == kind})
        try:
            yield from missing_section(world, kind, spaces)
        except NotKnown:
            continue  # the wish is noted; a right that is missing is named by the objects' own verdicts


def _answer(conversation: Session, result: tuple[Answered, list[Section]] | NotKnown) -> Answer:
    if isinstance(result, NotKnown):
        gap = result.gap
        return _finished(conversation, Answered(), [], {gap.what: gap}, unknown=True)
    answered, told = result
    gaps = {m.gap.what: m.gap for one in answered.explained for m in one.verdict.not_evaluated}
    return _finished(conversation, answered, told, gaps, unknown=False)


def _finished(
    conversation: Session, answered: Answered, told: list[Section], gaps: dict[str, Gap], *, unknown: bool
) -> Answer:
    explained = answered.explained
    return Answer(
        "Explanation",
        conversation.snapshot,
        {
            "status": answered.status.value,
            "objects": [one.to_json() for one in explained],
            "absent": [ref.subject for ref in answered.absent],
        },
        Document(sections=told, gaps=tuple(gaps.values()) if unknown else ()),
        names=[one.verdict.ref.kubectl.partition(" ")[0] for one in explained],
        findings=[finding for one in explained for finding in one.verdict.findings],
        gaps=tuple(gaps[key] for key in sorted(gaps)),
        missing=bool(answered.absent),
        undecided=unknown or any(one.verdict.status is Status.UNKNOWN for one in explained),
    )
