"""`kcompanion owners`: the tree without what hangs below, which needs no lists."""

from __future__ import annotations

import click

from kcompanion.cli.commands.tree import DRAWN, show
from kcompanion.cli.options import Options, reading_with


@click.command("owners")
@click.argument("words", nargs=-1, metavar="TYPE NAME | TYPE/NAME …")
@reading_with(*DRAWN)
def command(options: Options, words: tuple[str, ...]) -> int:
    """The owners of an object, up to the topmost one."""
    return show(options, words, down=False)
