"""`kcompanion addons`: what is installed beside the control plane, and what stands in for what is not."""

from __future__ import annotations

import click

from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.session import Session
from kcompanion.controlplane.addonfindings import findings
from kcompanion.controlplane.addons import ASKS, ESSENTIAL, WORKLOADS, addons
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.rollout import further_asks
from kcompanion.model.finding import ranked
from kcompanion.model.message import say
from kcompanion.report import addons as report
from kcompanion.report.document import Document


@click.command("addons")
@reading
@whole
def command(options: Options) -> int:
    """DNS, network plugin, kube-proxy, metrics, ingress, storage, logging, monitoring: which, and how sure."""

    def produce(conversation: Session) -> Answer:
        snapshot = conversation.read(ASKS)
        if further := further_asks(snapshot):
            snapshot = conversation.read(further)
        found = addons(snapshot)
        complete = all(readable(snapshot, ask) for ask in (*ESSENTIAL, *WORKLOADS))
        told = ranked(findings(found, everything_read=complete))
        gaps = snapshot.gaps((*ASKS, *further))
        answer = Answer(
            "Addons",
            snapshot,
            found.to_json(),
            Document(
                title=say("addons.title"),
                verdict=report.verdict(found),
                status=found.status,
                sections=report.sections(found, explain=options.explain),
                findings=told,
                gaps=gaps,
            ),
            names=[f"addon/{addon.product}" for addon in found.found if addon.present],
            findings=told,
            gaps=gaps,
            undecided=not complete or found.unsure,
        )
        return answer

    return run(options, produce)
