"""`nodes NAME`: one node in depth."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.controlplane.cgroups import follows_runtime
from kcompanion.controlplane.conditions import WORK_IN_PROGRESS
from kcompanion.controlplane.grace import Grace
from kcompanion.controlplane.nodes import Node
from kcompanion.controlplane.systempods import SystemPod
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, say
from kcompanion.model.podresources import ZERO, shown
from kcompanion.report.document import Block, Cell, Column, Facts, Lines, Section, Table, columns
from kcompanion.report.nodes import age, grace_line, heartbeat, lesson, roles_of, runtime, system_pods

_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def one(node: Node, grace: Grace, rows: Sequence[SystemPod], *, explain: bool = False) -> list[Section]:
    """One node in depth."""
    return [
        Section(say("nodes.section.machine"), [_identity(node), *lesson("machines", on=explain)]),
        Section(
            say("nodes.section.conditions"),
            [*_conditions(node), Lines((grace_line(grace),)), *lesson("life", on=explain)],
        ),
        Section(say("nodes.section.room"), [*_resources(node), *lesson("room", on=explain)]),
        system_pods(rows, explain=explain),
    ]


def _identity(node: Node) -> Facts:
    addresses = ", ".join(f"{kind} {address}" for kind, address in node.addresses)
    by_runtime = ", ".join(f"{scheme}:// {count}" for scheme, count in node.containers.items())
    cidrs = ", ".join(node.pod_cidrs)
    pairs: list[tuple[Message, Cell]] = [
        (say("nodes.fact.state"), node.state),
        (say("nodes.fact.roles"), roles_of(node)),
        (say("nodes.fact.fake"), say("nodes.is_fake") if node.fake else None),
        (say("nodes.fact.system"), f"{node.os}/{node.arch}, {node.os_image}, {node.kernel}"),
        (say("nodes.fact.kubelet"), node.kubelet),
        (say("nodes.fact.runtime"), runtime(node)),
        (say("nodes.fact.cgroup"), _follows(node)),
        (say("nodes.fact.containers"), by_runtime or None),
        (say("nodes.fact.addresses"), addresses or None),
        (say("nodes.fact.pod_cidr_of_node"), cidrs or None),
        (say("nodes.fact.taints"), ", ".join(node.taints) or None),
        (say("nodes.fact.heartbeat"), heartbeat(node)),
        (say("nodes.fact.age"), age(node.age)),
    ]
    return Facts([pair for pair in pairs if node.fake or pair[0].id != "nodes.fact.fake"])


def _follows(node: Node) -> Message:
    return say("nodes.cgroup.node_follows" if follows_runtime(node) else "nodes.cgroup.node_own")


def _conditions(node: Node) -> list[Block]:
    table = Table(
        columns("TYPE STATUS JUDGED SINCE REASON +MESSAGE"),
        [
            [
                c.type,
                c.status,
                c.judged if c.judged is not None else say("nodes.not_judged"),
                age(c.age),
                c.reason,
                c.message,
            ]
            for c in node.conditions
        ],
    )
    told: list[Cell] = [
        say("nodes.condition_message", type=c.type, message=c.message)
        for c in node.conditions
        if c.judged is not Status.OK and c.message
    ]
    told += [
        say("nodes.work_in_progress", type=c.type)
        for c in node.conditions
        if c.type in WORK_IN_PROGRESS and c.status == "True"
    ]
    return [table, Lines(told)] if told else [table]


def _resources(node: Node) -> list[Block]:
    room = node.room
    if not room.known:
        return [Lines((say("nodes.room_unknown"),))]
    extra = sorted(
        name
        for name in set(room.allocatable) | set(room.requests)
        if name not in (*_RESOURCES, "pods") and (room.allocatable.get(name) or room.requests.get(name))
    )
    rows: list[list[Cell]] = []
    for name in (*_RESOURCES, *extra):
        used = room.used(name)
        asked = shown(name, room.requests.get(name, ZERO))
        rows.append(
            [
                name,
                shown(name, room.capacity.get(name, ZERO)),
                shown(name, room.allocatable.get(name, ZERO)),
                asked if used is None else f"{asked} ({used}%)",
                shown(name, room.limits.get(name, ZERO)),
            ]
        )
    most = room.max_pods
    rows.append(["pods", most, most, room.pods, None])
    head = (
        Column("RESOURCE"),
        Column("CAPACITY"),
        Column("ALLOCATABLE"),
        Column("REQUESTS"),
        Column("LIMITS"),
    )
    return [Table(head, rows)]
