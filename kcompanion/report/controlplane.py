"""The control plane as a Document: the overview and its views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kcompanion.controlplane.components import Component, Instance
from kcompanion.controlplane.health import Check
from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.model.finding import Finding, Severity, Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.model.times import format_time
from kcompanion.report import controlplane_views as views
from kcompanion.report import controlplane_work as work
from kcompanion.report.document import Block, Cell, Document, Lesson, Section, Table, columns

# Shown one row per instance; the others, one per node, are summed up.
_LISTED = ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager", "cloud-controller-manager")
MAX_ROWS = 12  # of one component, before its healthy instances are summed up
_VIEWS: dict[str, Callable[[ControlPlane, str | None], Sequence[Section]]] = {
    "health": views.health,
    "leaders": views.leaders,
    "etcd": views.etcd,
    "flags": views.flags,
    "versions": views.versions,
    "certs": views.certificates,
    "network": views.network,
    "join": views.join,
    "traffic": views.traffic,
    "controllers": work.controllers,
    "scheduling": work.scheduling,
    "static": work.static,
}
VIEWS = ("overview", *_VIEWS)


def document(
    plane: ControlPlane,
    snapshot: Snapshot,
    findings: Sequence[Finding],
    gaps: Sequence[Gap],
    *,
    view: str = "overview",
    component: str | None = None,
    explain: bool = False,
) -> Document:
    """The chosen view. The overview also carries the verdict and all findings, a view only the worse of them."""
    if view == "overview":
        sections: list[Section] = [components(plane), *_lessons(plane, explain=explain)]
        shown = tuple(findings)
    else:
        sections = [*_VIEWS[view](plane, component), *(_lessons(plane, view=view) if explain else ())]
        shown = tuple(f for f in findings if f.severity is not Severity.INFO) if view == "health" else ()
    return Document(
        title=_title(plane, snapshot),
        verdict=verdict(plane, findings) if view in ("overview", "health") else None,
        status=plane.status if view in ("overview", "health") else None,
        sections=sections,
        findings=shown,
        gaps=gaps,
    )


def verdict(plane: ControlPlane, findings: Sequence[Finding]) -> Message:
    """The sentence a tired operator reads first."""
    critical = [f for f in findings if f.severity is Severity.CRITICAL]
    warnings = [f for f in findings if f.severity is Severity.WARNING]
    if critical:
        return _with_more("critical", critical)
    unknown = [c.name for c in plane.components if c.status is Status.UNKNOWN]
    if unknown:
        return say("controlplane.verdict.unknown", names=", ".join(unknown))
    if warnings:
        return _with_more("warning", warnings)
    if plane.hosted:
        return say("controlplane.verdict.hosted")
    if plane.services:
        return say("controlplane.verdict.services")
    if any(f.code == "KC1010" for f in findings):
        return say("controlplane.verdict.single")
    members = len(plane.component("kube-apiserver").instances)
    tolerates = plane.etcd.quorum.tolerates if plane.etcd.quorum else 0
    return say("controlplane.verdict.ok", members=members, tolerates=tolerates)


def _with_more(kind: str, found: Sequence[Finding]) -> Message:
    if len(found) == 1:
        return say(f"controlplane.verdict.{kind}", first=found[0].message)
    return say(f"controlplane.verdict.{kind}_and_more", first=found[0].message, count=len(found) - 1)


def _title(plane: ControlPlane, snapshot: Snapshot) -> Message:
    values = named(plane, snapshot)
    return say("controlplane.title_case" if "case" in values else "controlplane.title", **values)


def named(plane: ControlPlane, snapshot: Snapshot) -> dict[str, Any]:
    """What a heading says of a cluster: its name, version and maker, when it was read; `case` of a recorded one."""
    origin = snapshot.origin
    made = plane.made.name or say("controlplane.unknown_maker")
    values: dict[str, Any] = {
        "cluster": origin.cluster or origin.context or origin.server,
        "version": plane.version or "?",
        "made": say("controlplane.made_with", by=made, also=plane.made.also[0]) if plane.made.also else made,
        "time": format_time(snapshot.now),
    }
    return {**values, "case": origin.fake} if origin.fake else values


def components(plane: ControlPlane) -> Section:
    """Every component, one row for each instance of the redundant ones."""
    rows: list[Sequence[Cell]] = []
    for component in plane.components:
        rows += _listed(component) if component.name in _LISTED else [_summed(component)]
    head = columns("COMPONENT STATUS NODE VERSION EVIDENCE +ROLE +POD +RESTARTS +IMAGE")
    return Section(say("controlplane.section.components"), (Table(head, rows),))


def _listed(component: Component) -> list[Sequence[Cell]]:
    if component.missing:
        return [_without_instances(component)]
    instances = component.instances
    if len(instances) > MAX_ROWS:
        instances = tuple(i for i in instances if i.health.status is not Status.OK)[:MAX_ROWS]
    rows = [_row(component, instance) for instance in instances]
    return rows or [_summed(component)]


def _row(component: Component, instance: Instance) -> Sequence[Cell]:
    return (
        component.name,
        instance.health.status,
        instance.node,
        instance.version,
        _evidence(component, instance),
        say(f"controlplane.role.{instance.role}") if instance.role else None,
        instance.pod,
        instance.restarts,
        instance.image,
    )


def _evidence(component: Component, instance: Instance) -> Cell:
    """The most telling check; for the leader of a healthy component, that it leads and since when."""
    if instance.health.status is Status.OK and instance.role in ("leader", "standby"):
        held = component.leader
        if held is not None and instance.role == "leader":
            return say("controlplane.leads", age="?" if held.age is None else held.age)
        return say("controlplane.stands_by")
    telling = instance.health.telling
    return telling.message if telling else None


def _without_instances(component: Component) -> Sequence[Cell]:
    held = component.leader
    note: Cell = component.note
    if held is not None and not held.expired:
        note = say("controlplane.leads_unseen", holder=held.holder, age="?" if held.age is None else held.age)
    return (component.name, component.status, None, None, note, None, None, None, None)


def _summed(component: Component) -> Sequence[Cell]:
    """One row for a component that runs on every node."""
    if component.missing:
        check = component.checks[0].message if component.checks else component.note
        return (component.name, component.status, None, None, check, None, None, None, None)
    instances = component.instances
    well = sum(1 for i in instances if i.health.status is Status.OK)
    versions = sorted({i.version for i in instances if i.version})
    version = versions[0] if len(versions) == 1 else say("controlplane.versions", count=len(versions))
    telling = _worst_check(instances, component.status)
    nodes = len({i.node for i in instances})
    text: Cell = telling.message if telling and component.status is not Status.OK else None
    if text is None:
        text = say("controlplane.well", well=well, total=len(instances))
        if component.name == "container-runtime":
            text = say("controlplane.runtimes", names=", ".join(sorted({i.image for i in instances})), well=text)
    return (
        component.name,
        component.status,
        say(one_or_many("controlplane.nodes", nodes), count=nodes),
        version,
        text,
        None,
        None,
        None,
        None,
    )


def _worst_check(instances: Sequence[Instance], status: Status) -> Check | None:
    for instance in instances:
        if instance.health.status in (status, Status.FAIL, Status.UNKNOWN) and instance.health.status is not Status.OK:
            return instance.health.telling
    return None


_LESSON_OF_VIEW = {
    "leaders": ("kube-scheduler", "kube-controller-manager"),
    "etcd": ("etcd",),
    "flags": ("kube-apiserver",),
    "network": ("cni", "kube-proxy"),
    "traffic": ("kube-apiserver",),
    "controllers": ("kube-controller-manager",),
    "scheduling": ("kube-scheduler", "kubelet"),
    "static": ("kubelet",),
}
_PARTS = ("what", "talks", "why", "note")


def _lessons(plane: ControlPlane, *, explain: bool = True, view: str = "") -> list[Section]:
    if not explain:
        return []
    names = _LESSON_OF_VIEW.get(view, () if view else tuple(c.name for c in plane.components))
    blocks: list[Block] = [_lesson(name) for name in names]
    return [Section(say("controlplane.section.lessons"), blocks)] if blocks else []


def _lesson(name: str) -> Lesson:
    key = name.replace("-", "_")
    return Lesson(
        say(f"component.{key}.title"),
        [say(f"component.{key}.{part}") for part in _PARTS if part != "note" or name in WITH_NOTE],
    )


# Components whose lesson says where the study notes are out of date (seed-map.md).
WITH_NOTE = frozenset(
    {"kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager", "cloud-controller-manager", "kubelet",
     "kube-proxy", "container-runtime", "cni"}
)  # fmt: skip
