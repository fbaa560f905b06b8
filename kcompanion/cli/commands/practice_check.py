"""`kcompanion practice check`: whether it is mended, judged by what the cluster does; then why it was broken."""

from __future__ import annotations

from dataclasses import replace

import click

from kcompanion.cli import practising
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import UNDECIDED, Answer, emit
from kcompanion.practice import judgement
from kcompanion.report import practice as report

NOT_YET = 1


@click.command("check")
@practising.naming(required=False)
@reading
def command(options: Options, name: str | None) -> int:
    """Is it mended? Exit 0 if so, and why it was broken; 1 if not yet, and what is missing."""
    attempt, connection, made = practising.at_hand(options, name)
    judged, snapshot = practising.looked(options, connection, lambda world: judgement.judged(made, world))
    finding, then = practising.explained(attempt) if judged.solved else (None, snapshot.now)
    if judged.solved:
        practising.kept().keep(replace(attempt, solved=True, done=True))
    body = {
        "exercise": attempt.exercise,
        "solved": None if judged.undecided else judged.solved,
        "unmet": [{"object": str(goal.ref), "told": told.to_json()} for goal, told in judged.unmet],
        "remaining": [one.to_json() for one in judged.remaining],
        "explanation": finding.to_json() if finding else None,
    }
    document = report.checked(made, judged, finding, then)
    answer = Answer("ExerciseCheck", snapshot, body, document, [attempt.exercise], gaps=judged.gaps)
    emit(answer, options)
    return UNDECIDED if judged.undecided else 0 if judged.solved else NOT_YET
