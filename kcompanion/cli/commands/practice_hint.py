"""`kcompanion practice hint`: the next of three hints, from where to look to what is wrong, as the cluster stands."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from kcompanion.cli import practising
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer, emit
from kcompanion.cluster.connect import Connection
from kcompanion.model.finding import Finding
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.practice import judgement
from kcompanion.practice.cases import Case
from kcompanion.practice.judgement import Judgement
from kcompanion.report import practice as report

LOOKS = 3  # until the cause is taken for gone
EVERY = 2.0  # seconds between two


@click.command("hint")
@practising.naming(required=False)
@reading
def command(options: Options, name: str | None) -> int:
    """The next hint of three: where to look, which fields tell it, what is wrong and what to do."""
    attempt, connection, made = practising.at_hand(options, name)

    judged, finding, snapshot = _found(options, connection, made)
    number = min(attempt.hints + 1, report.HINTS)
    practising.kept().keep(replace(attempt, hints=number))
    shown = finding if number > 1 else None
    body = {
        "exercise": attempt.exercise,
        "hint": number,
        "of": report.HINTS,
        "evidence": [one.to_json() for one in shown.evidence] if shown else [],
        "cause": shown.to_json() if shown and number == report.HINTS else None,
    }
    document = report.hint(made, number, finding, judged)
    return emit(Answer("ExerciseHint", snapshot, body, document, [attempt.exercise]), options)


def _found(options: Options, connection: Connection, made: Case) -> tuple[Judgement, Finding | None, Snapshot]:
    """How it stands now; what starts and ends again and again looks well in between, so more than one look may tell."""

    def work(world: World) -> tuple[Judgement, Finding | None]:
        return judgement.judged(made, world), judgement.cause(made, world)

    looks = 0
    while True:
        (judged, finding), snapshot = practising.looked(options, connection, work, logs=True)
        looks += 1
        if judged.solved or looks == LOOKS or (finding is not None and finding.code == made.exercise.code):
            return judged, finding, snapshot
        time.sleep(EVERY)
