"""Groups of commands whose modules are imported only when they run: `--help` has to answer at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Lazy(click.Group):
    """Knows its commands by the names of modules in kcompanion.cli.commands; each has a `command`."""

    def __init__(self, *words: Any, modules: Mapping[str, str], **more: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*words, **more)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in self._modules:
            return None
        found: click.Command = import_module(f"kcompanion.cli.commands.{self._modules[cmd_name]}").command
        return found
