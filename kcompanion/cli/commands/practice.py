"""`kcompanion practice`: broken things to mend with kubectl, judged by what the cluster does."""

from __future__ import annotations

import click

from kcompanion.cli.lazy import Lazy

# name: module; imported only when it runs
_COMMANDS = {
    "list": "practice_list",
    "start": "practice_start",
    "hint": "practice_hint",
    "check": "practice_check",
    "end": "practice_end",
    "cleanup": "practice_cleanup",
}


@click.group("practice", cls=Lazy, modules=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Exercises: something is broken in a namespace of its own; mend it with kubectl.

    start makes it and says what shows, hint helps in three steps, check judges by what the cluster does: any way that
    mends it is right. end removes the namespace and keeps the score.
    """
