"""Nodes: what each one is, whether it is well, what it promised and what room is left.

Two signs of life are read. The heartbeat Lease comes first: the kubelet renews it every 10 s. The Ready condition
follows only when the node controller has missed the heartbeat for the node-monitor grace period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.cidrs import pod_cidrs_of
from kcompanion.controlplane.components import node_ready_check
from kcompanion.controlplane.conditions import Condition, conditions
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.lifesigns import Pulse, heartbeats, pulse_check
from kcompanion.controlplane.pods import node_of
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask
from kcompanion.model.fields import annotations_of, dig, labels_of, map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Status, worst
from kcompanion.model.podresources import (
    ZERO,
    Amounts,
    add_up,
    amounts,
    is_running,
    limits,
    percent,
    requests,
    shown,
)
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import seconds_between

ASKS: tuple[Ask, ...] = (
    asks.VERSION,
    asks.NODES,
    asks.HEARTBEATS,
    asks.PODS,
    asks.ALL_PODS,
    asks.CONFIGMAPS,
    asks.DAEMONSETS,
)
# Without these nothing can be said about a node's health.
ESSENTIAL: tuple[Ask, ...] = (asks.NODES, asks.HEARTBEATS)

ROLE_PREFIX = "node-role.kubernetes.io/"
_FAKE_MARK = ("kwok.x-k8s.io/node", "fake")


@dataclass(frozen=True, slots=True)
class Room:
    """What a node offers to pods and what its pods ask for; pods that ended no longer count."""

    capacity: Amounts
    allocatable: Amounts
    requests: Amounts
    limits: Amounts
    pods: int
    known: bool  # False when pods could not be listed everywhere

    @property
    def max_pods(self) -> int | None:
        most = self.allocatable.get("pods")
        return None if most is None else int(most)

    def used(self, resource: str) -> int | None:
        """Percent of the allocatable that is requested, None when it is not known."""
        if not self.known:
            return None
        return percent(self.requests.get(resource, ZERO), self.allocatable.get(resource, ZERO))

    def to_json(self) -> dict[str, Any]:
        names = sorted(set(self.allocatable) | set(self.requests) | set(self.limits))
        return {
            "known": self.known,
            "pods": self.pods if self.known else None,
            "maxPods": self.max_pods,
            "resources": {name: self._row(name) for name in names if name != "pods"},
        }

    def _row(self, name: str) -> dict[str, Any]:
        def told(listed: Amounts) -> str | None:
            return shown(name, listed[name]) if name in listed else None

        row: dict[str, Any] = {"capacity": told(self.capacity), "allocatable": told(self.allocatable)}
        if self.known:
            row["requests"] = shown(name, self.requests.get(name, ZERO))
            row["limits"] = shown(name, self.limits.get(name, ZERO))
            row["requestsPercent"] = self.used(name)
        return row


@dataclass(frozen=True, slots=True)
class Node:
    """One node as its Node object, its Lease and its pods show it."""

    name: str
    roles: tuple[str, ...]
    os: str
    os_image: str
    arch: str
    kernel: str
    kubelet: str
    runtime: str
    addresses: tuple[tuple[str, str], ...]
    provider: str
    age: int | None
    conditions: tuple[Condition, ...]
    taints: tuple[str, ...]
    cordoned: bool
    pod_cidrs: tuple[str, ...]
    heartbeat: Pulse | None
    fake: bool
    room: Room
    containers: Mapping[str, int]  # runtime named in the ids of running containers: how many
    status: Status
    labels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ready(self) -> str:
        """True, False or Unknown, as the Ready condition says; empty when there is none."""
        return next((c.status for c in self.conditions if c.type == "Ready"), "")

    @property
    def state(self) -> str:
        """The STATUS column of `kubectl get nodes`."""
        words = {"True": "Ready", "False": "NotReady"}.get(self.ready, "NotReady")
        state = words if self.ready else "Unknown"
        return f"{state},SchedulingDisabled" if self.cordoned else state

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status.value,
            "state": self.state,
            "roles": list(self.roles),
            "fake": self.fake,
            "os": self.os,
            "osImage": self.os_image,
            "architecture": self.arch,
            "kernel": self.kernel,
            "kubeletVersion": self.kubelet,
            "containerRuntime": self.runtime,
            "addresses": [{"type": kind, "address": address} for kind, address in self.addresses],
            "providerID": self.provider or None,
            "ageSeconds": self.age,
            "conditions": [c.to_json() for c in self.conditions],
            "taints": list(self.taints),
            "cordoned": self.cordoned,
            "podCIDRs": list(self.pod_cidrs),
            "heartbeat": _pulse_json(self.heartbeat),
            "room": self.room.to_json(),
            "containersByRuntime": dict(self.containers),
        }


def nodes(snapshot: Snapshot) -> tuple[Node, ...]:
    """All nodes by name."""
    by_node: dict[str, list[Object]] = {}
    for pod in snapshot.items(asks.ALL_PODS):
        by_node.setdefault(node_of(pod), []).append(pod)
    pulses = heartbeats(snapshot)
    known = readable(snapshot, asks.ALL_PODS)
    found = sorted(snapshot.items(asks.NODES), key=name_of)
    return tuple(
        _node(n, snapshot, by_node.get(name_of(n), []), pulses.get(name_of(n)), pods_known=known) for n in found
    )


def _node(node: Object, snapshot: Snapshot, pods: list[Object], pulse: Pulse | None, *, pods_known: bool) -> Node:
    info = map_at(node, "status", "nodeInfo")

    def told(key: str) -> str:
        return str(info.get(key) or "")

    found = conditions(node, snapshot)
    checks = [node_ready_check(node).status, _heard(snapshot, pulse)]
    judged = [c.judged for c in found if c.judged is not None]
    if not readable(snapshot, asks.NODES):
        checks.append(Status.UNKNOWN)
    return Node(
        name=name_of(node),
        roles=roles(node),
        os=told("operatingSystem"),
        os_image=told("osImage"),
        arch=told("architecture"),
        kernel=told("kernelVersion"),
        kubelet=told("kubeletVersion"),
        runtime=told("containerRuntimeVersion"),
        addresses=tuple(
            (str(a.get("type") or ""), str(a.get("address") or "")) for a in maps_at(node, "status", "addresses")
        ),
        provider=text_at(node, "spec", "providerID"),
        age=seconds_between(text_at(node, "metadata", "creationTimestamp"), snapshot.now),
        conditions=found,
        taints=tuple(_taint(t) for t in maps_at(node, "spec", "taints")),
        cordoned=dig(node, "spec", "unschedulable") is True,
        pod_cidrs=pod_cidrs_of(node),
        heartbeat=pulse,
        fake=is_fake(node),
        room=_room(node, pods, known=pods_known),
        containers=_containers(pods),
        status=worst([*checks, *judged]),
        labels=labels_of(node),
    )


def _heard(snapshot: Snapshot, pulse: Pulse | None) -> Status:
    """Whether the kubelet was heard of; not known when Leases could not be read or there is none."""
    if pulse is None or not readable(snapshot, asks.HEARTBEATS):
        return Status.UNKNOWN
    return pulse_check(pulse, "controlplane.check.heartbeat").status


def roles(node: Object) -> tuple[str, ...]:
    """Roles from labels, as kubectl prints them; a node without one is a worker by default."""
    labels = labels_of(node)
    found = {key.removeprefix(ROLE_PREFIX) for key in labels if key.startswith(ROLE_PREFIX)}
    if old := labels.get("kubernetes.io/role"):
        found.add(str(old))
    return tuple(sorted(role for role in found if role))


def is_fake(node: Object) -> bool:
    """A node that kwok pretends: it has no machine, kubelet or runtime."""
    key, value = _FAKE_MARK
    version = text_at(node, "status", "nodeInfo", "kubeletVersion")
    return annotations_of(node).get(key) == value or version in ("fake", "kwok")


def fake_among(snapshot: Snapshot) -> tuple[str, ...] | None:
    """The fake ones among whatever nodes were read, by name; None when no question was about nodes."""
    answers = [
        reading.body for reading in snapshot.readings.values() if reading.ask.resource == r.NODES and reading.body
    ]
    if not answers:
        return None
    read = [node for body in answers for node in (body if isinstance(body, list) else [body])]
    return tuple(sorted({name_of(node) for node in read if is_fake(node)}))


def _taint(taint: Mapping[str, Any]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key', '')}{value}:{taint.get('effect', '')}"


def _room(node: Object, pods: list[Object], *, known: bool) -> Room:
    running = [pod for pod in pods if is_running(pod)]
    capacity = amounts(map_at(node, "status", "capacity"))
    return Room(
        capacity,
        amounts(map_at(node, "status", "allocatable")) or capacity,
        add_up(requests(pod) for pod in running),
        add_up(limits(pod) for pod in running),
        len(running),
        known,
    )


def _containers(pods: list[Object]) -> Mapping[str, int]:
    """Running containers by the runtime that their ids name (`containerd://…`)."""
    counts: dict[str, int] = {}
    for pod in pods:
        for part in ("initContainerStatuses", "containerStatuses"):
            for status in maps_at(pod, "status", part):
                scheme, found, _ = str(status.get("containerID") or "").partition("://")
                if found and "running" in map_at(status, "state"):
                    counts[scheme] = counts.get(scheme, 0) + 1
    return dict(sorted(counts.items()))


def _pulse_json(pulse: Pulse | None) -> dict[str, Any] | None:
    if pulse is None:
        return None
    return {
        "lease": pulse.lease,
        "holder": pulse.holder,
        "ageSeconds": pulse.age,
        "silent": pulse.silent,
    }
