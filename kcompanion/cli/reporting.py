"""Reading and judging for `report`, `diff` and `serve`."""

from __future__ import annotations

from kcompanion.cli import gathering
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.explain.judge import Verdict
from kcompanion.explain.sweep import sweep
from kcompanion.model.ask import listing
from kcompanion.model.resources import EVENTS
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.report.whole.gathered import OWNERS, QUESTIONS, Gathered, Scope, gather


def gathered(conversation: Session, scope: Scope) -> Gathered:
    """Everything a report is told from, read in as many rounds as it takes.

    The rules want most of what is read late, so they have their rounds before trees and lives are made.
    """
    settled: dict[str, Verdict] = {}

    def known(world: World) -> Snapshot:
        return gathering.narrowed(world, QUESTIONS) if scope.kind == "cluster" else world.snapshot

    def judged(world: World) -> None:
        known(world)
        sweep(world, scope.namespace, settled=settled)

    space = scope.namespace
    more = [listing(resource, space or None) for resource in (*OWNERS, EVENTS)]
    settle(conversation, judged, [*gathering.first(space, QUESTIONS), *more])
    return settle(conversation, lambda world: gather(world, known(world), scope, settled))
