"""`kcompanion practice`: broken things to mend with kubectl, judged by what the cluster does."""

from __future__ import annotations

from importlib import import_module

import click

# name: module; imported only when it runs
_COMMANDS = {
    "list": "practice_list",
    "start": "practice_start",
    "hint": "practice_hint",
    "check": "practice_check",
    "end": "practice_end",
    "cleanup": "practice_cleanup",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"kcompanion.cli.commands.{_COMMANDS[cmd_name]}").command
        return found


@click.group("practice", cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Exercises: something is broken in a namespace of its own; mend it with kubectl.

    start makes it and says what shows, hint helps in three steps, check judges by what the cluster does: any way that
    mends it is right. end removes the namespace and keeps the score.
    """
