"""`kcompanion operator`: put the operator into a cluster, look after it, take it out again, or run it here."""

from __future__ import annotations

from importlib import import_module

import click

# name: module; imported only when it runs
_COMMANDS = {
    "install": "operator_install",
    "status": "operator_status",
    "uninstall": "operator_uninstall",
    "run": "operator_run",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"kcompanion.cli.commands.{_COMMANDS[cmd_name]}").command
        return found


@click.group("operator", cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """The operator that keeps CompanionReplicaSets, or stands in for the built-in ReplicaSet controller.

    install and uninstall write to the cluster and say what; status only reads; run works from here, with the
    rights of the current context.
    """
