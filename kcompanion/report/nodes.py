"""`nodes`: the overview of all nodes, one node in depth, and the table of kube-system's pods by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from kcompanion.controlplane.cgroups import CgroupDriver
from kcompanion.controlplane.grace import Grace
from kcompanion.controlplane.network import Network
from kcompanion.controlplane.nodes import Node
from kcompanion.controlplane.systempods import SystemPod
from kcompanion.model.finding import Status, worst
from kcompanion.model.message import Message, say
from kcompanion.model.podresources import ZERO, shown
from kcompanion.model.times import human_age
from kcompanion.report.bounded import fullest, selected
from kcompanion.report.document import (
    Block,
    Cell,
    Facts,
    Lesson,
    Lines,
    Section,
    Table,
    columns,
)

_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def verdict(nodes: Sequence[Node]) -> tuple[Message, Status]:
    """How many there are, how many are well, and how many are fake."""
    if not nodes:
        return say("nodes.verdict.none"), Status.UNKNOWN
    status = worst(node.status for node in nodes)
    if len(nodes) == 1:
        return _verdict_of_one(nodes[0]), status
    ready = sum(node.ready == "True" for node in nodes)
    fake = sum(node.fake for node in nodes)
    planes = sum("control-plane" in node.roles for node in nodes)
    told = say(
        f"nodes.verdict.{status.value}",
        count=len(nodes),
        planes=planes,
        ready=ready,
        bad=sum(node.status is Status.FAIL for node in nodes),
    )
    if fake:
        told = say("nodes.verdict.fake", verdict=told, fake=fake)
    return told, status


def _verdict_of_one(node: Node) -> Message:
    told = say(f"nodes.one.{node.status.value}", name=node.name)
    return say("nodes.one.fake", verdict=told) if node.fake else told


def overview(
    nodes: Sequence[Node],
    grace: Grace,
    network: Network,
    driver: CgroupDriver,
    *,
    every: bool = False,
    explain: bool = False,
) -> list[Section]:
    """The sections of all nodes: signs of life, what they are, room, address ranges.

    Of a big cluster the groups of like nodes, the bad ones and the fullest are shown, unless `every`.
    """
    listed = list(nodes) if every else selected(nodes)
    left_out = len(nodes) - len(listed)
    life: list[Block] = [_life(listed)]
    if left_out:
        life = [_groups(nodes), *life, Lines((say("nodes.more", count=left_out, total=len(nodes)),))]
    roomy = fullest(nodes) if left_out else listed
    sections = [
        Section(say("nodes.section.life"), [*life, Lines((grace_line(grace),)), *lesson("life", on=explain)]),
        Section(say("nodes.section.room"), [*_room(roomy), *lesson("room", on=explain)]),
        ranges(network, () if left_out else listed, explain=explain),
        Section(say("nodes.section.cgroup"), [cgroup(driver), *lesson("cgroup", on=explain)]),
    ]
    if not left_out:
        machines = Section(say("nodes.section.machines"), [_machines(listed), *lesson("machines", on=explain)])
        sections.insert(1, machines)
    return sections


def _groups(nodes: Sequence[Node]) -> Table:
    """Nodes that are alike, counted."""
    counts = Counter((roles_of(n), f"{n.os}/{n.arch}", n.kubelet, runtime(n), n.state, n.fake) for n in nodes)
    rows = [
        [count, _fake_name(roles, fake=fake), state, system, kubelet, runtime]
        for (roles, system, kubelet, runtime, state, fake), count in sorted(
            counts.items(), key=lambda item: (-item[1], item[0])
        )
    ]
    return Table(columns("NODES ROLES STATUS OS/ARCH KUBELET RUNTIME"), rows)


def _fake_name(text: str, *, fake: bool) -> Cell:
    return say("nodes.fake", name=text) if fake else text


def _life(nodes: Sequence[Node]) -> Table:
    rows: list[list[Cell]] = [
        [
            _fake_name(node.name, fake=node.fake),
            node.status,
            node.state,
            roles_of(node),
            heartbeat(node),
            age(node.age),
            ", ".join(node.taints),
        ]
        for node in nodes
    ]
    return Table(columns("NODE HEALTH STATUS ROLES LEASE +AGE +TAINTS"), rows)


def heartbeat(node: Node) -> Cell:
    """How long ago the kubelet renewed its Lease."""
    if node.heartbeat is None:
        return None
    age = node.heartbeat.age
    return None if age is None else say("nodes.ago", age=human_age(age))


def _machines(nodes: Sequence[Node]) -> Table:
    rows: list[list[Cell]] = [
        [
            node.name,
            f"{node.os}/{node.arch}",
            node.kubelet,
            runtime(node),
            node.kernel,
            node.os_image,
            next((a for kind, a in node.addresses if kind == "InternalIP"), None),
            node.provider,
        ]
        for node in nodes
    ]
    return Table(columns("NODE OS/ARCH KUBELET RUNTIME +KERNEL +OS-IMAGE +INTERNAL-IP +PROVIDER-ID"), rows)


def _room(nodes: Sequence[Node]) -> list[Block]:
    if not nodes or any(not node.room.known for node in nodes):
        return [Lines((say("nodes.room_unknown"),))]
    rows: list[list[Cell]] = [
        [
            node.name,
            f"{node.room.pods}/{node.room.max_pods if node.room.max_pods is not None else '?'}",
            _share(node, "cpu"),
            _share(node, "memory"),
            _limit(node, "cpu"),
            _limit(node, "memory"),
        ]
        for node in nodes
    ]
    head = columns("NODE PODS CPU MEMORY +CPU-LIMITS +MEMORY-LIMITS")
    return [Table(head, rows), Lines((say("nodes.room_note"),))]


def _share(node: Node, resource: str) -> str:
    offered = node.room.allocatable.get(resource, ZERO)
    asked = node.room.requests.get(resource, ZERO)
    used = node.room.used(resource)
    tail = "" if used is None else f" ({used}%)"
    return f"{shown(resource, asked)}/{_rounded(resource, offered)}{tail}"


def _rounded(resource: str, amount: Any) -> str:  # noqa: ANN401 - Decimal
    """Memory in GiB: `24684092Ki` tells nobody anything."""
    if resource == "memory" and amount >= 1 << 30:
        return f"{float(amount) / (1 << 30):.1f}Gi"
    return shown(resource, amount)


def _limit(node: Node, resource: str) -> str:
    return shown(resource, node.room.limits.get(resource, ZERO))


def roles_of(node: Node) -> str:
    return ",".join(node.roles) or "worker"


def runtime(node: Node) -> str:
    return node.runtime.replace("://", " ").removesuffix("+unknown")


def age(seconds: int | None) -> Cell:
    return None if seconds is None else human_age(seconds)


def grace_line(grace: Grace) -> Message:
    if grace.given:
        return say("nodes.grace.given", seconds=grace.seconds, pod=grace.source.source)
    return say("nodes.grace.default", seconds=grace.seconds)


def ranges(network: Network, nodes: Sequence[Node] = (), *, explain: bool = False) -> Section:
    """Pod and Service ranges, and how many nodes the pod range can serve."""
    found = network.ranges
    pairs: list[tuple[Message, Cell]] = [
        (say("nodes.fact.pod_cidr"), ", ".join(found.pod_cidrs) or None),
        (say("nodes.fact.service_cidr"), ", ".join(found.service_cidrs) or None),
    ]
    if network.capacity:
        for row in network.capacity:
            pairs.append(
                (
                    say("nodes.fact.capacity"),
                    say(
                        "nodes.capacity",
                        cidr=row.cidr,
                        mask=row.mask,
                        total=row.total,
                        used=row.used,
                        left=row.left,
                        addresses=row.per_node,
                    ),
                )
            )
    else:
        pairs.append((say("nodes.fact.capacity"), say("nodes.capacity_unknown")))
    blocks: list[Block] = [Facts(pairs)]
    if any(node.pod_cidrs for node in nodes):
        held: list[list[Cell]] = [[node.name, ", ".join(node.pod_cidrs)] for node in nodes]
        blocks.append(Table(columns("NODE POD-CIDR"), held))
    if network.own_ipam and network.capacity:
        blocks.append(Lines((say("nodes.own_ipam", cni=network.cni.name),)))
    return Section(say("nodes.section.ranges"), [*blocks, *lesson("ranges", on=explain)])


def cgroup(driver: CgroupDriver) -> Lines:
    """The drivers in two sentences: the kubelet's, and why the runtime's need not be seen."""
    lines: list[Cell] = []
    if driver.configured:
        lines.append(say("nodes.cgroup.kubelet", driver=driver.configured))
    else:
        lines.append(say("nodes.cgroup.kubelet_unknown"))
    if driver.following and not driver.not_following:
        lines.append(say("nodes.cgroup.follows"))
    elif driver.not_following:
        names = ", ".join(driver.not_following[:5])
        lines.append(say("nodes.cgroup.runtime_hidden", nodes=names))
    return Lines(lines)


def system_pods(rows: Sequence[SystemPod], *, explain: bool = False) -> Section:
    """kube-system's pods by node, with role and component."""
    table = Table(
        columns("POD NODE ROLE COMPONENT +READY +PHASE +AGE"),
        [
            [
                row.name,
                row.node,
                say(f"nodes.role.{row.role.replace('-', '_')}"),
                row.component,
                row.ready,
                row.phase,
                age(row.age),
            ]
            for row in rows
        ],
    )
    return Section(say("nodes.section.system_pods"), [table, *lesson("system_pods", on=explain)])


def lesson(part: str, *, on: bool) -> list[Lesson]:
    if not on:
        return []
    return [Lesson(say(f"nodes.lesson.{part}.title"), (say(f"nodes.lesson.{part}.text"),))]
