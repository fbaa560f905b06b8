"""`kcompanion completion SHELL`: the script that makes Tab complete commands and options."""

from __future__ import annotations

import click

_HELP = """Prints the completion script for SHELL.

\b
bash:  eval "$(kcompanion completion bash)"                in ~/.bashrc
zsh:   eval "$(kcompanion completion zsh)"                 in ~/.zshrc
fish:  kcompanion completion fish > ~/.config/fish/completions/kcompanion.fish

`kubectl companion` completes by itself when kubectl's own completion is set up.
"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    from kcompanion.cli.completion import script  # noqa: PLC0415 - it loads the whole command line

    click.echo(script(shell), nl=False)
