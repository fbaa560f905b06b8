"""`kcompanion snapshot save|inspect`: a cluster in a file, and what such a file holds."""

from __future__ import annotations

import click

from kcompanion.cli.context import session, talk
from kcompanion.cli.options import Options, reading
from kcompanion.cli.output import UNDECIDED


@click.group("snapshot")
def command() -> None:
    """Saves what every command would read to a file, or tells what a file holds."""


@command.command("save")
@click.argument("file")
@click.option("--anonymize", is_flag=True, help="Replace names, addresses and labels of your own.")
@click.option("--strict", is_flag=True, help="Exit 5 when anything could not be read.")
@reading
def save(options: Options, file: str, *, anonymize: bool, strict: bool) -> int:
    """Reads what every command needs and writes it to FILE (mode 0600, secrets never in it)."""
    from pathlib import Path  # noqa: PLC0415 - with the rest of this command's imports

    from kcompanion.cluster import everything, recording  # noqa: PLC0415 - as above

    with session(options) as conversation:
        snapshot = everything.read(conversation)
    if anonymize:
        from kcompanion.cluster.anonymize import anonymized  # noqa: PLC0415 - as above

        snapshot = anonymized(snapshot)
    recording.save(snapshot, Path(file))
    missing = [gap for gap in snapshot.gaps() if gap.decisive]
    objects = sum(len(r.body) for r in snapshot.readings.values() if isinstance(r.body, list))
    talk(f"{file}: {len(snapshot.readings)} answers, {objects} objects, {len(missing)} not learnt")
    for gap in missing:
        talk(f"  ? {gap.verb} {gap.resource}: {gap.outcome.value} {gap.detail}".rstrip())
    return UNDECIDED if strict and missing else 0
