"""`kcompanion reconcile`: the loop of a controller, watched at work or simulated."""

from __future__ import annotations

import click

from kcompanion.cli.lazy import Lazy

# name: module; imported only when it runs
_COMMANDS = {"simulate": "reconcile_simulate", "watch": "reconcile_watch"}


@click.group("reconcile", cls=Lazy, modules=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Compare desired with current, close the gap, again and again: what a controller does, step by step."""
