"""`kcompanion reconcile`: the loop of a controller, watched at work or simulated."""

from __future__ import annotations

from importlib import import_module

import click

# name: module; imported only when it runs
_COMMANDS = {"simulate": "reconcile_simulate", "watch": "reconcile_watch"}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"kcompanion.cli.commands.{_COMMANDS[cmd_name]}").command
        return found


@click.group("reconcile", cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Compare desired with current, close the gap, again and again: what a controller does, step by step."""
