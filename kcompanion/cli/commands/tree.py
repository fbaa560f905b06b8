"""`kcompanion tree` and `kcompanion owners`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import click

from kcompanion.cli import targets
from kcompanion.cli.options import Options, reading_with
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.explain.judge import collapsed
from kcompanion.model import discovery
from kcompanion.model.events import Event
from kcompanion.model.message import say
from kcompanion.model.snapshot import Gap
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.owners import Entity
from kcompanion.ownership.relations import KINDS, related
from kcompanion.ownership.tree import Forest, grow
from kcompanion.render.dot import dot
from kcompanion.render.mermaid import mermaid
from kcompanion.render.svgtree import svg
from kcompanion.report import tree as report
from kcompanion.report.document import Document
from kcompanion.report.tree import Part
from kcompanion.report.tree_diagram import diagram
from kcompanion.report.tree_json import to_json
from kcompanion.text.language import choose_language

DRAWN = ("mermaid", "dot", "svg")


class Kinds(click.ParamType[tuple[str, ...]]):
    """`services,config`, or `all`."""

    name = "kinds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = [word for word in str(value).split(",") if word]
        wanted = list(KINDS) if "all" in words else words
        if unknown := [word for word in wanted if word not in KINDS]:
            self.fail(f"{unknown[0]!r} is none of {', '.join(KINDS)}, all", param, ctx)
        return tuple(dict.fromkeys(wanted))


@click.command("tree")
@click.argument("words", nargs=-1, metavar="TYPE NAME | TYPE/NAME …")
@click.option(
    "--with",
    "relations",
    type=Kinds(),
    default="",
    metavar="KINDS",
    help=f"Other relations too: {', '.join(KINDS)}; comma-separated, or all.",
)
@click.option("--events", "with_events", is_flag=True, help="The events of the whole tree, by time.")
@reading_with(*DRAWN)
def command(options: Options, words: tuple[str, ...], *, relations: tuple[str, ...], with_events: bool) -> int:
    """Any object with everything above and below it: owners, dependents, how each is."""
    return show(options, words, relations=relations, with_events=with_events)


def show(
    options: Options,
    words: Sequence[str],
    *,
    relations: Sequence[str] = (),
    with_events: bool = False,
    down: bool = True,
) -> int:
    """Reads and prints the trees of the objects named; `down=False` leaves out what hangs below them."""
    targets.pairs(words)

    def work(world: World) -> report.Grown | NotKnown:
        try:
            found = targets.find(words, options, world)
        except NotKnown as unknown:
            return unknown
        forest = grow([Entity(one.resource, one.item) for one in found], world, down=down)
        states = report.states(forest, world)
        edges, unrelated = related(relations, [node.entity for node in forest.walk()], world)
        events, unheard = _events(forest, world) if with_events else (None, ())
        unread = {Part.RELATIONS: unrelated, Part.EVENTS: unheard}
        return report.Grown(forest, states, edges if relations else None, events, unread)

    def produce(conversation: Session) -> Answer:
        result = settle(conversation, work, discovery.ROOTS if down else ())
        if isinstance(result, NotKnown):
            told = Document(gaps=(result.gap,))
            body = {"status": "unknown", "roots": [], "relations": [], "events": []}
            return Answer("Tree", conversation.snapshot, body, told, gaps=(result.gap,), undecided=True)
        return _answer(conversation, result, options)

    return run(options, produce)


def _events(forest: Forest, world: World) -> tuple[list[Event] | None, Sequence[Gap]]:
    try:
        return report.events_of(forest, world), ()
    except NotKnown as unknown:
        return None, (unknown.gap,)


def _answer(conversation: Session, grown: report.Grown, options: Options) -> Answer:
    snapshot = conversation.snapshot
    told, status = report.verdict(grown)
    every = options.output == "wide"
    gaps = tuple({gap.what: gap for those in grown.gaps.values() for gap in those}.values())
    verdicts = [state.verdict for state in grown.states.values() if state.verdict is not None]
    return Answer(
        "Tree",
        snapshot,
        to_json(grown),
        Document(
            title=say("tree.title"),
            verdict=told,
            status=status,
            sections=report.sections(grown, World(snapshot), every=every, explain=options.explain),
        ),
        names=[_name(node.entity) for node in grown.forest.walk()],
        findings=list(collapsed(finding for verdict in verdicts for finding in verdict.findings)),
        gaps=gaps,
        undecided=grown.undecided,
        drawn=_drawn(grown, options),
    )


def _drawn(grown: report.Grown, options: Options) -> dict[str, Callable[[], str]]:
    """The diagrams, each drawn only when it is asked for."""
    language = choose_language(options.lang, os.environ)
    return {
        "mermaid": lambda: mermaid(diagram(grown), language),
        "dot": lambda: dot(diagram(grown), language),
        "svg": lambda: svg(diagram(grown), language),
    }


def _name(entity: Entity) -> str:
    """As `kubectl get -o name` writes it: `pod/web-1`, `deployment.apps/web`."""
    group = f".{entity.resource.group}" if entity.resource.group else ""
    return f"{entity.ref.kind.lower()}{group}/{entity.ref.name}"
