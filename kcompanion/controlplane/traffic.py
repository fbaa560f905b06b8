"""Who talks to whom, and which of it was seen lately.

The API does not log connections. A line is solid when something that could only arrive over it was seen within five
minutes (a renewed Lease, a heartbeat, a passed etcd check); configured-only lines are dashed. Nothing else is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.apiservers import answering, probes
from kcompanion.controlplane.components import component_pods
from kcompanion.controlplane.flags import flags_of
from kcompanion.controlplane.leaders import ELECTING, leader
from kcompanion.controlplane.lifesigns import heartbeats, identities
from kcompanion.model.fields import map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.times import seconds_between

LATELY = 300  # seconds


@dataclass(frozen=True, slots=True)
class Line:
    """`source` talks to `target`; `measured` says whether that was seen within LATELY."""

    source: str
    target: str
    measured: bool
    age: int | None
    evidence: Evidence

    def to_json(self) -> dict[str, Any]:
        return {
            "from": self.source,
            "to": self.target,
            "measured": self.measured,
            "ageSeconds": self.age,
            "evidence": self.evidence.to_json(),
        }


def lines(snapshot: Snapshot) -> tuple[Line, ...]:
    """Every connection the snapshot proves or flags configure."""
    found = (
        *_servers_to_etcd(snapshot),
        *_leases(snapshot),
        *_kubelets(snapshot),
        *_etcd_peers(snapshot),
        *_outward(snapshot),
    )
    seen = {(line.source, line.target.partition(" ")[0]) for line in found if line.measured}
    once = {(line.source, line.target): line for line in reversed(found)}
    return tuple(
        line
        for line in reversed(once.values())
        if line.measured or (line.source, line.target.partition(" ")[0]) not in seen
    )


def _line(source: str, target: str, age: int | None, evidence: Evidence) -> Line:
    return Line(source, target, age is not None and age <= LATELY, age, evidence)


def _leases(snapshot: Snapshot) -> list[Line]:
    found = []
    for component in ELECTING:
        held = leader(snapshot, component)
        if held is not None and held.holder:
            where = f"{component} ({held.node or held.holder})"
            found.append(_line(where, "kube-apiserver", held.age, held.evidence))
    for host, pulse in sorted(identities(snapshot).items()):
        found.append(_line(f"kube-apiserver ({host})", "etcd", pulse.age, pulse.evidence))
    return found


def _kubelets(snapshot: Snapshot) -> list[Line]:
    pulses = heartbeats(snapshot)
    ages = [pulse.age for pulse in pulses.values() if pulse.age is not None]
    if not ages:
        return []
    heard = [age for age in ages if age <= LATELY]
    lately = len(heard)
    source = Evidence(f"Leases {asks.NODE_LEASES}", "spec.renewTime", f"{lately} of {len(pulses)} renewed")
    return [_line(f"kubelet ({lately}/{len(pulses)})", "kube-apiserver", max(heard, default=min(ages)), source)]


def _servers_to_etcd(snapshot: Snapshot) -> list[Line]:
    found = []
    for probe in probes(snapshot):
        if probe.path == "/readyz" and "etcd" in probe.passed:
            source = Evidence(f"{probe.server or snapshot.origin.server}/readyz?verbose", "[+]etcd", "ok")
            found.append(_line(f"kube-apiserver ({probe.answered_by or '?'})", "etcd", 0, source))
    for pod in component_pods(snapshot, "kube-apiserver"):
        servers = flags_of(pod, "kube-apiserver").get("etcd-servers")
        if servers:
            source = Evidence(f"Pod {asks.SYSTEM}/{name_of(pod)}", "--etcd-servers", servers)
            node = text_at(pod, "spec", "nodeName")
            found.append(_line(f"kube-apiserver ({node})", f"etcd {servers}", None, source))
    return found


def _etcd_peers(snapshot: Snapshot) -> list[Line]:
    members = component_pods(snapshot, "etcd")
    if len(members) < 2:
        return []
    _, failed = answering(snapshot)
    reached = any(p.path == "/readyz" and "etcd" in p.passed for p in probes(snapshot)) and not failed
    # a consistent read needs a majority: a passed etcd check proves that members talk, not which ones
    source = Evidence("/readyz?verbose", "[+]etcd", "a majority answered" if reached else "not proved")
    return [_line("etcd member", "etcd member (:2380)", 0 if reached else None, source)]


def _outward(snapshot: Snapshot) -> list[Line]:
    """The API server's own calls: kubelets, webhooks, aggregated servers."""
    found = []
    for pod in component_pods(snapshot, "kube-apiserver")[:1]:
        certificate = flags_of(pod, "kube-apiserver").get("kubelet-client-certificate")
        if certificate:
            source = Evidence(f"Pod {asks.SYSTEM}/{name_of(pod)}", "--kubelet-client-certificate", certificate)
            found.append(_line("kube-apiserver", "kubelet (:10250)", None, source))
    for ask in (asks.VALIDATING, asks.MUTATING):
        for item in snapshot.items(ask):
            for hook in maps_at(item, "webhooks"):
                target = map_at(hook, "clientConfig", "service")
                told = f"{target.get('namespace')}/{target.get('name')}" if target else "a URL"
                source = Evidence(f"{ask.resource.kind if ask.resource else ''}/{name_of(item)}", "clientConfig", told)
                found.append(_line("kube-apiserver", f"webhook {told}", None, source))
    for item in snapshot.items(asks.API_SERVICES):
        service = map_at(item, "spec", "service")
        if service:
            told = f"{service.get('namespace')}/{service.get('name')}"
            moment = next((c for c in maps_at(item, "status", "conditions") if c.get("type") == "Available"), {})
            age = seconds_between(moment.get("lastTransitionTime"), snapshot.now)
            source = Evidence(f"APIService/{name_of(item)}", "Available", str(moment.get("status") or "?"))
            recent = age if moment.get("status") == "True" else None
            found.append(_line("kube-apiserver", f"aggregated API {told}", recent, source))
    return found
