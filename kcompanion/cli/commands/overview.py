"""`kcompanion overview`: what is up in this cluster, on one screen."""

from __future__ import annotations

from dataclasses import replace

import click

from kcompanion.cli import gathering
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.controlplane.survey import ASKS, survey
from kcompanion.explain.judge import Verdict
from kcompanion.explain.sweep import sweep
from kcompanion.model.resources import PODS
from kcompanion.model.snapshot import Gap
from kcompanion.model.world import NotKnown, World
from kcompanion.report import health
from kcompanion.report.beside import beside_rules, with_open_questions
from kcompanion.report.overview import Below, Overview, document
from kcompanion.report.overview_json import to_json
from kcompanion.text.catalog import phrase
from kcompanion.trace.lately import Moment, events_of, lately


@click.command("overview")
@reading
@whole
def command(options: Options) -> int:
    """The cluster on one screen: verdict, worst causes, control plane, nodes, workloads, what happened last.

    -w keeps it up to date; -o wide cuts nothing; with -n it is about one namespace.
    """

    def produce(conversation: Session) -> Answer:
        return _answer(conversation, options)

    return run(options, produce)


def _answer(conversation: Session, options: Options) -> Answer:
    namespace = gathering.namespace(conversation, options)
    settled: dict[str, Verdict] = {}
    # first what the rules want: the nodes and the control plane need not be judged anew in each of their rounds
    settle(conversation, lambda world: _judged(world, namespace, settled), gathering.first(namespace, ASKS))
    found = settle(conversation, lambda world: _seen(world, namespace, settled))
    found = replace(found, swept=gathering.of_what_exists(conversation, namespace, found.swept))
    gaps = {one.gap.what: one.gap for one in found.swept.not_evaluated}
    return Answer(
        "Overview",
        conversation.snapshot,
        to_json(found, lambda message: phrase(message, "en")),  # JSON is the same in every language
        document(found, every=options.output == "wide"),
        names=[entry.root for entry in found.notable],
        findings=health.bounded(found.kept),
        gaps=tuple(gaps[key] for key in sorted(gaps)),
        undecided=found.undecided,
    )


def _judged(world: World, namespace: str, settled: dict[str, Verdict]) -> None:
    if not namespace:
        gathering.narrowed(world, ASKS)
    sweep(world, namespace, settled=settled)
    _moments(world, namespace)


def _seen(world: World, namespace: str, settled: dict[str, Verdict]) -> Overview:
    below: Below | None = None
    if namespace:
        swept = sweep(world, namespace, settled=settled)
    else:
        snapshot = gathering.narrowed(world, ASKS)
        seen = survey(snapshot)
        below = Below(seen.plane, seen.of_plane, seen.nodes, seen.nodes_known)
        swept = with_open_questions(sweep(world, namespace, beside_rules(seen), settled), seen, snapshot)
    moments, gap = _moments(world, namespace)
    return Overview(world, namespace, below, swept, moments, gap)


def _moments(world: World, namespace: str) -> tuple[tuple[Moment, ...], Gap | None]:
    """What happened last, or why that is not known; it decides nothing."""
    ask = events_of(namespace, len(world.seen(PODS, namespace)))
    try:
        body = world.ask(ask).body
    except NotKnown as unknown:
        return (), unknown.gap
    return tuple(lately(body if isinstance(body, list) else ())), None
