"""Who leads: the Lease of each component that elects, its holder, and the node and pod behind the holder's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, hosts
from kcompanion.controlplane.health import Check, unread
from kcompanion.model.fields import map_at, name_of, text_at
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import seconds_between

ELECTING = ("kube-controller-manager", "kube-scheduler", "cloud-controller-manager")


@dataclass(frozen=True, slots=True)
class Leader:
    """The holder of a component's Lease; ages in seconds."""

    component: str
    holder: str
    node: str
    pod: str
    renewed: str  # when, as the Lease says
    age: int | None  # seconds since then
    duration: int
    transitions: int
    acquired: int | None  # seconds since the present holder took it

    @property
    def evidence(self) -> Evidence:
        return Evidence(f"Lease {asks.SYSTEM}/{self.component}", "spec.renewTime", self.renewed, self.renewed)

    @property
    def expired(self) -> bool:
        return not self.holder or self.age is None or self.age > self.duration

    def to_json(self) -> dict[str, Any]:
        return {
            "holder": self.holder,
            "node": self.node or None,
            "pod": self.pod or None,
            "ageSeconds": self.age,
            "leaseDurationSeconds": self.duration,
            "transitions": self.transitions,
            "heldForSeconds": self.acquired,
            "expired": self.expired,
        }


def leader(snapshot: Snapshot, component: str) -> Leader | None:
    """The leader of a component, None when it has no Lease or Leases could not be read."""
    lease = next((i for i in snapshot.items(asks.LEASES) if name_of(i) == component), None)
    if lease is None:
        return None
    spec = map_at(lease, "spec")
    holder = str(spec.get("holderIdentity") or "")
    node, pod = _behind(holder, component, snapshot)
    return Leader(
        component=component,
        holder=holder,
        node=node,
        pod=pod,
        renewed=text_at(lease, "spec", "renewTime"),
        age=seconds_between(spec.get("renewTime"), snapshot.now),
        duration=_whole(spec.get("leaseDurationSeconds"), 15),
        transitions=_whole(spec.get("leaseTransitions"), 0),
        acquired=seconds_between(spec.get("acquireTime"), snapshot.now),
    )


def leader_check(snapshot: Snapshot, component: str) -> Check:
    """Whether somebody leads: the Lease was renewed within its own duration."""
    if missing := unread(snapshot, asks.LEASES):
        return missing
    found = leader(snapshot, component)
    if found is None:
        return Check(Status.FAIL, say("controlplane.check.no_lease"), Evidence(f"Lease {asks.SYSTEM}/{component}"))
    evidence = found.evidence
    age = "?" if found.age is None else found.age
    if not found.holder:
        return Check(Status.FAIL, say("controlplane.check.lease_free"), evidence)
    if found.expired:
        return Check(Status.FAIL, say("controlplane.check.lease_expired", age=age), evidence)
    return Check(Status.OK, say("controlplane.check.lease_held", age=age), evidence)


def _behind(holder: str, component: str, snapshot: Snapshot) -> tuple[str, str]:
    """Node and pod of a holder identity, `<host name>_<random>`; on the host network the host is the node."""
    host = holder.partition("_")[0]
    if not host:
        return "", ""
    node = hosts.node_called(snapshot, host)
    pods = [pod for pod in snapshot.items(asks.PODS) if _belongs(pod, component)]
    for name in (host, node):
        for pod in pods:
            if name and name in (text_at(pod, "spec", "nodeName"), name_of(pod)):
                return text_at(pod, "spec", "nodeName"), name_of(pod)
    return node, ""


def _belongs(pod: Object, component: str) -> bool:
    labels = map_at(pod, "metadata", "labels")
    return component in (labels.get("component"), labels.get("k8s-app"), labels.get("app"))


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
