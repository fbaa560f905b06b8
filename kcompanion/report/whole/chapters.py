"""The report's chapters, in reading order: the same sections that the commands print, brought together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kcompanion.explain.sweep import Entry
from kcompanion.model.finding import Finding, Risk, Severity, Status, Step, worst
from kcompanion.model.message import Message, say
from kcompanion.report import addons as addon_views
from kcompanion.report import controlplane as plane_views
from kcompanion.report import controlplane_views as views
from kcompanion.report import glossary, health
from kcompanion.report import nodes as node_views
from kcompanion.report import trace as trace_views
from kcompanion.report.book.look import Look
from kcompanion.report.document import Block, Cause, Lines, Section, Table, columns
from kcompanion.report.page import Chapter
from kcompanion.report.whole import maps, services, spaces
from kcompanion.report.whole.gathered import Gathered, Infrastructure
from kcompanion.report.whole.terms import terms

FINDINGS = 40  # told in full
REMARKS = 60


def chapters(found: Gathered) -> list[Chapter]:
    """All chapters that this scope has; one without sections is left out."""
    made = [*(_infrastructure(found.below) if found.below else ()), *_inhabitants(found), *_causes(found)]
    look = Look(found.world, found.scope.namespace)
    told = glossary.sections(glossary.glossary(terms(found), look))
    made.append(_chapter("glossary", told))
    return [chapter for chapter in made if chapter.sections]


def _chapter(
    key: str, sections: Sequence[Section], status: Status | None = None, lead: Message | None = None
) -> Chapter:
    judged = status or _judged(sections)
    return Chapter(key, say(f"report.chapter.{key.replace('-', '_')}"), tuple(sections), judged, lead)


def _judged(sections: Sequence[Section]) -> Status | None:
    """The worst that the sections say of anything; None where they judge nothing."""
    found = [status for section in sections for status in _statuses(section)]
    return worst(found) if found else None


def _statuses(section: Section) -> Iterator[Status]:
    if section.status is not None:
        yield section.status
    for block in section.blocks:
        if isinstance(block, Table):
            yield from (cell for row in block.rows for cell in row if isinstance(cell, Status))
        elif isinstance(block, Cause):
            yield Status.FAIL if block.finding.severity is Severity.CRITICAL else Status.WARN


def _infrastructure(found: Infrastructure) -> list[Chapter]:
    plane, installed = found.plane, found.addons
    return [
        _chapter(
            "control-plane",
            [plane_views.components(plane), *views.leaders(plane, None), *views.traffic(plane, None)],
            plane.status,
        ),
        _chapter("etcd", views.etcd(plane, None), plane.component("etcd").status),
        _chapter("versions", views.versions(plane, None)),
        _chapter("certificates", views.certificates(plane, None)),
        _chapter("flags", _flags(found)),
        _chapter(
            "nodes",
            [
                *node_views.overview(found.nodes, found.grace, plane.network, found.cgroups),
                node_views.system_pods(found.system_pods[:SYSTEM_PODS]),
                *_more(len(found.system_pods), SYSTEM_PODS),
            ],
            node_views.verdict(found.nodes)[1],
        ),
        _chapter(
            "network",
            [addon_views.network_section(installed.network), addon_views.dns_section(installed.dns)],
            worst([installed.network.status, installed.dns.status]),
        ),
        _chapter(
            "addons",
            [
                Section(say("addons.section.inventory"), [addon_views.inventory(installed)]),
                *addon_views.entrance_section(installed),
                *addon_views.absent_section(installed.found),
            ],
            installed.status,
        ),
    ]


SYSTEM_PODS = 200  # rows of kube-system's pods


def _more(total: int, shown: int) -> list[Section]:
    if total <= shown:
        return []
    return [Section(say("report.left_out"), [Lines([say("report.more_rows", count=total - shown, total=total)])])]


def _flags(found: Infrastructure) -> list[Section]:
    """Drift first: it is what people look for among flags."""
    rows = [
        (drift.component, f"--{drift.flag}", node, value)
        for drift in found.plane.drifts
        for node, value in drift.values
    ]
    told: list[Block] = [Table(columns("COMPONENT FLAG NODE VALUE"), rows)] if rows else []
    if not rows and any(found.plane.flags.values()):
        told = [Lines([say("report.no_drift")])]
    return [*([Section(say("report.section.drift"), told)] if told else []), *views.flags(found.plane, None)]


# --------------------------------------------------------------------------------------- what lives there


def _inhabitants(found: Gathered) -> list[Chapter]:
    claims = spaces.claims(found)
    storage = list(addon_views.storage_section(found.below.addons)) if found.below else []
    if claims or found.below:
        storage.append(Section(say("report.section.claims"), spaces.claim_blocks(claims)))
    drawn = maps.maps(found.grown)
    kinds = maps.kinds_of(found.grown)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    lead = say("report.lead.workloads", kinds=told) if told else None
    ports = services.services(found)
    made = [
        _chapter("storage", storage),
        _chapter("namespaces", [Section(say("report.section.namespaces"), spaces.blocks(spaces.spaces(found)))]),
        _chapter("workloads", maps.sections(drawn, found.grown), lead=lead),
        _chapter("services", [Section(say("report.section.services"), services.blocks(ports))] if ports else []),
    ]
    return made if found.scope.kind in ("cluster", "namespace") else [made[2], made[3], *made[:1]]


# ------------------------------------------------------------------------------------------------ causes


def _causes(found: Gathered) -> list[Chapter]:
    notable = [entry for entry in found.entries if entry.finding.severity is not Severity.INFO]
    shown = notable[:FINDINGS]
    blocks: list[Block] = [cause(entry, found) for entry in shown]
    if left := health.rest(notable, shown):
        blocks.append(Lines(left))
    if not blocks:
        blocks = [Lines([health.verdict(found.kept, found.sweep)])]
    lead = say("report.lead.findings") if shown else None
    made = [_chapter("findings", [Section(say("report.section.findings"), blocks)], lead=lead)]
    if lives := _lives(found):
        made.append(_chapter("lives", lives))
    if found.below and found.below.remarks:
        made.append(_chapter("remarks", [_remarks(found.below.remarks)]))
    return made


def cause(entry: Entry, found: Gathered) -> Cause:
    """A cause in full, ending with the command that tells all of it."""
    command = health.explain_command(entry)
    finding = entry.finding
    steps = [step for step in finding.steps if step.command != command]
    if command:
        steps.append(Step(Risk.INSPECT, command))
    return Cause(replace(finding, steps=tuple(steps)), found.world.now, root=True)


def _remarks(remarks: Sequence[Finding]) -> Section:
    rows = [(one.code, one.subject, one.message) for one in remarks[:REMARKS]]
    blocks: list[Block] = [Table(columns("CODE OBJECT REMARK"), rows)]
    if len(remarks) > REMARKS:
        blocks.append(Lines([say("report.more_rows", count=len(remarks) - REMARKS, total=len(remarks))]))
    return Section(say("report.section.remarks"), blocks)


def _lives(found: Gathered) -> list[Section]:
    """How the pods behind the worst causes, or the one asked for, came to be as they are."""
    made: list[Section] = []
    for one in found.lives:
        first = trace_views.sections(one.story, one.item, one.ref)[0]
        verdict = trace_views.verdict(one.story, one.item, one.ref, found.world.now)
        made.append(Section(say("report.section.life", pod=one.ref.place), [Lines([verdict]), *first.blocks]))
    return made
