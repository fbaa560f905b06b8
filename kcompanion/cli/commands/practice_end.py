"""`kcompanion practice end`: removes the exercise's namespace and keeps the score; the solution for who wants it."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

import click

from kcompanion.cli import practising
from kcompanion.cli.context import talk
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer, emit, screen
from kcompanion.cluster.attempts import Attempt
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot
from kcompanion.practice.exercises import BY_ID
from kcompanion.report import practice as report

LEFT = 1


@click.command("end")
@practising.naming(required=False)
@click.option("--solution/--no-solution", default=None, help="Tell what was wrong, without asking.")
@reading
def command(options: Options, name: str | None, *, solution: bool | None) -> int:
    """Remove the exercise's namespace; offers the solution when it was not solved."""
    practising.refuse(options)
    attempt = practising.under_way(name)
    connection = practising.connected(options, attempt)
    talk(screen(options).words(say("practice.removing", namespace=attempt.namespace)))
    left = practising.removed(options, connection, attempt)
    practising.kept().keep(replace(attempt, open=bool(left)))
    wanted = not left and _wanted(options, attempt, solution)
    finding, then = practising.explained(attempt) if wanted else (None, datetime.now(UTC))
    body = {
        "exercise": attempt.exercise,
        "solved": attempt.solved,
        "hints": attempt.hints,
        "left": left,
        "explanation": finding.to_json() if finding else None,
    }
    document = report.ended(BY_ID[attempt.exercise], left, finding, then, solved=attempt.solved)
    snapshot = Snapshot(options.now or datetime.now(UTC).replace(microsecond=0), connection.origin)
    emit(Answer("ExerciseEnd", snapshot, body, document, [attempt.exercise]), options)
    return LEFT if left else 0


def _wanted(options: Options, attempt: Attempt, solution: bool | None) -> bool:
    """Whether to tell what was wrong: who solved it has read it."""
    if solution is not None or attempt.solved or not sys.stdin.isatty():
        return bool(solution)
    return click.confirm(screen(options).words(say("practice.offer", id=attempt.exercise)), err=True)
