"""`kcompanion snapshot save|inspect`: a cluster in a file, and what such a file holds."""

from __future__ import annotations

import os
from pathlib import Path

import click

from kcompanion.cli.context import recording_path, session, talk
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import UNDECIDED, Answer, emit
from kcompanion.errors import UsageError
from kcompanion.model.contents import contents
from kcompanion.model.message import Message, say
from kcompanion.report import snapshotinfo
from kcompanion.text.catalog import phrase
from kcompanion.text.language import choose_language


@click.group("snapshot")
def command() -> None:
    """Saves what every command would read to a file, or tells what a file holds."""


@command.command("save")
@click.argument("file")
@click.option("--anonymize", is_flag=True, help="Replace names, addresses and labels of your own.")
@click.option("--strict", is_flag=True, help="Exit 5 when anything could not be read.")
@reading
@whole
def save(options: Options, file: str, *, anonymize: bool, strict: bool) -> int:
    """Reads what every command needs and writes it to FILE (mode 0600, secrets never in it)."""
    from kcompanion.access import rights  # noqa: PLC0415 - not for --help
    from kcompanion.cli import needs  # noqa: PLC0415 - as above
    from kcompanion.cluster import everything, recording  # noqa: PLC0415 - as above

    if Path(file).is_dir():
        raise UsageError(f"{file} is a folder", "name a file, for example cluster.kcr")
    with session(options) as conversation:
        everything.read(conversation)
        snapshot = conversation.read(rights.reviews(needs.NEEDS))  # for `doctor --from`
    if anonymize:
        from kcompanion.cluster.anonymize import anonymized  # noqa: PLC0415 - as above

        snapshot = anonymized(snapshot)
    recording.save(snapshot, Path(file))
    held = contents(snapshot)
    missing = [gap for gap in snapshot.gaps() if gap.decisive]
    lines = [
        say("snapshot.saved", file=file, answers=held.answers, objects=sum(held.objects.values()), gaps=len(missing))
    ]
    lines += snapshotinfo.redaction_lines(held)
    lines += [say("snapshot.no_certificates")] if anonymize else []
    _tell(lines, options)
    for gap in missing:
        talk(f"  ? {gap.verb} {gap.resource}: {gap.outcome.value} {gap.detail}".rstrip())
    return UNDECIDED if strict and missing else 0


@command.command("inspect")
@click.argument("file")
@reading
@whole
def inspect(options: Options, file: str) -> int:
    """Tells what FILE (or demo:NAME, a shipped recording) holds: which cluster, how much, what is missing."""
    from kcompanion.cluster import recording  # noqa: PLC0415 - not for --help

    snapshot, header = recording.load_with_header(recording_path(file))
    held = contents(snapshot)
    gaps = snapshot.gaps()
    facts = {"version": header.version, "written_by": header.written_by, "size": header.size}
    answer = Answer(
        "SnapshotInfo",
        snapshot,
        snapshotinfo.body(held, snapshot, **facts),  # type: ignore[arg-type] # one dict for two calls
        snapshotinfo.document(held, snapshot, gaps, **facts),  # type: ignore[arg-type] # as above
        names=[f"{kind}/{count}" for kind, count in held.objects.items()],
        gaps=gaps,
    )
    return emit(answer, options)


def _tell(lines: list[Message], options: Options) -> None:
    language = choose_language(options.lang, os.environ)
    for number, line in enumerate(lines):
        talk(("  " if number else "") + phrase(line, language))
