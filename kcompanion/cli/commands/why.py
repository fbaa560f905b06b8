"""`kcompanion why`."""

from __future__ import annotations

from dataclasses import dataclass

import click

from kcompanion.cli import targets
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.errors import NotFound, UsageError
from kcompanion.model import resources as r
from kcompanion.model.ask import listing
from kcompanion.model.finding import Status
from kcompanion.model.refs import ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report import why as report
from kcompanion.report.document import Document
from kcompanion.scheduling.placement import Placement, place

FIRST = (listing(r.NODES), listing(r.PODS))  # every predicate that counts needs both
_SHORT = {"pods": "po", "nodes": "no"}


@dataclass(frozen=True)
class Found:
    """A pod with every node's verdict, and how it was bound."""

    pod: Object
    placement: Placement
    binding: report.Binding

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What of the placement could not be read, each once."""
        missing = [self.placement.gap, *(x.gap for v in self.placement.undecided for x in v.unknown)]
        return tuple(dict.fromkeys(gap for gap in missing if gap))


@click.command("why")
@click.argument("pod")
@reading
@whole
def command(options: Options, pod: str) -> int:
    """Why a pod is on its node or on none: every node against every scheduling predicate, recomputed."""
    name = named(pod, r.PODS)

    def work(world: World) -> Found | NotKnown:
        try:
            found = pod_of(name, options, world)
        except NotKnown as unknown:
            return unknown
        return Found(found, place(found, world), _binding(found, world))

    def produce(conversation: Session) -> Answer:
        return _answer(conversation, settle(conversation, work, FIRST), options)

    return run(options, produce)


def named(word: str, resource: Resource) -> str:
    """The name in `web-1`, `pod/web-1` or `node/worker-1`.

    Raises:
        UsageError: it names another kind of object.
    """
    kind, slash, name = word.rpartition("/")
    if slash and (not name or kind.lower() not in (resource.plural, resource.kind.lower(), _SHORT[resource.plural])):
        raise UsageError(f"{word!r} is no {resource.kind.lower()}", f"give the name of a {resource.kind.lower()}")
    return name


def pod_of(name: str, options: Options, world: World) -> Object:
    """The pod of that name in the namespace of the options.

    Raises:
        NotFound: there is none.
        NotKnown: it was not read, or could not be.
    """
    if options.all_namespaces:
        raise UsageError("a name and -A exclude each other", "name the namespace with -n")
    space = targets.namespace_of_options(options, world)
    pod = world.get(r.PODS, name, space)
    if pod is None:
        raise NotFound(f'pods "{name}" not found in namespace {space}', "kubectl get pods -A")
    return pod


def _binding(pod: Object, world: World) -> report.Binding:
    try:
        return report.binding_of(pod, world.events(ref_of(pod, "Pod")), None)
    except NotKnown as unknown:
        return report.binding_of(pod, (), unknown.gap)


def _answer(conversation: Session, result: Found | NotKnown, options: Options) -> Answer:
    snapshot = conversation.snapshot
    if isinstance(result, NotKnown):
        missing = (result.gap,)
        return Answer("Why", snapshot, {"status": "unknown"}, Document(gaps=missing), gaps=missing, undecided=True)
    verdict, status = report.verdict_on_all(result.pod, result.placement, result.binding)
    undecided = bool(result.placement.gap or result.placement.undecided)
    wide = options.output == "wide"
    return Answer(
        "Why",
        snapshot,
        {**report.all_json(result.pod, result.placement, result.binding), "status": status.value},
        Document(
            verdict=verdict,
            status=Status.UNKNOWN if undecided and status is Status.OK else status,
            sections=report.sections_on_all(
                result.pod, result.placement, result.binding, explain=options.explain, wide=wide
            ),
            gaps=result.gaps,
        ),
        gaps=result.gaps,
        undecided=undecided,
    )
