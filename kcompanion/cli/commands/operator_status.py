"""`kcompanion operator status`: what of the operator is in this cluster, and whether it works."""

from __future__ import annotations

import click

from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import NOTHING, Answer
from kcompanion.cli.run import run
from kcompanion.cluster.session import Session
from kcompanion.controlplane.health import readable
from kcompanion.installation.state import ASKS, ESSENTIAL, absent, further_asks, state
from kcompanion.model.message import say
from kcompanion.report import operator as report
from kcompanion.report.document import Document


@click.command("status")
@reading
def command(options: Options) -> int:
    """Leader, replicas, targets, the kind and the last errors. Exit code 4 if nothing of it is here."""
    nothing = False

    def produce(conversation: Session) -> Answer:
        nonlocal nothing
        snapshot = conversation.read(ASKS)
        asks = further_asks(snapshot)
        snapshot = conversation.read(asks)
        found = state(snapshot)
        nothing = absent(snapshot)
        gaps = snapshot.gaps((*ASKS, *asks))
        return Answer(
            "OperatorStatus",
            snapshot,
            found.to_json(),
            Document(
                title=say("operator.title"),
                verdict=report.verdict(found),
                status=found.status if found.operators else None,
                sections=[] if nothing else report.sections(found),
                gaps=[gap for gap in gaps if gap.decisive],
            ),
            names=[f"{one.workload}" for one in found.operators if one.workload],
            gaps=gaps,
            undecided=not all(readable(snapshot, ask) for ask in ESSENTIAL),
        )

    code = run(options, produce)
    return NOTHING if code == 0 and nothing else code
