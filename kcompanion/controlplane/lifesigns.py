"""Signs of life that arrive every ten seconds: the heartbeats of kubelets and the identity Leases of API servers.

Node conditions are not used for this: they turn Unknown only after the node-monitor grace period (50 s), and a dead
node's pods keep `Ready=True` until then. Kubelets and API servers renew a Lease every 10 s; three missed renewals are
taken for silence. The identity Lease's own duration (3600 s) only governs when it is collected as garbage
(pkg/controlplane/instance.go), so it is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kcompanion.controlplane import asks, hosts
from kcompanion.controlplane.health import Check, readable, unread
from kcompanion.model.fields import labels_of, map_at, name_of, text_at
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import seconds_between

RENEWED_EVERY = 10  # seconds
SILENT_AFTER = 3 * RENEWED_EVERY
IDENTITY_LABEL = "apiserver.kubernetes.io/identity"


@dataclass(frozen=True, slots=True)
class Pulse:
    """A Lease that somebody renews to be known alive."""

    lease: str  # namespace/name
    holder: str
    renewed: str  # when, as the Lease says
    age: int | None  # seconds since then

    @property
    def evidence(self) -> Evidence:
        return Evidence(f"Lease {self.lease}", "spec.renewTime", self.renewed, self.renewed)

    @property
    def silent(self) -> bool:
        return self.age is None or self.age > SILENT_AFTER


def heartbeats(snapshot: Snapshot) -> Mapping[str, Pulse]:
    """The kubelets' heartbeats by node name."""
    return snapshot.once(_heartbeats)


def _heartbeats(snapshot: Snapshot) -> Mapping[str, Pulse]:
    return {name_of(lease): _pulse(lease, asks.NODE_LEASES, snapshot) for lease in snapshot.items(asks.HEARTBEATS)}


def identities(snapshot: Snapshot) -> Mapping[str, Pulse]:
    """The API servers' identity Leases by node, else by host name; of two for one host (a restart) the fresher."""
    return snapshot.once(_identities)


def _identities(snapshot: Snapshot) -> Mapping[str, Pulse]:
    found: dict[str, Pulse] = {}
    for lease in snapshot.items(asks.LEASES):
        if labels_of(lease).get(IDENTITY_LABEL) != "kube-apiserver":
            continue
        host = str(labels_of(lease).get(hosts.HOSTNAME) or name_of(lease))
        host = hosts.node_called(snapshot, host) or host
        pulse = _pulse(lease, asks.SYSTEM, snapshot)
        known = found.get(host)
        if known is None or _age(pulse) < _age(known):
            found[host] = pulse
    return found


def _age(pulse: Pulse) -> int:
    return 1 << 62 if pulse.age is None else pulse.age


def _pulse(lease: Object, namespace: str, snapshot: Snapshot) -> Pulse:
    spec = map_at(lease, "spec")
    return Pulse(
        f"{namespace}/{name_of(lease)}",
        str(spec.get("holderIdentity") or ""),
        text_at(lease, "spec", "renewTime"),
        seconds_between(spec.get("renewTime"), snapshot.now),
    )


def heartbeat_check(snapshot: Snapshot, node: str) -> Check:
    """Whether a node's kubelet was heard of lately."""
    if missing := unread(snapshot, asks.HEARTBEATS):
        return missing
    lease = snapshot.by_name(asks.HEARTBEATS).get(node)
    if lease is None:
        return Check(
            Status.UNKNOWN,
            say("controlplane.check.no_heartbeat"),
            Evidence(f"Lease {asks.NODE_LEASES}/{node}"),
        )
    return pulse_check(_pulse(lease, asks.NODE_LEASES, snapshot), "controlplane.check.heartbeat")


def identity_check(snapshot: Snapshot, node: str) -> Check | None:
    """Whether the API server of a node renewed its identity lately; None where no API server keeps one.

    The feature can be off. An identity under a name that fits no node may be this one's, so then its lack is no proof.
    """
    if missing := unread(snapshot, asks.LEASES):
        return missing
    found = identities(snapshot)
    if node in found:
        return pulse_check(found[node], "controlplane.check.identity")
    if not found:
        return None
    nodes = {name_of(item) for item in snapshot.items(asks.NODES)}
    status = Status.FAIL if set(found) <= nodes else Status.UNKNOWN
    evidence = Evidence(f"Leases {asks.SYSTEM}", f"labels[{IDENTITY_LABEL}]")
    return Check(status, say("controlplane.check.no_identity"), evidence)


def pulse_check(pulse: Pulse, message_id: str) -> Check:
    """OK while a Lease is being renewed, FAIL after three missed renewals."""
    evidence = pulse.evidence
    age = "?" if pulse.age is None else pulse.age
    if pulse.silent:
        return Check(Status.FAIL, say(f"{message_id}_silent", age=age), evidence)
    return Check(Status.OK, say(message_id, age=age), evidence)


def silent_nodes(snapshot: Snapshot) -> frozenset[str]:
    """The nodes whose kubelets are known (not only feared) to be silent."""
    if not readable(snapshot, asks.HEARTBEATS):
        return frozenset()
    return frozenset(node for node, pulse in heartbeats(snapshot).items() if pulse.silent)
