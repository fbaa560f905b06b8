"""`kcompanion practice list`: the exercises, how hard they are, and which are done."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from kcompanion.cli.options import Options, printing
from kcompanion.cli.output import Answer, emit
from kcompanion.cli.practising import kept
from kcompanion.cluster.attempts import Attempt
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.practice.exercises import BY_ID, EXERCISES
from kcompanion.report import practice as report


@click.command("list")
@printing
def command(options: Options) -> int:
    """The exercises by topic, from easy (*) to hard (***), and how each stands. Asks no cluster."""
    attempts = kept().all()
    states = {name: _state(one) for name, one in attempts.items() if name in BY_ID}
    body = {
        "exercises": [
            {
                "id": one.id,
                "topic": one.topic,
                "level": one.level,
                "minutes": one.minutes,
                "needs": list(one.needs),
                "title": one.title.to_json(),
                "done": one.id in attempts and attempts[one.id].done,
                "open": one.id in attempts and attempts[one.id].open,
            }
            for one in EXERCISES
        ]
    }
    snapshot = Snapshot(datetime.now(UTC), Origin())
    return emit(Answer("Exercises", snapshot, body, report.catalogue(states), list(BY_ID)), options)


def _state(attempt: Attempt) -> str:
    return "open" if attempt.open else "done" if attempt.done else ""
