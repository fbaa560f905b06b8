"""The views of `controlplane`: each turns a part of the inspected value into sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcompanion.controlplane.components import Component, Instance
from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.controlplane.network import Network
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.quantities import human_bytes
from kcompanion.model.times import human_age
from kcompanion.report.document import Block, Cell, Facts, Lines, Section, Table, columns

Pairs = list[tuple[Message, Cell]]


def health(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - one signature for views
    """Every check of every instance, and each API server's own checks."""
    sections = [_checks_of(item) for item in plane.components if item.instances or item.checks]
    rows = [
        (probe.answered_by or say("controlplane.someone"), probe.path, probe.status, probe.http_status,
         len(probe.passed), ", ".join(probe.failed))
        for probe in plane.probes
    ]  # fmt: skip
    table = Table(columns("API-SERVER PATH STATUS HTTP PASSED FAILED"), rows)
    blocks: list[Block] = [table]
    asked = {probe.answered_by for probe in plane.probes if probe.path == "/readyz"} - {""}
    silent = [e.node or e.address for e in plane.endpoints if not {e.node, e.address} & asked]
    if silent:
        blocks.append(Lines([say("controlplane.not_probed", names=", ".join(silent))]))
    return [*sections, Section(say("controlplane.section.probes"), blocks)]


MAX_CHECKS = 40  # rows of one component: beyond it only those that are not ok


def _checks_of(component: Component) -> Section:
    rows: list[Sequence[Cell]] = [(None, c.status, c.message, _source(c)) for c in component.checks]
    found = [(i, c) for i in component.instances for c in i.health.checks]
    if len(found) > MAX_CHECKS:
        found = [(i, c) for i, c in found if c.status is not Status.OK][:MAX_CHECKS]
    rows += [(i.node, c.status, c.message, _source(c)) for i, c in found]
    if not rows:
        rows = [(None, component.status, say("controlplane.well", well=len(component.instances),
                                             total=len(component.instances)), None)]  # fmt: skip
    title = say("controlplane.section.component", name=component.name)
    return Section(title, (Table(columns("NODE STATUS CHECK +READ_FROM"), rows),), component.status)


def _source(check: Any) -> str:  # noqa: ANN401 - health.Check
    evidence = check.evidence
    return " ".join(part for part in (evidence.source, evidence.path, evidence.value) if part)


def leaders(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """Who leads, since when, and who would take over."""
    rows = []
    lines: list[Cell] = []
    for item in plane.components:
        held = item.leader
        if held is None:
            continue
        standbys = [i.node for i in item.instances if i.role == "standby" and i.health.status is Status.OK]
        status = Status.FAIL if held.expired else Status.OK
        rows.append(
            (item.name, status, held.node or held.holder, _ago(held.age), _span(held.acquired), held.transitions,
             len(standbys) if item.instances else None, held.holder)
        )  # fmt: skip
        if not item.instances:  # out of sight, or unread: its Lease tells who leads and nobody else
            lines.append(say("controlplane.standby_unseen", component=item.name))
        elif standbys:
            lines.append(say("controlplane.would_take_over", component=item.name, names=", ".join(standbys),
                             duration=held.duration))  # fmt: skip
        else:
            lines.append(say("controlplane.no_standby", component=item.name))
    head = columns("COMPONENT STATUS LEADER RENEWED HELD CHANGES STANDBYS +HOLDER")
    lines.append(say("controlplane.leaders_note"))
    blocks = (Table(head, rows), Lines(lines))
    return [Section(say("controlplane.section.leaders"), blocks), _identities(plane)]


def _identities(plane: ControlPlane) -> Section:
    rows = [(i.node, i.health.status, _identity(i)) for i in plane.component("kube-apiserver").instances]
    return Section(say("controlplane.section.identities"), (Table(columns("API-SERVER STATUS EVIDENCE"), rows),))


def _identity(instance: Instance) -> Cell:
    for check in instance.health.checks:
        if check.evidence.source.startswith("Lease kube-system/apiserver-"):
            return check.message
    return instance.health.telling.message if instance.health.telling else None


def _ago(seconds: int | None) -> Cell:
    return None if seconds is None else say("controlplane.ago", age=human_age(seconds))


def _span(seconds: int | None) -> Cell:
    return None if seconds is None else human_age(seconds)


def etcd(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """Members, quorum arithmetic and the size of the store."""
    facts: Pairs = [(say("controlplane.etcd.topology"), say(f"controlplane.etcd.{plane.etcd.topology}"))]
    if plane.etcd.servers:
        facts.append((say("controlplane.etcd.servers"), ", ".join(plane.etcd.servers)))
    size, quota = plane.etcd.store_bytes, plane.etcd.quota_bytes
    if size is not None:
        value: Cell = human_bytes(size)
        if quota:
            value = say("controlplane.etcd.size_of", size=human_bytes(size), quota=human_bytes(quota),
                        percent=100 * size // quota)  # fmt: skip
        facts.append((say("controlplane.etcd.size"), value))
    else:
        facts.append((say("controlplane.etcd.size"), say("controlplane.etcd.size_unread")))
    blocks: list[Block] = [Facts(facts)]
    if plane.etcd.members:
        rows = [(m.name, m.status, m.node, m.peer_url, m.client_url) for m in plane.etcd.members]
        blocks.append(Table(columns("MEMBER STATUS NODE PEER-URL +CLIENT-URL"), rows))
    sections = [Section(say("controlplane.section.etcd"), blocks, plane.component("etcd").status)]
    if plane.etcd.quorum is not None:
        sections.append(_quorum(plane))
    checks = plane.component("etcd").checks
    if checks:
        sections.append(Section(say("controlplane.section.reached"), (Lines([c.message for c in checks]),)))
    return sections


def _quorum(plane: ControlPlane) -> Section:
    quorum = plane.etcd.quorum
    if quorum is None:
        raise ValueError("no members, no quorum")
    lines: list[Cell] = [
        say(one_or_many("controlplane.quorum.needs", quorum.members), members=quorum.members,
            needed=quorum.needed, alive=quorum.alive,
            unsure=quorum.unsure)
    ]  # fmt: skip
    if quorum.alive + quorum.unsure < quorum.needed:
        lines.append(say("controlplane.quorum.lost"))
    elif not quorum.unsure:
        lines.append(
            say("controlplane.quorum.spare" if quorum.spare else "controlplane.quorum.none_spare", spare=quorum.spare)
        )
    head = columns("MEMBERS QUORUM TOLERATES")
    rows = [(n, n // 2 + 1, n - n // 2 - 1) for n in sorted({1, 2, 3, 4, 5, 7, quorum.members, quorum.members + 1})]
    if quorum.even:
        lines.append(say("controlplane.quorum.even", members=quorum.members))
    else:
        lines.append(say("controlplane.quorum.one_more", members=quorum.members + 1, tolerates=quorum.tolerates))
    return Section(say("controlplane.section.quorum"), (Lines(lines), Table(head, rows)))


def flags(plane: ControlPlane, component: str | None) -> Sequence[Section]:
    """Flags as given, differences between instances, controllers and admission plugins."""
    sections = []
    for name, by_node in plane.flags.items():
        if component not in (None, name) or not by_node:
            continue
        drifted = {d.flag for d in plane.drifts if d.component == name}
        rows: list[Sequence[Cell]] = []
        for flag in sorted({f for given in by_node.values() for f in given}):
            values = {given.get(flag) for given in by_node.values()}
            mark = say("controlplane.flags.differs") if flag in drifted else None
            if len(values) == 1:
                rows.append((f"--{flag}", None, values.pop(), mark))
            else:
                rows += [(f"--{flag}", node, given.get(flag), mark) for node, given in sorted(by_node.items())]
        title = say("controlplane.section.flags", name=name, count=len(by_node))
        sections.append(Section(title, (Table(columns("FLAG NODE VALUE NOTE"), rows),)))
    if not sections:
        sections.append(Section(say("controlplane.section.flags_none"), (Lines([say("controlplane.flags.none")]),)))
    if component in (None, "kube-apiserver"):
        sections.append(_admission(plane))
    return sections


def _admission(plane: ControlPlane) -> Section:
    found = plane.admission
    title = say("controlplane.section.admission")
    if not found.known:
        return Section(title, (Lines([say("controlplane.flags.none")]),))
    lines: list[Cell] = [
        say("controlplane.admission.enabled", names=", ".join(found.enabled) or "-"),
        say("controlplane.admission.disabled", names=", ".join(found.disabled) or "-"),
        say("controlplane.admission.default"),
    ]
    return Section(title, (Lines(lines),))


def versions(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """Every component's version against the version-skew policy."""
    rows = [(s.component, s.status, s.version, s.allowed, s.where) for s in plane.skews]
    lines = Lines([say("controlplane.skew_policy")])
    table = Table(columns("COMPONENT STATUS VERSION ALLOWED WHERE"), rows)
    return [Section(say("controlplane.section.versions"), (table, lines))]


def certificates(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """Certificates seen without a shell, and the files that are not."""
    rows = [
        (say(f"controlplane.certificate.{c.use.replace('-', '_')}"), c.owner, c.status, c.days_left, c.not_after[:10],
         c.subject, c.evidence.source)
        for c in plane.certificates
    ]  # fmt: skip
    seen = Table(columns("USE OF STATUS DAYS ENDS +SUBJECT SEEN_IN"), rows)
    blocks: list[Block] = []
    if plane.unseen:
        nodes = sorted({u.node for u in plane.unseen})
        paths = sorted({u.path for u in plane.unseen})
        lines: list[Cell] = [
            say("controlplane.certificate.unseen", count=len(plane.unseen)),
            say("controlplane.certificate.command"),
            *(f"{node}: kubeadm certs check-expiration" for node in nodes),
        ]
        blocks = [Lines(lines), Lines([", ".join(paths)])]
    sections = [Section(say("controlplane.section.certificates"), (seen,))]
    if blocks:
        sections.append(Section(say("controlplane.section.unseen"), blocks))
    return sections


def network(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """CNI, kube-proxy, address ranges and how many nodes they can serve."""
    net = plane.network
    facts: Pairs = [
        (say("controlplane.network.cni"), net.cni.name or None),
        (say("controlplane.network.policy"), _policy(net)),
        (say("controlplane.network.proxy"), net.kube_proxy.mode or None),
        (say("controlplane.network.pods"), ", ".join(net.ranges.pod_cidrs) or None),
        (say("controlplane.network.services"), ", ".join(net.ranges.service_cidrs) or None),
    ]
    rows = [(c.cidr, f"/{c.mask}", c.total, c.used, c.per_node) for c in net.capacity]
    table = Table(columns("POD-RANGE NODE-MASK NODES-FIT IN-USE ADDRESSES/NODE"), rows)
    return [Section(say("controlplane.section.network"), (Facts(facts), table), net.status)]


def _policy(net: Network) -> Message:
    known = {True: "yes", False: "no", None: "unknown"}[net.cni.enforces_policy]
    return say(f"controlplane.network.policy_{known}")


def join(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """What kubeadm left behind for nodes that want to join."""
    facts: Pairs = [(say("controlplane.join.hash"), plane.ca_hash or None)]
    lines = Lines([say("controlplane.join.hash_note"), say("controlplane.join.tokens")])
    return [Section(say("controlplane.section.join"), (Facts(facts), lines))]


def traffic(plane: ControlPlane, component: str | None) -> Sequence[Section]:  # noqa: ARG001 - as above
    """Who talks to whom: solid where it was seen lately, dashed where it is only configured."""
    rows = [
        (line.source, "──▶" if line.measured else "╌╌▶", line.target,
         _ago(line.age) if line.measured else say("controlplane.traffic.configured"),
         f"{line.evidence.source} {line.evidence.path} {line.evidence.value}".strip())
        for line in plane.traffic
    ]  # fmt: skip
    table = Table(columns("FROM LINE TO SEEN +EVIDENCE"), rows)
    legend = Lines([say("controlplane.traffic.legend"), say("controlplane.traffic.hub")])
    return [Section(say("controlplane.section.traffic"), (table, legend))]
