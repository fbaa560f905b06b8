"""The whole control plane in one value: components, leaders, API servers, etcd, flags, versions, certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import apiservers, certs, controllers
from kcompanion.controlplane import etcd as store
from kcompanion.controlplane import flags as commandline
from kcompanion.controlplane.components import Component
from kcompanion.controlplane.network import Network, network
from kcompanion.controlplane.origin import Maker, as_services, maker, out_of_sight
from kcompanion.controlplane.parts import ELECTED, parts
from kcompanion.controlplane.traffic import Line, lines
from kcompanion.controlplane.versions import (
    Skew,
    effective_minor,
    emulated,
    minor_of,
    server_info,
    server_version,
    skew,
)
from kcompanion.controlplane.work import Placement, StaticPod, Work, examples, placements, static_pods
from kcompanion.model.finding import Status, worst
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Snapshot


@dataclass(frozen=True)
class ControlPlane:
    """Everything `kcompanion controlplane` knows. Views show parts of it."""

    version: str
    made: Maker
    hosted: bool  # out of sight, run by a provider
    services: bool  # out of sight, inside services of the nodes
    components: tuple[Component, ...]
    endpoints: tuple[apiservers.Endpoint, ...]
    probes: tuple[apiservers.Probe, ...]
    etcd: store.Etcd
    flags: Mapping[str, Mapping[str, Mapping[str, str]]]
    drifts: tuple[commandline.Drift, ...]
    admission: commandline.Admission
    controllers: controllers.Controllers
    gates: Mapping[str, bool]
    skews: tuple[Skew, ...]
    certificates: tuple[certs.Certificate, ...]
    unseen: tuple[certs.Unseen, ...]
    network: Network
    traffic: tuple[Line, ...]
    ca_hash: str
    work: tuple[Work, ...]
    placements: tuple[Placement, ...]
    static_pods: tuple[StaticPod, ...]

    @property
    def status(self) -> Status:
        """The worst of the components; those a provider hides do not count, those merely unread do."""
        return worst(component.status for component in self.components)

    def component(self, name: str) -> Component:
        return next(c for c in self.components if c.name == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "version": self.version or None,
            "made": self.made.to_json(),
            "hosted": self.hosted,
            "asServices": self.services,
            "components": [c.to_json() for c in self.components],
            "apiServers": {
                "endpoints": [e.to_json() for e in self.endpoints],
                "probes": [p.to_json() for p in self.probes],
            },
            "etcd": self.etcd.to_json(),
            "flags": {c: {n: dict(f) for n, f in by.items()} for c, by in self.flags.items()},
            "drift": [d.to_json() for d in self.drifts],
            "admissionPlugins": self.admission.to_json(),
            "controllers": self.controllers.to_json(),
            "featureGates": dict(self.gates),
            "versions": [s.to_json() for s in self.skews],
            "certificates": [c.to_json() for c in self.certificates],
            "certificatesNotVisible": [u.to_json() for u in self.unseen],
            "network": self.network.to_json(),
            "traffic": [line.to_json() for line in self.traffic],
            "join": {"caCertHash": self.ca_hash or None},
            "work": [w.to_json() for w in self.work],
            "placements": [p.to_json() for p in self.placements],
            "staticPods": [p.to_json() for p in self.static_pods],
        }


def inspect(snapshot: Snapshot) -> ControlPlane:
    """Judges a snapshot that holds the answers to asks.OVERVIEW, as far as they could be had."""
    services = as_services(snapshot)
    hosted = out_of_sight(snapshot) and not services
    hidden = _why_hidden(hosted=hosted, services=services)
    net = network(snapshot)
    components, details = parts(snapshot, net, hidden, hosted=hosted, services=services)
    given = commandline.all_flags(snapshot)
    return ControlPlane(
        version=server_version(snapshot),
        made=maker(snapshot),
        hosted=hosted,
        services=services,
        components=components,
        endpoints=apiservers.endpoints(snapshot),
        probes=apiservers.probes(snapshot),
        etcd=details,
        flags=given,
        drifts=commandline.drifts(given),
        admission=commandline.admission(given),
        controllers=controllers.controllers(given),
        gates=commandline.feature_gates(snapshot),
        skews=_skews(snapshot, components, given),
        certificates=certs.certificates(snapshot),
        unseen=certs.unseen(snapshot),
        network=net,
        traffic=lines(snapshot),
        ca_hash=certs.ca_hash(snapshot),
        work=examples(snapshot),
        placements=placements(snapshot),
        static_pods=static_pods(snapshot),
    )


def _why_hidden(*, hosted: bool, services: bool) -> Message | None:
    if services:
        return say("controlplane.note.services")
    return say("controlplane.note.hosted") if hosted else None


def _skews(
    snapshot: Snapshot, components: tuple[Component, ...], given: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> tuple[Skew, ...]:
    """The matrix: every versioned instance against the oldest and newest API server known."""
    info = server_info(snapshot)
    by_name = {component.name: component for component in components}
    answered = effective_minor(info, minor_of(server_version(snapshot)))
    emulates = {(name, node): emulated(by_flag) for name, by in given.items() for node, by_flag in by.items()}
    servers = [
        minor_of(emulates.get(("kube-apiserver", i.node), "")) or minor_of(i.version)
        for i in by_name["kube-apiserver"].instances
    ]
    minors = [m for m in [*servers, answered] if m is not None]
    oldest, newest = (min(minors), max(minors)) if minors else (None, None)
    rows = []
    for name in ("kube-apiserver", *ELECTED, "cloud-controller-manager", "kubelet", "kube-proxy"):
        for instance in by_name[name].instances:
            if instance.version or name == "kubelet":
                as_other = emulates.get((name, instance.node), "")
                rows.append(skew(name, instance.node, instance.version, oldest, newest, as_other))
    if not any(servers) and server_version(snapshot):  # hidden ones do not tell their version
        rows.insert(0, skew("kube-apiserver", "", server_version(snapshot), oldest, newest))
    return tuple(rows)
