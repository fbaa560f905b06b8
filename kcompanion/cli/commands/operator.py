"""`kcompanion operator`: put the operator into a cluster, look after it, take it out again, or run it here."""

from __future__ import annotations

import click

from kcompanion.cli.lazy import Lazy

# name: module; imported only when it runs
_COMMANDS = {
    "install": "operator_install",
    "status": "operator_status",
    "uninstall": "operator_uninstall",
    "run": "operator_run",
}


@click.group("operator", cls=Lazy, modules=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """The operator that keeps CompanionReplicaSets, or stands in for the built-in ReplicaSet controller.

    install and uninstall write to the cluster and say what; status only reads; run works from here, with the
    rights of the current context.
    """
