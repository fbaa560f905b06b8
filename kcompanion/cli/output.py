"""An Answer, in the format asked for, and the exit code that follows from it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import click
import yaml

from kcompanion.cli.options import Options
from kcompanion.controlplane.nodes import fake_among
from kcompanion.model.finding import Finding, Severity, ranked
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.model.times import format_time
from kcompanion.report.document import Document
from kcompanion.report.reality import notes
from kcompanion.text.catalog import phrase
from kcompanion.text.language import choose_language

API_VERSION = "kcompanion.dev/v1alpha1"
OK, FOUND, NOTHING, UNDECIDED = 0, 1, 4, 5


@dataclass(frozen=True)
class Answer:
    """What a command has to say.

    `undecided` is True when a gap left the command's question open; a gap that did not matter leaves it False.
    """

    kind: str
    snapshot: Snapshot
    body: Mapping[str, Any]
    document: Document
    names: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    gaps: Sequence[Gap] = field(default_factory=tuple)
    undecided: bool = False
    missing: bool = False  # something that was named does not exist
    drawn: Mapping[str, Callable[[], str]] = field(default_factory=dict)  # formats of the command's own, by name


def emit(answer: Answer, options: Options) -> int:
    """Prints the answer on stdout and returns the exit code."""
    # click would take the colours out again wherever stdout is no terminal, whatever --color says
    click.echo(written(answer, options), nl=False, color=True)
    return exit_code(answer, options.fail_on)


def written(answer: Answer, options: Options) -> str:
    """The answer in the format asked for, ending in a line break."""
    if options.output in ("json", "yaml"):
        return _structured(envelope(answer), options.output) + "\n"
    if options.output in answer.drawn:
        return answer.drawn[options.output]()
    if options.output == "name":
        return "".join(f"{name}\n" for name in answer.names)
    document = replace(answer.document, notes=tuple(notes(answer.snapshot, answer.document.title)))
    return _rendered(document, screen(options))


def exit_code(answer: Answer, fail_on: str | None) -> int:
    """4, then 5 before 1: whether findings are bad enough cannot be told while the question is open."""
    if answer.missing:
        return NOTHING
    if answer.undecided:
        return UNDECIDED
    bars = {"critical": {Severity.CRITICAL}, "warning": {Severity.CRITICAL, Severity.WARNING}}
    bar = bars.get(fail_on or "", set())
    return FOUND if any(finding.severity in bar for finding in answer.findings) else OK


def envelope(answer: Answer) -> dict[str, Any]:
    """The versioned JSON around every command's body; the same in every language."""
    snapshot = answer.snapshot
    fake = fake_among(snapshot)
    head = {
        "apiVersion": API_VERSION,
        "kind": answer.kind,
        "capturedAt": format_time(snapshot.now),
        "cluster": {
            "context": snapshot.origin.context,
            "name": snapshot.origin.cluster,
            "server": snapshot.origin.server,
            "recordedCase": snapshot.origin.fake or None,
            "fakeNodes": None if fake is None else len(fake),
        },
        "complete": not any(gap.decisive for gap in answer.gaps),
        "gaps": [gap.to_json() for gap in answer.gaps],
        "findings": [
            {**finding.to_json(), "text": phrase(finding.message, "en")} for finding in ranked(answer.findings)
        ],
    }
    return {**answer.body, **head}


def _structured(document: Mapping[str, Any], form: str) -> str:
    if form == "json":
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    return yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=True, allow_unicode=True).rstrip()


def _rendered(document: Document, shown: Any) -> str:  # noqa: ANN401 - render.screen.Screen, imported lazily
    from kcompanion.render.terminal import render  # noqa: PLC0415 - not needed for JSON

    return render(document, shown)


def screen(options: Options) -> Any:  # noqa: ANN401 - render.screen.Screen, imported lazily
    """The terminal's width and colour, and the language to speak."""
    from kcompanion.render.screen import Screen  # noqa: PLC0415 - as above
    from kcompanion.render.theme import Theme  # noqa: PLC0415 - as above

    return Screen(
        language=choose_language(options.lang, os.environ),
        columns=shutil.get_terminal_size((80, 24)).columns,
        wide=options.output == "wide",
        headers=not options.no_headers,
        theme=Theme(colour=_colour(options.color)),
    )


def _colour(wish: str) -> bool:
    if wish != "auto":
        return wish == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("CLICOLOR_FORCE")) or sys.stdout.isatty()
