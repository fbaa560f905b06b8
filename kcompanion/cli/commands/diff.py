"""`kcompanion diff A [B]`: what changed in the architecture between two recordings, reports, or then and now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kcompanion.cli.context import recording_path, session
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import FOUND, OK, Answer, emit, envelope
from kcompanion.cli.reporting import gathered
from kcompanion.cluster import recording
from kcompanion.cluster.session import Session
from kcompanion.errors import BadRecording, UsageError
from kcompanion.model.message import say
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.model.times import format_time, parse_time
from kcompanion.report import compare
from kcompanion.report.document import Document
from kcompanion.report.whole.gathered import Scope
from kcompanion.report.whole.page import to_json
from kcompanion.text.catalog import phrase

LIVE = "live"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: the JSON of its report, and when and of what it was read."""

    body: Mapping[str, Any]
    snapshot: Snapshot

    @property
    def name(self) -> str:
        origin = self.snapshot.origin
        return origin.cluster or origin.context or origin.server or "?"

    def to_json(self) -> dict[str, Any]:
        return {"cluster": self.name, "capturedAt": format_time(self.snapshot.now)}


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", default=LIVE, metavar="[B]")
@click.option("--fail-on-change", is_flag=True, help="Exit 1 when anything changed.")
@reading
@whole
def command(options: Options, before: str, after: str, *, fail_on_change: bool) -> int:
    """What changed between A and B: versions, leaders, flags, nodes, add-ons, owners, Services, findings.

    A and B are recordings (also demo:NAME) or reports written with -o json; B may be left out, or be `live`: the
    cluster as it is now.
    """
    if options.from_file or options.watch:
        raise UsageError("diff names its recordings itself", "kcompanion diff before.kcr after.kcr")
    old, new = _side(before, options), _side(after, options)
    if _kind(old) != _kind(new):
        raise UsageError("the two reports have different scopes", "compare two of the same scope")
    found = compare.compare(old.body, new.body)
    title = say("diff.title", before=old.name, then=format_time(old.snapshot.now),
                after=new.name, now=format_time(new.snapshot.now))  # fmt: skip
    answer = Answer(
        "Diff",
        new.snapshot,
        {"before": old.to_json(), "after": new.to_json(), **compare.to_json(found)},
        Document(title, compare.verdict(found), compare.status(found), compare.sections(found)),
        names=list(dict.fromkeys(f"{one.area}/{one.subject}" for one in found.changes)),
        undecided=bool(found.not_compared),
    )
    code = emit(answer, options)
    return FOUND if code == OK and fail_on_change and found.changes else code


def _kind(side: Side) -> object:
    scope = side.body.get("scope")
    return scope.get("kind") if isinstance(scope, Mapping) else None


def _side(name: str, options: Options) -> Side:
    """A recording, a report, or the cluster now.

    Raises:
        BadRecording: the file is neither.
    """
    if name == LIVE:
        with session(options) as conversation:
            return _judged(conversation)
    path = recording_path(name)
    if not path.is_file() or _begins(path) == _GZIP:
        return _judged(Session(recording.RecordedSource(recording.load(path), options.now), options.now))
    return _report(path)


def _begins(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_GZIP))
    except OSError as error:
        raise BadRecording(f"{path} cannot be read: {error.strerror}", "name a recording or a report") from error


def _judged(conversation: Session) -> Side:
    found = gathered(conversation, Scope())
    body = to_json(found, lambda message: phrase(message, "en"))
    told = Answer("Report", found.snapshot, body, Document(), gaps=found.gaps)
    return Side(envelope(told), found.snapshot)


def _report(path: Path) -> Side:
    hint = "write one with `kcompanion report -o json`, or name a recording"
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadRecording(f"{path} is neither a recording nor a report", hint) from error
    moment = parse_time(body.get("capturedAt")) if isinstance(body, dict) else None
    if not isinstance(body, dict) or body.get("kind") != "Report" or moment is None:
        raise BadRecording(f"{path} is no report", hint)
    cluster = body.get("cluster")
    told = cluster if isinstance(cluster, dict) else {}
    origin = Origin(context=str(told.get("context") or ""), cluster=str(told.get("name") or ""),
                    server=str(told.get("server") or ""))  # fmt: skip
    try:
        compare.compare(body, body)  # it holds all that is compared
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRecording(f"{path} is a report with parts missing", hint) from error
    return Side(body, Snapshot(moment, origin))
