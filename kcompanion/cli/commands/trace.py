"""`kcompanion trace`: how an object came to be as it is; `--watch` and `trace run MANIFEST` follow one live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from kcompanion.cli import targets
from kcompanion.cli.options import Duration, Options, reading
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.errors import UsageError
from kcompanion.model.message import Message, say
from kcompanion.model.refs import ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report import trace as report
from kcompanion.report import trace_rollout
from kcompanion.report.document import Document, Section
from kcompanion.trace.creation import creation
from kcompanion.trace.managed import declared, writers
from kcompanion.trace.pod import life
from kcompanion.trace.rollout import KINDS, rollout
from kcompanion.trace.steps import timed
from kcompanion.trace.storage import prefix_of

EXAMPLE = "for example: kcompanion trace pod web-1"


@dataclass(frozen=True)
class Traced:
    """What a trace tells of one object, in whatever shape fits its kind."""

    body: dict[str, Any]
    verdict: Message
    sections: Sequence[Section]
    name: str
    gaps: Sequence[Gap] = field(default_factory=tuple)


@click.command("trace")
@click.argument("words", nargs=-1, metavar="TYPE NAME | TYPE/NAME | run MANIFEST")
@click.option("--timeout", type=Duration(), default=120.0, metavar="TIME", help="run: give up after this [2m].")
@click.option("--keep", is_flag=True, help="run: leave behind what it created.")
@reading
def command(options: Options, words: tuple[str, ...], *, timeout: float, keep: bool) -> int:
    """How an object came to be: each step with its actor, its duration and where that was read.

    `trace run MANIFEST` creates the objects of a manifest, follows them until they are ready, and removes them again.
    That writes to the cluster; everything else only reads.
    """
    if words[:1] == ("run",):
        from kcompanion.cli.commands.trace_run import run_manifest  # noqa: PLC0415 - only run writes

        return run_manifest(options, words[1:], timeout=timeout, keep=keep)
    if keep:
        raise UsageError("--keep belongs to `trace run`", "kcompanion trace run MANIFEST --keep")
    kind, name = _named(words)
    if options.watch:
        from kcompanion.cli.commands.trace_watch import watch  # noqa: PLC0415 - only --watch follows

        return watch(options, kind, name)

    def produce(conversation: Session) -> Answer:
        result = settle(conversation, lambda world: _work(kind, name, options, world))
        return _answer(conversation, result)

    return run(options, produce)


def _named(words: Sequence[str]) -> tuple[str, str]:
    """The one object that was named.

    Raises:
        UsageError: none, or several.
    """
    if not words:
        raise UsageError("name an object: TYPE NAME or TYPE/NAME", EXAMPLE)
    named = targets.pairs(words)
    if len(named) != 1 or not named[0][1]:
        raise UsageError("trace tells of one object at a time: TYPE NAME or TYPE/NAME", EXAMPLE)
    return named[0]


def _work(kind: str, name: str, options: Options, world: World) -> Traced | NotKnown:
    try:
        resource, item = found(kind, name, options, world)
    except NotKnown as unknown:
        return unknown
    if resource.kind == "Pod":
        return _pod(item, world, options)
    if resource.kind in KINDS and resource.group == "apps":
        return _rollout(item, resource, world, options)
    return _other(item, resource, world, options)


def found(kind: str, name: str, options: Options, world: World) -> tuple[Resource, Object]:
    """The object with its managedFields; without them where a recording does not hold them.

    Raises:
        NotFound: there is no such type or object.
        NotKnown: not read yet, or not readable.
    """
    [target] = targets.find_with_managed_fields(kind, name, options, world)
    return target.resource, target.item


def _head(item: Object, kind: str) -> dict[str, Any]:
    ref = ref_of(item, kind)
    return {"object": {"kind": kind, "namespace": ref.namespace or None, "name": ref.name}}


def _writers(item: Object) -> dict[str, Any]:
    return {"writers": [writer.to_json() for writer in writers(item)], "declared": declared(item).to_json()}


def _pod(item: Object, world: World, options: Options) -> Traced:
    ref = ref_of(item, "Pod")
    story = life(item, world, prefix_of(world))
    waiting = story.waiting
    body = {
        **_head(item, "Pod"),
        "steps": [step.to_json() for step in story.steps],
        "later": [step.to_json() for step in story.later],
        "waitingFor": waiting.to_json() if waiting else None,
        "notes": [note.to_json() for note in story.notes],
        **_writers(item),
    }
    told = report.sections(story, item, ref, explain=options.explain)
    return Traced(body, report.verdict(story, item, ref, world.now), told, ref.kubectl.split()[0], story.gaps)


def _rollout(item: Object, resource: Resource, world: World, options: Options) -> Traced:
    ref = ref_of(item, resource.kind)
    rolled = rollout(item, resource.kind, world)
    body = {
        **_head(item, resource.kind),
        "strategy": rolled.strategy,
        "stand": rolled.stand.to_json(),
        "revisions": [
            {**one.to_json(), "changes": [change.to_json() for change in rolled.changes_of(index)]}
            for index, one in enumerate(rolled.revisions)
        ],
        "scalings": [one.to_json() for one in rolled.scalings],
        "waitingForPods": list(rolled.blocking),
        **_writers(item),
    }
    told = trace_rollout.sections(rolled, explain=options.explain)
    told += report.generic(item, ref, timed(creation(item, resource, prefix_of(world)), world.now))[1:]
    return Traced(body, trace_rollout.verdict(rolled), told, ref.kubectl.split()[0], rolled.gaps)


def _other(item: Object, resource: Resource, world: World, options: Options) -> Traced:
    ref = ref_of(item, resource.kind)
    steps = timed(creation(item, resource, prefix_of(world)), world.now)
    body = {**_head(item, resource.kind), "steps": [step.to_json() for step in steps], **_writers(item)}
    told = report.generic(item, ref, steps, explain=options.explain)
    return Traced(body, say("trace.verdict.object", what=str(ref)), told, ref.kubectl.split()[0])


def _answer(conversation: Session, result: Traced | NotKnown) -> Answer:
    snapshot = conversation.snapshot
    if isinstance(result, NotKnown):
        gap = result.gap
        return Answer("Trace", snapshot, {}, Document(gaps=(gap,)), gaps=(gap,), undecided=True)
    document = Document(verdict=result.verdict, sections=result.sections, gaps=tuple(result.gaps))
    undecided = any(gap.decisive for gap in result.gaps)
    return Answer(
        "Trace", snapshot, result.body, document, names=[result.name], gaps=tuple(result.gaps), undecided=undecided
    )
