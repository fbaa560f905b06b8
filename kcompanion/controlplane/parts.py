"""Each component of the overview put together: pods, Leases, probes and DaemonSets into one status with its checks."""

from __future__ import annotations

from collections.abc import Mapping

from kcompanion.controlplane import apiservers, asks
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
from kcompanion.controlplane.flags import flags_of
from kcompanion.controlplane.health import Check, Health, of_parts, readable, unread
from kcompanion.controlplane.leaders import leader, leader_check
from kcompanion.controlplane.lifesigns import Pulse, identities, pulse_check
from kcompanion.controlplane.network import Network
from kcompanion.model.fields import name_of
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Snapshot

ELECTED = ("kube-scheduler", "kube-controller-manager")


def parts(
    snapshot: Snapshot, net: Network, hidden: Message | None, *, hosted: bool, services: bool
) -> tuple[tuple[Component, ...], store.Etcd]:
    """All components in the order of the overview, and what is known of etcd beyond its status.

    Args:
        snapshot: the answers to asks.OVERVIEW.
        net: the network, judged before.
        hidden: why control-plane pods are out of sight, None when they are not.
        hosted: a provider runs the control plane.
        services: services of the nodes run it.
    """
    members = static_component(snapshot, "etcd", hidden=hidden, checks=_etcd_checks(snapshot))
    details = store.etcd(snapshot, members, hosted=hosted, services=services)
    found = (
        _api_servers(snapshot, hidden),
        _etcd_component(members, details),
        *(_elected(snapshot, name, hidden) for name in ELECTED),
        _cloud_controller(snapshot, hidden),
        kubelets(snapshot),
        _kube_proxy(snapshot, net, hidden),
        runtimes(snapshot),
        _dns(snapshot),
        _cni(snapshot, net),
    )
    return found, details


def _api_servers(snapshot: Snapshot, hidden: Message | None) -> Component:
    """API servers are judged one by one; the one that answered is alive whatever else is unread."""
    answer = _answer_check(snapshot)
    base = static_component(snapshot, "kube-apiserver", hidden=hidden)
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
            health=Health((pulse_check(pulse, "controlplane.check.identity"), *base.checks)),
            role="active",
        )
        for host, pulse in sorted(_present_identities(snapshot).items())
    )
    checks = [answer, *base.checks]
    if missing := unread(snapshot, asks.LEASES):
        checks.append(missing)
    status = base.status
    if status is Status.NOT_VISIBLE:
        parts = [of_parts(i.health.status for i in instances)] if instances else []
        status = worst([*parts, *(check.status for check in checks)])
    return Component(base.name, status, instances, note=base.note, checks=tuple(checks))


def _present_identities(snapshot: Snapshot) -> Mapping[str, Pulse]:
    """Identities without those of API servers that were replaced: their Leases stay for up to an hour."""
    found = identities(snapshot)
    alive = {host: pulse for host, pulse in found.items() if not pulse.silent}
    listed = apiservers.endpoints(snapshot) if readable(snapshot, asks.API_ENDPOINTS) else ()
    return alive if listed and len(alive) >= len(listed) else found


def _with_own_checks(snapshot: Snapshot, instance: Instance) -> Instance:
    extra = [
        apiservers.probe_check(snapshot, instance.node),
        apiservers.listed_check(snapshot, instance.node),
    ]
    if extra[0] is None:
        extra[0] = unread(snapshot, asks.READYZ)
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


def _elected(snapshot: Snapshot, name: str, hidden: Message | None) -> Component:
    if without := _without_election(snapshot, name):
        return static_component(snapshot, name, hidden=hidden, checks=(without,))
    check = leader_check(snapshot, name)
    held = leader(snapshot, name)
    if hidden and held is None and check.status is Status.FAIL:
        # some providers keep even the Leases to themselves, and a single k3s server elects nobody
        return static_component(snapshot, name, hidden=hidden)
    return static_component(snapshot, name, hidden=hidden, leader=held, checks=(check,))


def _without_election(snapshot: Snapshot, name: str) -> Check | None:
    """An OK where a component was told not to elect (minikube's single node): then it needs no Lease."""
    found = component_pods(snapshot, name)
    if len(found) != 1 or flags_of(found[0], name).get("leader-elect") != "false":
        return None
    evidence = Evidence(f"Pod {asks.SYSTEM}/{name_of(found[0])}", "--leader-elect", "false")
    return Check(Status.OK, say("controlplane.check.no_election"), evidence)


def _cloud_controller(snapshot: Snapshot, hidden: Message | None) -> Component:
    """Most clusters of one's own have none: its absence is not a fault."""
    name = "cloud-controller-manager"
    held = leader(snapshot, name)
    if held is not None or component_pods(snapshot, name):
        checks = (leader_check(snapshot, name),) if held is not None else ()
        return static_component(snapshot, name, hidden=hidden, leader=held, checks=checks)
    for ask in (asks.PODS, asks.LEASES):
        if missing := unread(snapshot, ask):
            return Component(name, Status.UNKNOWN, note=missing.message, checks=(missing,))
    return Component(name, Status.NOT_VISIBLE, note=hidden or say("controlplane.note.no_cloud"))


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
    """The etcd component with the quorum in its status; an external one has no pods to look at."""
    if component.missing and details.topology == "external":
        status = worst(
            [check.status for check in component.checks if check.status is not Status.UNKNOWN] or [Status.UNKNOWN]
        )
        note = say("controlplane.note.external_etcd", servers=", ".join(details.servers))
        return Component("etcd", status, (), note=note, checks=component.checks)
    quorum = details.quorum
    lost = quorum is not None and quorum.alive + quorum.unsure < quorum.needed
    status = Status.FAIL if lost else component.status
    return Component("etcd", status, component.instances, note=component.note, checks=component.checks)


def _kube_proxy(snapshot: Snapshot, net: Network, hidden: Message | None) -> Component:
    found = component_pods(snapshot, "kube-proxy")
    proxy = net.kube_proxy
    if not found:
        note = say("controlplane.note.proxy_replaced", by=proxy.replaced_by) if proxy.replaced_by else None
        missing = unread(snapshot, asks.PODS)
        if missing is not None:
            return Component("kube-proxy", Status.UNKNOWN, note=missing.message, checks=(missing,))
        # where the control plane is inside services of the nodes, so is kube-proxy
        status = Status.NOT_VISIBLE if note or hidden else Status.UNKNOWN
        return Component("kube-proxy", status, note=note or say("controlplane.note.no_pods"))
    # in which mode it works may stay unknown without a doubt about its health
    others = [proxy.rollout.status if proxy.rollout else proxy.status]
    if unread(snapshot, asks.DAEMONSETS):
        others.append(Status.UNKNOWN)  # how many there should be
    return _from_pods(snapshot, "kube-proxy", *others)


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
    message = say("controlplane.check.cni_unseen", name=plugin.name)
    if plugin.rollout:
        message = say("controlplane.check.cni", name=plugin.name, ready=plugin.rollout.text)
    evidence = plugin.rollout.evidence if plugin.rollout else plugin.evidence[0]
    check = Check(plugin.status, message, evidence)
    return Component("cni", plugin.status, note=say("controlplane.note.cni", name=plugin.name), checks=(check,))
