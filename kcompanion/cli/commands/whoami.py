"""`kcompanion whoami`: who the API server takes us for, and what a node needs to join."""

from __future__ import annotations

from typing import Any

import click

from kcompanion.access.identity import ASKS, ESSENTIAL, findings, identity
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.session import Session
from kcompanion.controlplane.health import readable
from kcompanion.model.finding import ranked
from kcompanion.model.message import say
from kcompanion.report import whoami as report
from kcompanion.report.document import Document


@click.command("whoami")
@reading
@whole
def command(options: Options) -> int:
    """Your user and groups as the API server sees them, your certificate, and how a node would join."""

    def produce(conversation: Session) -> Answer:
        snapshot = conversation.read(ASKS)
        found = identity(snapshot)
        told = ranked(findings(found))
        gaps = snapshot.gaps(ASKS)
        impersonated = ", ".join(part for part in (options.as_user, *options.as_group) if part)
        body: dict[str, Any] = {
            **found.to_json(),
            "impersonating": {"user": options.as_user, "groups": list(options.as_group)} if impersonated else None,
            "kubeconfigUser": snapshot.origin.user or None,
        }
        return Answer(
            "WhoAmI",
            snapshot,
            body,
            Document(
                title=say("whoami.title"),
                verdict=report.verdict(found, impersonated),
                sections=report.sections(found, impersonated, snapshot.origin.user, explain=options.explain),
                findings=told,
                gaps=gaps,
            ),
            names=[f"user/{found.user}"] if found.user else [],
            findings=told,
            gaps=gaps,
            undecided=not all(readable(snapshot, ask) for ask in ESSENTIAL),
        )

    return run(options, produce)
