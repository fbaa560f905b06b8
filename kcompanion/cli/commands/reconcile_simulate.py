"""`kcompanion reconcile simulate [SCENARIO]`: the operator's own core in front of a made-up API server."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime

import click

from kcompanion.cli.options import Options, printing
from kcompanion.cli.output import Answer, emit
from kcompanion.errors import NotFound
from kcompanion.model.snapshot import Snapshot
from kcompanion.reconcile.moments import SECOND
from kcompanion.reconcile.simulate.scenarios import SCENARIOS, play
from kcompanion.reconcile.simulate.story import BEGIN
from kcompanion.report import simulate as report
from kcompanion.report.document import Document
from kcompanion.text.catalog import phrase


@click.command("simulate", short_help="Play a scenario on the operator's own core, without a cluster.")
@click.argument("scenario", required=False, metavar="[SCENARIO]")
@printing
def command(options: Options, scenario: str | None) -> int:
    """Plays a scenario on the operator's own core, with a made-up API server in place of a cluster.

    Each step tells what woke the controller, what it wanted and found, what it did and what was answered. Without
    SCENARIO it lists them. No cluster is asked.
    """
    if scenario is None:
        body = report.listed(tuple(SCENARIOS), lambda message: phrase(message, "en"))
        return _emit(body, report.listing(SCENARIOS), tuple(SCENARIOS), options)
    if scenario not in SCENARIOS:
        near = difflib.get_close_matches(scenario, SCENARIOS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(SCENARIOS)}"
        raise NotFound(f"there is no scenario {scenario!r}", hint)
    story = play(scenario)
    body = report.to_json(story, lambda message: phrase(message, "en"))
    return _emit(body, report.document(story), (scenario,), options)


def _emit(body: dict[str, object], document: Document, names: tuple[str, ...], options: Options) -> int:
    snapshot = Snapshot(datetime.fromtimestamp(BEGIN // SECOND, UTC))
    return emit(Answer("Simulation", snapshot, body, document, names), options)
