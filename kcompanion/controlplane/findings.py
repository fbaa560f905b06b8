"""Findings about the control plane: each a small function over the inspected value, listed in RULES.

Codes are KC1nnn and never change their meaning. A rule whose facts are unread finds nothing; the gap is reported
beside the findings, so silence is never read as health.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kcompanion.controlplane.components import STATIC
from kcompanion.controlplane.health import Check
from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.controlplane.versions import MAY_LAG
from kcompanion.model.finding import Evidence, Finding, Severity, Status, ranked
from kcompanion.model.message import say

FULL = 0.8  # of etcd's quota: past it compaction and defragmentation are due before NOSPACE stops all writes


def findings(plane: ControlPlane) -> tuple[Finding, ...]:
    """Every finding, worst first."""
    return ranked(finding for rule in RULES for finding in rule(plane))


def _silent(plane: ControlPlane) -> dict[str, Check]:
    """Nodes whose kubelet is known to be silent, with the heartbeat that tells it."""
    return {
        instance.node: check
        for instance in plane.component("kubelet").instances
        for check in instance.health.checks
        if check.status is Status.FAIL and check.evidence.path == "spec.renewTime"
    }


def _node_silent(plane: ControlPlane) -> Iterator[Finding]:
    """One cause, one finding: a silent node takes everything on it along."""
    silent = _silent(plane)
    if not silent:
        return
    hit = [c for c in plane.components if any(i.node in silent for i in c.instances)]
    left = [c for c in hit if any(i.node not in silent and i.health.status is Status.OK for i in c.instances)]
    gone = [c.name for c in hit if c not in left]
    values = {
        "nodes": _some(sorted(silent)),
        "age": min((dict(check.message.values).get("age", "?") for check in silent.values()), key=_youngest),
        "hit": ", ".join(c.name for c in hit),
        "gone": ", ".join(gone),
    }
    yield Finding(
        "KC1000",
        Severity.CRITICAL if gone else Severity.WARNING,
        f"Node/{min(silent)}",
        say(f"controlplane.finding.kc1000{'_nothing_left' if gone else ''}", **values),
        tuple(check.evidence for _, check in sorted(silent.items())[:5]),
        f"kcompanion nodes {min(silent)}",
    )


def _youngest(age: int | str) -> float:
    return age if isinstance(age, int) else float("inf")


def _some(names: list[str]) -> str:
    """Up to five names, and how many more."""
    return ", ".join(names[:5]) + (f" (+{len(names) - 5})" if len(names) > 5 else "")


def _instance_down(plane: ControlPlane) -> Iterator[Finding]:
    silent = _silent(plane)
    for name in STATIC:
        for instance in plane.component(name).instances:
            if instance.health.status is not Status.FAIL or instance.node in silent:
                continue
            bad = [check for check in instance.health.checks if check.status is Status.FAIL]
            others = any(i.health.status is Status.OK for i in plane.component(name).instances)
            yield Finding(
                "KC1001",
                Severity.WARNING if others else Severity.CRITICAL,
                f"{name}/{instance.node}",
                say("controlplane.finding.kc1001", component=name, node=instance.node, cause=bad[0].message),
                tuple(check.evidence for check in bad),
                f"kubectl -n kube-system describe pod {instance.pod}" if instance.pod else "",
            )


def _no_leader(plane: ControlPlane) -> Iterator[Finding]:
    for component in plane.components:
        held = component.leader
        if held is not None and held.expired:
            age = "?" if held.age is None else held.age
            yield Finding(
                "KC1002",
                Severity.CRITICAL,
                f"Lease/{component.name}",
                say("controlplane.finding.kc1002", component=component.name, age=age, duration=held.duration),
                (held.evidence,),
                f"kubectl -n kube-system get lease {component.name} -o yaml",
            )


def _failed_checks(plane: ControlPlane) -> Iterator[Finding]:
    for probe in plane.probes:
        if probe.failed:
            who = probe.answered_by or say("controlplane.someone")
            yield Finding(
                "KC1003",
                Severity.CRITICAL,
                f"kube-apiserver/{probe.answered_by or '?'}",
                say("controlplane.finding.kc1003", who=who, path=probe.path, failed=", ".join(probe.failed)),
                (Evidence(f"{probe.server}{probe.path}?verbose", "HTTP", str(probe.http_status)),),
                f"kubectl get --raw '{probe.path}?verbose'",
            )


def _single_point(plane: ControlPlane) -> Iterator[Finding]:
    # what runs out of sight may well have others beside it
    singles = [name for name in STATIC if [bool(i.pod) for i in plane.component(name).instances] == [True]]
    if len(singles) == len(STATIC):
        node = plane.component("etcd").instances[0].node
        yield Finding(
            "KC1010",
            Severity.INFO,
            f"Node/{node}",
            say("controlplane.finding.kc1010", node=node),
            (Evidence("Pods kube-system", "labels[tier]=control-plane", "one of each"),),
            "kcompanion controlplane etcd",
        )
        return
    for name in singles:
        instance = plane.component(name).instances[0]
        yield Finding(
            "KC1011",
            Severity.WARNING,
            f"{name}/{instance.node}",
            say("controlplane.finding.kc1011", component=name, node=instance.node),
            (Evidence("Pods kube-system", f"labels[component]={name}", "one"),),
            f"kubectl get pods -n kube-system -l component={name} -o wide",
        )


def _quorum(plane: ControlPlane) -> Iterator[Finding]:
    quorum = plane.etcd.quorum
    if quorum is None:
        return
    evidence = (Evidence("Pods kube-system", "labels[component]=etcd", f"{quorum.alive}/{quorum.members}"),)
    values = {
        "members": quorum.members,
        "alive": quorum.alive,
        "needed": quorum.needed,
        "tolerates": quorum.tolerates,
    }
    next_command = "kcompanion controlplane etcd"
    if quorum.alive + quorum.unsure < quorum.needed:
        text = say("controlplane.finding.kc1020", **values)
        yield Finding("KC1020", Severity.CRITICAL, "etcd", text, evidence, next_command)
    elif quorum.alive < quorum.members and not quorum.unsure:
        last = "" if quorum.spare else "_last"
        text = say(f"controlplane.finding.kc1021{last}", **values, spare=quorum.spare)
        yield Finding("KC1021", Severity.WARNING, "etcd", text, evidence, next_command)
    if quorum.even:
        text = say("controlplane.finding.kc1022", **values)
        yield Finding("KC1022", Severity.WARNING, "etcd", text, evidence, next_command)


_LOOK_AT_ETCD = "crictl ps -a --name etcd  # on each control-plane node (kind: docker exec NODE …)"


def _etcd_silent(plane: ControlPlane) -> Iterator[Finding]:
    """The API server that answered gets nothing from etcd: what is shown of the rest comes from its cache."""
    for probe in plane.probes:
        bad = [name for name in probe.failed if name.startswith("etcd")]
        if probe.path != "/readyz" or not bad:
            continue
        quorum = plane.etcd.quorum
        who = probe.answered_by or say("controlplane.someone")
        text = (
            say("controlplane.finding.kc1024", who=who, members=quorum.members, needed=quorum.needed)
            if quorum
            else say("controlplane.finding.kc1024_members_unknown", who=who)
        )
        evidence = (Evidence(f"{probe.server}/readyz?verbose", "[-]", ", ".join(bad)),)
        yield Finding("KC1024", Severity.CRITICAL, "etcd", text, evidence, _LOOK_AT_ETCD)
        return


def _store_full(plane: ControlPlane) -> Iterator[Finding]:
    size, quota = plane.etcd.store_bytes, plane.etcd.quota_bytes
    if size is None or not quota or size < FULL * quota:
        return
    percent = 100 * size // quota
    yield Finding(
        "KC1023",
        Severity.CRITICAL,
        "etcd",
        say("controlplane.finding.kc1023", percent=percent),
        (Evidence("/metrics", "apiserver_storage_size_bytes", str(size)),),
        "kcompanion controlplane etcd",
    )


def _drift(plane: ControlPlane) -> Iterator[Finding]:
    for drift in plane.drifts:
        told = ", ".join(f"{node}: {value if value is not None else '-'}" for node, value in drift.values)
        yield Finding(
            "KC1030",
            Severity.WARNING,
            f"{drift.component}/--{drift.flag}",
            say("controlplane.finding.kc1030", component=drift.component, flag=drift.flag),
            (Evidence("Pods kube-system", f"--{drift.flag}", told),),
            f"kcompanion controlplane flags {drift.component}",
        )


def _skew(plane: ControlPlane) -> Iterator[Finding]:
    for row in plane.skews:
        if row.status is Status.FAIL:
            yield Finding(
                "KC1031",
                Severity.WARNING,
                f"{row.component}/{row.where}",
                say(
                    "controlplane.finding.kc1031",
                    component=row.component,
                    version=row.version,
                    allowed=row.allowed,
                    lag=MAY_LAG[row.component],
                ),
                (Evidence(row.where or "/version", "version", row.version),),
                "kcompanion controlplane versions",
            )


def _certificates(plane: ControlPlane) -> Iterator[Finding]:
    for certificate in plane.certificates:
        if certificate.status is Status.OK:
            continue
        ended = certificate.status is Status.FAIL
        name = certificate.owner or certificate.subject
        yield Finding(
            "KC1040" if ended else "KC1041",
            Severity.CRITICAL if ended else Severity.WARNING,
            f"Certificate/{certificate.use}/{name}",
            say(
                f"controlplane.finding.{'kc1040' if ended else 'kc1041'}",
                use=say(f"controlplane.certificate.{certificate.use.replace('-', '_')}"),
                date=certificate.not_after[:10],
                days=abs(certificate.days_left),
            ),
            (certificate.evidence,),
            "kcompanion controlplane certs",
        )


def _restarts(plane: ControlPlane) -> Iterator[Finding]:
    for name in STATIC:
        for instance in plane.component(name).instances:
            if (instance.restarts or 0) >= 5:
                yield Finding(
                    "KC1050",
                    Severity.WARNING,
                    f"Pod/{instance.pod}",
                    say("controlplane.finding.kc1050", pod=instance.pod, count=instance.restarts),
                    (Evidence(f"Pod kube-system/{instance.pod}", "restartCount", str(instance.restarts)),),
                    f"kubectl -n kube-system logs {instance.pod} --previous",
                )


def _daemons_down(plane: ControlPlane) -> Iterator[Finding]:
    """What runs on every node, collapsed into one finding a component however many nodes there are."""
    silent = _silent(plane)
    for name in ("kubelet", "kube-proxy", "dns"):
        instances = plane.component(name).instances
        down = [i for i in instances if i.health.status is Status.FAIL and i.node not in silent]
        if down:
            nodes = sorted({i.node for i in down})
            values = {"component": name, "down": len(down), "total": len(instances), "nodes": _some(nodes)}
            yield Finding(
                "KC1060",
                Severity.WARNING if len(down) < len(instances) else Severity.CRITICAL,
                f"{name}/{nodes[0] or '?'}",
                say("controlplane.finding.kc1060", **values),
                tuple(e.health.telling.evidence for e in down[:3] if e.health.telling),
                "kcompanion nodes",
            )


RULES: tuple[Callable[[ControlPlane], Iterator[Finding]], ...] = (
    _node_silent,
    _instance_down,
    _no_leader,
    _failed_checks,
    _single_point,
    _quorum,
    _etcd_silent,
    _store_full,
    _drift,
    _skew,
    _certificates,
    _restarts,
    _daemons_down,
)
