"""`kcompanion controlplane [VIEW] [COMPONENT]`: the control plane as it is, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run
from kcompanion.cluster.session import Session
from kcompanion.controlplane import apiservers, asks
from kcompanion.controlplane.findings import findings
from kcompanion.controlplane.inspect import inspect
from kcompanion.errors import UsageError
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.report.controlplane import VIEWS, document

# Views that look at more than the overview does.
_MORE = {"certs": asks.CERTIFICATES, "traffic": asks.CERTIFICATES}


@click.command("controlplane")
@click.argument("view", type=click.Choice(VIEWS), default="overview", metavar="[VIEW]")
@click.argument("component", required=False)
@reading
@whole
def command(options: Options, view: str, component: str | None) -> int:
    """Every control-plane component: where it runs, its health and the evidence for it.

    VIEW is one of overview (default), health, leaders, etcd, flags, controllers, scheduling, static,
    versions, certs, network, join or traffic;
    `flags` takes a COMPONENT, e.g. kube-apiserver.
    """
    if component and view != "flags":
        raise UsageError(f"the view {view} takes no component", "only `controlplane flags COMPONENT` does")

    def produce(conversation: Session) -> Answer:
        more = _MORE.get(view, ())
        snapshot = conversation.read([*asks.OVERVIEW, *more])
        if further := apiservers.further_asks(snapshot):
            snapshot = conversation.read(further)
        return _answer(snapshot, snapshot.gaps([*asks.OVERVIEW, *more]), view, component, explain=options.explain)

    return run(options, produce)


def _answer(snapshot: Snapshot, gaps: Sequence[Gap], view: str, component: str | None, *, explain: bool) -> Answer:
    plane = inspect(snapshot)
    if component and component not in plane.flags:
        raise UsageError(f"no flags are known of {component!r}", f"choose one of {', '.join(plane.flags)}")
    found = findings(plane)
    return Answer(
        "ControlPlane",
        snapshot,
        plane.to_json(),
        document(plane, snapshot, found, gaps, view=view, component=component, explain=explain),
        names=[c.name for c in plane.components],
        findings=found,
        gaps=gaps,
        undecided=any(c.status is Status.UNKNOWN for c in plane.components),
    )
