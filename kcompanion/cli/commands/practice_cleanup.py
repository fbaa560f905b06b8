"""`kcompanion practice cleanup`: ends every exercise of this cluster at once, and finds those of nobody here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click

from kcompanion.cli import practising
from kcompanion.cli.context import target
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer, emit
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.write import NotWritten, Writer
from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, name_of
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.model.world import NotKnown, World
from kcompanion.practice.cases import PRACTICE
from kcompanion.practice.exercises import BY_ID
from kcompanion.report import practice as report

LEFT = 1


@click.command("cleanup")
@click.option("--all", "everybodys", is_flag=True, help="Also the exercises that others have begun.")
@reading
def command(options: Options, *, everybodys: bool) -> int:
    """Remove what your exercises have made in this cluster; names those that were begun elsewhere."""
    practising.refuse(options)
    connection = connect(target(options))
    kept = practising.kept()
    removed: list[str] = []
    left: list[str] = []
    for attempt in kept.all().values():
        if not attempt.open or attempt.server != connection.origin.server or attempt.exercise not in BY_ID:
            continue
        problems = practising.removed(options, connection, attempt)
        kept.keep(replace(attempt, open=bool(problems)))
        left += problems
        removed += [] if problems else [attempt.namespace]
    others, gaps = _others(options, connection, {one.run for one in kept.all().values()})
    if everybodys:
        problems = _deleted(Writer(connection, options.request_timeout), others)
        left += problems
        removed, others = [*removed, *others], []
    body = {"removed": removed, "left": left, "others": others}
    snapshot = Snapshot(options.now or datetime.now(UTC).replace(microsecond=0), connection.origin)
    document = report.cleaned(removed, left, others, gaps)
    answer = Answer("PracticeCleanup", snapshot, body, document, removed, gaps=gaps, undecided=bool(gaps))
    return emit(answer, options) or (LEFT if left else 0)


def _others(options: Options, connection: Connection, runs: set[str]) -> tuple[list[str], tuple[Gap, ...]]:
    """Namespaces of exercises that are not kept here; where they cannot be listed, why."""

    def work(world: World) -> tuple[list[str], tuple[Gap, ...]]:
        try:
            spaces = world.all(r.NAMESPACES, selector=PRACTICE)
        except NotKnown as unknown:
            return [], (unknown.gap,)
        return sorted(name_of(one) for one in spaces if labels_of(one).get(PRACTICE) not in runs), ()

    return practising.looked(options, connection, work)[0]


def _deleted(writer: Writer, names: list[str]) -> list[str]:
    problems = []
    for name in names:
        try:
            writer.delete(r.NAMESPACES, name)
        except NotWritten as error:
            problems.append(error.text)
    return problems
