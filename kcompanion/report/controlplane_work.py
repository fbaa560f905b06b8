"""The views of `controlplane` that show work being done: controllers, scheduling, static pods."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.controlplane.controllers import CONTROLLERS
from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.model.message import say
from kcompanion.model.times import human_age
from kcompanion.report.document import Cell, Lines, Section, Table, columns
from kcompanion.report.trace import told_seconds

MAX_PODS = 15


def controllers(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - one signature for views
    """Which controllers run, what each does, and an example of their work."""
    rows: list[Sequence[Cell]] = [(w.controller, _ago(w.age), w.made, w.owner) for w in plane.work]
    work = Section(
        say("controlplane.section.work"),
        (Table(columns("CONTROLLER WHEN MADE FOR"), rows), Lines([say("controlplane.work.note")])),
    )
    return [_controllers(plane), work]


def _controllers(plane: ControlPlane) -> Section:
    found = plane.controllers
    if not found.known:
        return Section(say("controlplane.section.controllers"), (Lines([say("controlplane.flags.none")]),))
    rows: list[Sequence[Cell]] = [
        (name, say("controlplane.controllers.on" if name in found.on else "controlplane.controllers.off"),
         say(f"controller.{name.replace('-', '_')}") if name in CONTROLLERS else None)
        for name in sorted({*found.on, *found.off})
    ]  # fmt: skip
    flag = say("controlplane.controllers.flag", flag=found.flag)
    return Section(
        say("controlplane.section.controllers"), (Lines([flag]), Table(columns("CONTROLLER STATE WHAT"), rows))
    )


def scheduling(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """How the pods of kube-system came to their nodes."""
    rows: list[Sequence[Cell]] = [
        (p.pod, p.node, say(f"controlplane.placement.{p.how}", scheduler=p.scheduler, seconds=told_seconds(p.took)))
        for p in plane.placements[:MAX_PODS]
    ]
    names = sorted({p.scheduler for p in plane.placements if p.scheduler})
    lines: list[Cell] = [say("controlplane.placement.names", names=", ".join(names) or "-")]
    if len(plane.placements) > MAX_PODS:
        lines.append(say("controlplane.placement.more", count=len(plane.placements) - MAX_PODS))
    lines.append(say("controlplane.placement.note"))
    table = Table(columns("POD NODE HOW"), rows)
    return [Section(say("controlplane.section.scheduling"), (table, Lines(lines)))]


def static(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """The static pods, their files, and why the API cannot change them."""
    if not plane.static_pods:
        return [Section(say("controlplane.section.static"), (Lines([say("controlplane.static.none")]),))]
    rows: list[Sequence[Cell]] = [(p.pod, p.node, p.manifest, p.digest, p.seen) for p in plane.static_pods]
    table = Table(columns("MIRROR-POD NODE FILE +HASH +SEEN"), rows)
    lines = Lines([say("controlplane.static.why"), say("controlplane.static.change")])
    return [Section(say("controlplane.section.static"), (table, lines))]


def _ago(seconds: int | None) -> Cell:
    return None if seconds is None else say("controlplane.ago", age=human_age(seconds))
