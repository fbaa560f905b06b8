"""`kcompanion version`: client, server, and whether this client was made for that server."""

from __future__ import annotations

import re
from typing import Any

import click

from kcompanion import __version__
from kcompanion.cli.context import session
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer, emit
from kcompanion.controlplane import asks
from kcompanion.controlplane.versions import SUPPORTED_MINORS, server_version
from kcompanion.model.finding import Status
from kcompanion.model.message import say
from kcompanion.report.document import Document, Facts, Section


@click.command("version")
@reading
@whole
def command(options: Options) -> int:
    """Versions of kcompanion, its Kubernetes client and the server, and whether they fit."""
    with session(options) as talk:
        snapshot = talk.read([asks.VERSION])
    server = server_version(snapshot)
    minor = _minor(server)
    fits = minor is not None and minor in SUPPORTED_MINORS
    status = Status.OK if fits else Status.WARN if server else Status.UNKNOWN
    body: dict[str, Any] = {
        "client": __version__,
        "supportedMinors": [f"1.{m}" for m in SUPPORTED_MINORS],
        "server": server or None,
        "status": status.value,
    }
    span = f"1.{SUPPORTED_MINORS[0]} – 1.{SUPPORTED_MINORS[-1]}"
    facts = Facts(
        (
            (say("version.client"), __version__),
            (say("version.reads"), span),
            (say("version.server"), server or None),
            (say("version.skew"), status),
        )
    )
    answer = Answer(
        "Version",
        snapshot,
        body,
        Document(sections=(Section(say("version.title"), (facts,)),)),
        gaps=snapshot.gaps(),
        undecided=not server,
    )
    return emit(answer, options)


def _minor(version: str) -> int | None:
    found = re.match(r"v1\.(\d+)", version)
    return int(found[1]) if found else None
