"""`kcompanion schema [NAME]`: the JSON Schemas that every `-o json` fits."""

from __future__ import annotations

import json
from importlib import resources as files
from importlib.resources.abc import Traversable

import click

from kcompanion.errors import NotFound


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Prints the JSON Schema of a kind of answer (ControlPlane, Nodes …), or lists the kinds."""
    known = {file.name.removesuffix(".json"): file for file in _folder().iterdir() if file.name.endswith(".json")}
    shared = json.loads(known.pop("common").read_text(encoding="utf-8"))
    if name is None:
        click.echo("\n".join(sorted(known)))
        return
    found = {kind.lower(): file for kind, file in known.items()}.get(name.lower())
    if found is None:
        raise NotFound(f"there is no schema {name!r}", f"there are: {', '.join(sorted(known))}")
    # whole: what the kinds share is a file of its own only here
    click.echo(json.dumps({**json.loads(found.read_text(encoding="utf-8")), **shared}, indent=2))


def _folder() -> Traversable:
    return files.files("kcompanion") / "schemas"
