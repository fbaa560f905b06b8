"""`kcompanion why-not`."""

from __future__ import annotations

import click

from kcompanion.cli.commands.why import named, pod_of
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.errors import NotFound
from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report import why as report
from kcompanion.report.document import Document
from kcompanion.scheduling.placement import Verdict, on_node
from kcompanion.scheduling.result import Fit

FIRST = (listing(r.NODES), listing(r.PODS))  # every predicate that counts needs both


@click.command("why-not")
@click.argument("pod")
@click.argument("node")
@reading
@whole
def command(options: Options, pod: str, node: str) -> int:
    """Whether a pod could go to a node: every scheduling predicate, recomputed, with the numbers."""
    pod_name, node_name = named(pod, r.PODS), named(node, r.NODES)

    def work(world: World) -> tuple[Object, Verdict] | NotKnown:
        try:
            found = pod_of(pod_name, options, world)
            place = world.get(r.NODES, node_name)
        except NotKnown as unknown:
            return unknown
        if place is None:
            raise NotFound(f'nodes "{node_name}" not found', "kubectl get nodes")
        return found, on_node(found, place, world)

    def produce(conversation: Session) -> Answer:
        return _answer(conversation, settle(conversation, work, FIRST), options)

    return run(options, produce)


def _answer(conversation: Session, result: tuple[Object, Verdict] | NotKnown, options: Options) -> Answer:
    snapshot = conversation.snapshot
    if isinstance(result, NotKnown):
        missing = (result.gap,)
        body = {"status": "unknown"}
        return Answer("WhyNot", snapshot, body, Document(gaps=missing), gaps=missing, undecided=True)
    pod, verdict = result
    gaps = tuple(dict.fromkeys(one.gap for one in verdict.unknown if one.gap))
    return Answer(
        "WhyNot",
        snapshot,
        report.node_json(pod, verdict),
        Document(
            verdict=report.verdict_on_node(pod, verdict),
            status=report.status_of(verdict.fit),
            sections=report.sections_on_node(pod, verdict, explain=options.explain),
            gaps=gaps,
        ),
        gaps=gaps,
        undecided=verdict.fit is Fit.UNKNOWN,
    )
