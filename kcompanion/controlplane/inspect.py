"""The whole control plane in one value: components, leaders, API servers, etcd, flags, versions, certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import apiservers, asks, certs, controllers, flags
from kcompanion.controlplane import etcd as store
from kcompanion.controlplane.components import (
    Component,
    Instance,
    component_pods,
    kubelets,
    pod_instance,
    runtimes,
    static_component,
)
from kcompanion.controlplane.health import Check, Health, of_parts, unread
from kcompanion.controlplane.leaders import leader, leader_check
from kcompanion.controlplane.lifesigns import identities, pulse_check
from kcompanion.controlplane.network import Network, network
from kcompanion.controlplane.origin import Maker, hosted, maker
from kcompanion.controlplane.traffic import Line, lines
from kcompanion.controlplane.versions import Skew, effective_minor, minor_of, server_info, server_version, skew
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot

ELECTED = ("kube-scheduler", "kube-controller-manager")


@dataclass(frozen=True)
class ControlPlane:
    """Everything `kcompanion controlplane` knows. Views show parts of it."""

    version: str
    made: Maker
    hosted: bool
    components: tuple[Component, ...]
    endpoints: tuple[apiservers.Endpoint, ...]
    probes: tuple[apiservers.Probe, ...]
    etcd: store.Etcd
    flags: Mapping[str, Mapping[str, Mapping[str, str]]]
    drifts: tuple[flags.Drift, ...]
    admission: flags.Admission
    controllers: controllers.Controllers
    gates: Mapping[str, bool]
    skews: tuple[Skew, ...]
    certificates: tuple[certs.Certificate, ...]
    unseen: tuple[certs.Unseen, ...]
    network: Network
    traffic: tuple[Line, ...]
    ca_hash: str

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
        }


def inspect(snapshot: Snapshot) -> ControlPlane:
    """Judges a snapshot that holds the answers to asks.OVERVIEW, as far as they could be had."""
    out_of_sight = hosted(snapshot)
    net = network(snapshot)
    etcd_component = static_component(snapshot, "etcd", hosted=out_of_sight, checks=_etcd_checks(snapshot))
    details = store.etcd(snapshot, etcd_component, hosted=out_of_sight)
    components = (
        _api_servers(snapshot, out_of_sight=out_of_sight),
        _etcd_component(etcd_component, details),
        *(_elected(snapshot, name, out_of_sight=out_of_sight) for name in ELECTED),
        _cloud_controller(snapshot, out_of_sight=out_of_sight),
        kubelets(snapshot),
        _kube_proxy(snapshot, net),
        runtimes(snapshot),
        _dns(snapshot),
        _cni(snapshot, net),
    )
    given = flags.all_flags(snapshot)
    return ControlPlane(
        version=server_version(snapshot),
        made=maker(snapshot),
        hosted=out_of_sight,
        components=components,
        endpoints=apiservers.endpoints(snapshot),
        probes=apiservers.probes(snapshot),
        etcd=details,
        flags=given,
        drifts=flags.drifts(given),
        admission=flags.admission(given),
        controllers=controllers.controllers(given),
        gates=flags.feature_gates(snapshot),
        skews=_skews(snapshot, components),
        certificates=certs.certificates(snapshot),
        unseen=certs.unseen(snapshot),
        network=net,
        traffic=lines(snapshot),
        ca_hash=certs.ca_hash(snapshot),
    )


def _api_servers(snapshot: Snapshot, *, out_of_sight: bool) -> Component:
    """API servers are judged one by one; the one that answered is alive whatever else is unread."""
    answer = _answer_check(snapshot)
    base = static_component(snapshot, "kube-apiserver", hosted=out_of_sight)
    if base.missing:
        return _hidden_api_servers(snapshot, base, answer)
    instances = tuple(_with_own_checks(snapshot, instance) for instance in base.instances)
    parts = of_parts(instance.health.status for instance in instances)
    return Component(base.name, worst([parts, *_failing(answer)]), instances, checks=(answer,))


def _failing(check: Check) -> list[Status]:
    # an OK of one API server must not hide what is unknown of the others, and adds nothing to it
    return [] if check.status is Status.OK else [check.status]


def _hidden_api_servers(snapshot: Snapshot, base: Component, answer: Check) -> Component:
    """API servers without pods (hosted, or run as services): their identity Leases, else the one answer, show them."""
    instances = tuple(
        Instance(
            node=host,
            pod="",
            version="",
            health=Health((pulse_check(pulse, "controlplane.check.identity"),)),
            role="active",
        )
        for host, pulse in sorted(identities(snapshot).items())
    )
    status = base.status
    if status is Status.NOT_VISIBLE:
        parts = of_parts(i.health.status for i in instances) if instances else Status.OK
        status = worst([parts, answer.status])
    return Component(base.name, status, instances, note=base.note, checks=(answer, *base.checks))


def _with_own_checks(snapshot: Snapshot, instance: Instance) -> Instance:
    extra = [
        apiservers.probe_check(snapshot, instance.node),
        apiservers.listed_check(snapshot, instance.node),
    ]
    found = tuple(check for check in extra if check is not None)
    health = Health((*found, *instance.health.checks))
    return Instance(
        instance.node,
        instance.pod,
        instance.version,
        health,
        instance.static_pod,
        instance.role,
        instance.image,
        instance.restarts,
        instance.age,
    )


def _answer_check(snapshot: Snapshot) -> Check:
    """The one /readyz answer at the kubeconfig's address, whoever gave it."""
    if missing := unread(snapshot, asks.READYZ):
        return missing
    by, failed = apiservers.answering(snapshot)
    status = snapshot.reading(asks.READYZ).status
    evidence = Evidence("/readyz?verbose", "HTTP", str(status))
    who = by or say("controlplane.someone")
    if status == 200:
        return Check(Status.OK, say("controlplane.check.answered", who=who), evidence)
    told = ", ".join(failed) or str(status)
    return Check(Status.FAIL, say("controlplane.check.answered_failing", who=who, failed=told), evidence)


def _elected(snapshot: Snapshot, name: str, *, out_of_sight: bool) -> Component:
    check = leader_check(snapshot, name)
    held = leader(snapshot, name)
    if out_of_sight and held is None and check.status is Status.FAIL:
        # some providers keep even the Leases to themselves
        return static_component(snapshot, name, hosted=True)
    return static_component(snapshot, name, hosted=out_of_sight, leader=held, checks=(check,))


def _cloud_controller(snapshot: Snapshot, *, out_of_sight: bool) -> Component:
    """Most clusters of one's own have none: its absence is not a fault."""
    name = "cloud-controller-manager"
    held = leader(snapshot, name)
    if held is not None or component_pods(snapshot, name):
        checks = (leader_check(snapshot, name),) if held is not None else ()
        return static_component(snapshot, name, hosted=out_of_sight, leader=held, checks=checks)
    for ask in (asks.PODS, asks.LEASES):
        if missing := unread(snapshot, ask):
            return Component(name, Status.UNKNOWN, note=missing.message, checks=(missing,))
    return Component(name, Status.NOT_VISIBLE, note=say("controlplane.note.no_cloud"))


def _etcd_checks(snapshot: Snapshot) -> tuple[Check, ...]:
    """What the API server that answered says of its own way to etcd."""
    found = [p for p in apiservers.probes(snapshot) if p.path == "/readyz" and not p.server]
    checks = []
    for probe in found:
        evidence = Evidence("/readyz?verbose", "[etcd]", str(probe.http_status))
        who = probe.answered_by or say("controlplane.someone")
        bad = [name for name in probe.failed if name.startswith("etcd")]
        if bad:
            failing = say("controlplane.check.etcd_unreached", who=who, failed=", ".join(bad))
            checks.append(Check(Status.FAIL, failing, evidence))
        elif "etcd" in probe.passed:
            checks.append(Check(Status.OK, say("controlplane.check.etcd_reached", who=who), evidence))
    return tuple(checks)


def _etcd_component(component: Component, details: store.Etcd) -> Component:
    """etcd with the quorum in its status; an external one has no pods to look at."""
    if component.missing and details.topology == "external":
        status = worst([check.status for check in component.checks if check.status is not Status.UNKNOWN] or [Status.UNKNOWN])
        note = say("controlplane.note.external_etcd", servers=", ".join(details.servers))
        return Component("etcd", status, (), note=note, checks=component.checks)
    quorum = details.quorum
    lost = quorum is not None and quorum.alive + quorum.unsure < quorum.needed
    status = Status.FAIL if lost else component.status
    return Component("etcd", status, component.instances, note=component.note, checks=component.checks)


def _kube_proxy(snapshot: Snapshot, net: Network) -> Component:
    found = component_pods(snapshot, "kube-proxy")
    proxy = net.kube_proxy
    if not found:
        note = say("controlplane.note.proxy_replaced", by=proxy.replaced_by) if proxy.replaced_by else None
        missing = unread(snapshot, asks.PODS)
        if missing is not None:
            return Component("kube-proxy", Status.UNKNOWN, note=missing.message, checks=(missing,))
        status = Status.NOT_VISIBLE if note else Status.UNKNOWN
        return Component("kube-proxy", status, note=note or say("controlplane.note.no_pods"))
    return _from_pods(snapshot, "kube-proxy", proxy.status)


def _from_pods(snapshot: Snapshot, name: str, *others: Status) -> Component:
    instances = tuple(pod_instance(snapshot, pod, name) for pod in component_pods(snapshot, name))
    parts = of_parts(instance.health.status for instance in instances)
    return Component(name, worst([parts, *others]), instances)


def _dns(snapshot: Snapshot) -> Component:
    if component_pods(snapshot, "dns"):
        return _from_pods(snapshot, "dns")
    missing = unread(snapshot, asks.PODS)
    note = missing.message if missing else say("controlplane.note.no_dns")
    return Component("dns", Status.UNKNOWN, note=note, checks=(missing,) if missing else ())


def _cni(snapshot: Snapshot, net: Network) -> Component:
    plugin = net.cni
    missing = unread(snapshot, asks.DAEMONSETS)
    if missing is not None and plugin.rollout is None:
        return Component("cni", Status.UNKNOWN, note=missing.message, checks=(missing,))
    if not plugin.name:
        return Component("cni", plugin.status, note=say("controlplane.note.no_cni"))
    ready = plugin.rollout.text if plugin.rollout else "?"
    message = say("controlplane.check.cni", name=plugin.name, ready=ready)
    evidence = plugin.rollout.evidence if plugin.rollout else plugin.evidence[0]
    check = Check(plugin.status, message, evidence)
    return Component("cni", plugin.status, note=say("controlplane.note.cni", name=plugin.name), checks=(check,))


def _skews(snapshot: Snapshot, components: tuple[Component, ...]) -> tuple[Skew, ...]:
    """The matrix: every versioned instance against the oldest and newest API server known."""
    info = server_info(snapshot)
    by_name = {component.name: component for component in components}
    answered = effective_minor(info, minor_of(server_version(snapshot)))
    servers = [minor_of(i.version) for i in by_name["kube-apiserver"].instances]
    minors = [m for m in [*servers, answered] if m is not None]
    oldest, newest = (min(minors), max(minors)) if minors else (None, None)
    rows = []
    for name in ("kube-apiserver", *ELECTED, "cloud-controller-manager", "kubelet", "kube-proxy"):
        for instance in by_name[name].instances:
            if instance.version or name == "kubelet":
                rows.append(skew(name, instance.node, instance.version, oldest, newest))
    if not servers and server_version(snapshot):
        rows.insert(0, skew("kube-apiserver", "", server_version(snapshot), oldest, newest))
    return tuple(rows)
