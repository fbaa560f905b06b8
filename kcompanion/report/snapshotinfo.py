"""What a recording holds, as a Document and as the body of its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcompanion.model.contents import Contents
from kcompanion.model.message import Message, say
from kcompanion.model.quantities import human_bytes
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.model.times import format_time
from kcompanion.report.document import Cell, Document, Facts, Lines, Section, Table, columns


def body(held: Contents, snapshot: Snapshot, *, version: int, written_by: str, size: int) -> dict[str, Any]:
    """The JSON body of `snapshot inspect`."""
    return {
        "formatVersion": version,
        "writtenBy": written_by,
        "sizeBytes": size,
        "anonymized": snapshot.origin.anonymized,
        "answers": held.answers,
        "objects": [{"kind": kind, "count": count} for kind, count in held.objects.items()],
        "redactions": [
            {"place": place, "values": values, "objects": objects} for place, (values, objects) in held.redacted.items()
        ],
    }


def redaction_lines(held: Contents) -> tuple[Message, ...]:
    """One sentence per place from which values were taken."""
    return tuple(
        say("snapshot.redacted", place=say(f"snapshot.place.{place}"), values=values, objects=objects)
        for place, (values, objects) in held.redacted.items()
    )


def document(
    held: Contents, snapshot: Snapshot, gaps: Sequence[Gap], *, version: int, written_by: str, size: int
) -> Document:
    """The recording for people: what it is, what it holds, what is missing and what was taken out."""
    origin = snapshot.origin
    facts: tuple[tuple[Message, Cell], ...] = (
        (say("snapshot.captured"), format_time(snapshot.now)),
        (say("snapshot.cluster"), origin.cluster or None),
        (say("snapshot.server"), origin.server or None),
        (say("snapshot.format"), f"{version} ({written_by})"),
        (say("snapshot.size"), human_bytes(size)),
        (say("snapshot.answers"), held.answers),
        (say("snapshot.anonymized"), say("snapshot.yes" if origin.anonymized else "snapshot.no")),
    )
    kinds = Table(columns("KIND OBJECTS"), [(kind, count) for kind, count in held.objects.items()])
    return Document(
        sections=(
            Section(say("snapshot.title"), (Facts(facts),)),
            Section(say("snapshot.objects"), (kinds,)),
            Section(say("snapshot.redactions"), (Lines(redaction_lines(held)),)),
        ),
        gaps=gaps,
    )
