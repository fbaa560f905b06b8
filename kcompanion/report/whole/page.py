"""The report put together: verdict, worst causes, picture, chapters; and the same as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kcompanion.explain.sweep import Entry
from kcompanion.model.finding import Severity, Status, worst
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.times import format_time
from kcompanion.report import addons as addon_views
from kcompanion.report import controlplane as plane_views
from kcompanion.report import glossary, health
from kcompanion.report import nodes as node_views
from kcompanion.report.book.look import Look
from kcompanion.report.document import Cell, Diagram, Document, Lines, Section
from kcompanion.report.page import Page, Picture, Voice
from kcompanion.report.tree_diagram import diagram
from kcompanion.report.whole import services, spaces
from kcompanion.report.whole.chapters import cause, chapters
from kcompanion.report.whole.gathered import Gathered
from kcompanion.report.whole.owners import owners
from kcompanion.report.whole.picture import picture
from kcompanion.report.whole.terms import terms

WORST = 3
Words = Callable[[Message], str]


def page(found: Gathered) -> Page:
    """The whole report."""
    voices = _voices(found)
    state = worst(voice.status for voice in voices)
    top = _worst(found)
    return Page(
        title=_title(found),
        facts=_facts(found),
        status=state,
        verdict=next(voice.told for voice in voices if voice.status is state),
        voices=voices,
        worst=[cause(entry, found) for entry in top],
        commands=[health.explain_command(entry) for entry in top],
        picture=drawing(found),
        chapters=chapters(found),
        gaps=found.gaps,
        now=found.world.now,
    )


def status(found: Gathered) -> Status:
    """The worst of what the parts say."""
    return worst(voice.status for voice in _voices(found))


def drawing(found: Gathered) -> Picture | Diagram:
    """The architecture of a cluster; of anything smaller the map of its owners."""
    return picture(found.below) if found.below else diagram(found.grown)


def _worst(found: Gathered) -> list[Entry]:
    return [entry for entry in found.entries if entry.finding.severity is not Severity.INFO][:WORST]


def _title(found: Gathered) -> Message:
    origin = found.snapshot.origin
    cluster = origin.cluster or origin.context or origin.server or "?"
    scope = found.scope
    what = {
        "namespace": scope.namespace,
        "app": f"{scope.selector} ({scope.namespace})" if scope.namespace else scope.selector,
        "pod": f"{scope.namespace}/{scope.name}",
    }.get(scope.kind, "")
    return say(f"report.title.{scope.kind}", cluster=cluster, what=what)


def _facts(found: Gathered) -> list[tuple[Message, Cell]]:
    origin = found.snapshot.origin
    decisive = [gap for gap in found.gaps if gap.decisive]
    facts: list[tuple[Message, Cell]] = [
        (say("report.fact.cluster"), origin.cluster or None),
        (say("report.fact.context"), origin.context or None),
        (say("report.fact.server"), origin.server or None),
        (say("report.fact.captured"), format_time(found.world.now)),
    ]
    if found.below:
        plane = found.below.plane
        facts += [
            (say("report.fact.version"), plane.version or None),
            (say("report.fact.made"), plane.made.name or None),
        ]
    complete = say(one_or_many("report.incomplete", len(decisive)), count=len(decisive))
    complete = complete if decisive else say("report.complete")
    facts.append((say("report.fact.complete"), complete))
    if origin.anonymized:
        facts.append((say("report.fact.names"), say("report.anonymized")))
    if origin.fake:
        facts.append((say("report.fact.case"), origin.fake))
    return facts


def _voices(found: Gathered) -> list[Voice]:
    made: list[Voice] = []
    below = found.below
    if below:
        told, nodes = node_views.verdict(below.nodes)
        plane = plane_views.verdict(below.plane, below.plane_findings)
        made = [
            Voice(say("report.part.control_plane"), below.plane.status, plane),
            Voice(say("report.part.nodes"), nodes, told),
            Voice(say("report.part.addons"), below.addons.status, addon_views.verdict(below.addons)),
        ]
    judged = Voice(
        say("report.part.objects"),
        health.status(found.kept, found.sweep),
        health.verdict(found.kept, found.sweep),
    )
    return [*made, judged]


def document(whole: Page) -> Document:
    """The page as a plain Document, for the terminal."""
    first = Section(say("report.section.parts"), [Lines([say("report.voice", part=v.part, told=v.told)
                                                          for v in whole.voices])])  # fmt: skip
    sections = [section for chapter in whole.chapters for section in chapter.sections]
    return Document(whole.title, whole.verdict, whole.status, [first, *sections], gaps=whole.gaps)


# --------------------------------------------------------------------------------------------------- JSON


def to_json(found: Gathered, words: Words) -> dict[str, Any]:
    """The body; `words` says a message in English, whatever the language of the report."""
    below = found.below
    drawn = drawing(found)
    return {
        "status": status(found).value,
        "scope": found.scope.to_json(),
        "parts": [
            {"part": words(voice.part), "status": voice.status.value, "text": words(voice.told)}
            for voice in _voices(found)
        ],
        "worst": [
            {"code": entry.finding.code, "subject": entry.root, "text": words(entry.finding.message),
             "next": health.explain_command(entry)}
            for entry in _worst(found)
        ],
        "architecture": _drawn_json(drawn) if isinstance(drawn, Picture) else None,
        "controlPlane": below.plane.to_json() if below else None,
        "nodes": [node.to_json() for node in below.nodes] if below else None,
        "systemPods": [row.to_json() for row in below.system_pods] if below else None,
        "addons": below.addons.to_json() if below else None,
        "remarks": [{**one.to_json(), "text": words(one.message)} for one in below.remarks] if below else [],
        "health": health.to_json(found.kept, found.sweep, words),
        "namespaces": [one.to_json() for one in spaces.spaces(found)],
        "owners": owners(found.grown),
        "services": [one.to_json() for one in services.services(found)],
        "claims": spaces.claims(found),
        "glossary": _terms(found, words),
    }  # fmt: skip


def _terms(found: Gathered, words: Words) -> Sequence[dict[str, Any]]:
    told: Sequence[dict[str, Any]] = glossary.glossary(terms(found), Look(found.world, found.scope.namespace)).to_json(
        words
    )["terms"]
    return told


def _drawn_json(drawn: Picture) -> dict[str, Any]:
    return {
        "parts": [
            {"id": part.id, "name": part.name, "status": part.status.value if part.status else None,
             "hidden": part.hidden}
            for part in drawn.parts
        ],
        "lines": [line.to_json() for line in drawn.lines],
    }  # fmt: skip
