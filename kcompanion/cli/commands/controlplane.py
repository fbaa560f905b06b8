"""`kcompanion controlplane [VIEW] [COMPONENT]`: the control plane as it is, with the evidence."""

from __future__ import annotations

import click

from kcompanion.cli.context import session
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import Answer, emit
from kcompanion.controlplane import apiservers, asks
from kcompanion.controlplane.findings import findings
from kcompanion.controlplane.inspect import inspect
from kcompanion.errors import UsageError
from kcompanion.model.finding import Status
from kcompanion.report.controlplane import VIEWS, document

# Views that look at more than the overview does.
_MORE = {"certs": asks.CERTIFICATES, "traffic": asks.CERTIFICATES}


@click.command("controlplane")
@click.argument("view", type=click.Choice(VIEWS), default="overview")
@click.argument("component", required=False)
@reading
def command(options: Options, view: str, component: str | None) -> int:
    """Every control-plane component: where it runs, its health and the evidence for it.

    VIEW is one of overview (default), health, leaders, etcd, flags, versions, certs, network, join or traffic;
    `flags` takes a COMPONENT, e.g. kube-apiserver.
    """
    if component and view != "flags":
        raise UsageError(f"the view {view} takes no component", "only `controlplane flags COMPONENT` does")
    with session(options) as talk:
        snapshot = talk.read([*asks.OVERVIEW, *_MORE.get(view, ())])
        if further := apiservers.further_asks(snapshot):
            snapshot = talk.read(further)
    plane = inspect(snapshot)
    if component and component not in plane.flags:
        raise UsageError(f"no flags are known of {component!r}", f"choose one of {', '.join(plane.flags)}")
    found = findings(plane)
    gaps = snapshot.gaps(ask for ask in (*asks.OVERVIEW, *_MORE.get(view, ())))
    answer = Answer(
        "ControlPlane",
        snapshot,
        plane.to_json(),
        document(plane, snapshot, found, gaps, view=view, component=component, explain=options.explain),
        names=[c.name for c in plane.components],
        findings=found,
        gaps=gaps,
        undecided=plane.status is Status.UNKNOWN or any(c.status is Status.UNKNOWN for c in plane.components),
    )
    return emit(answer, options)
