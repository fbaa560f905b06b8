"""etcd as far as the API shows it: members, quorum arithmetic, size of the store.

Members come from etcd's own pods, from the `--initial-cluster` flag of the one that joined last, and from API servers
that ask an etcd on their own node. The flag is of the time a member joined, so it is labelled as such; nothing is
executed in a pod.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.components import Component, component_pods
from kcompanion.controlplane.flags import flags_of
from kcompanion.controlplane.health import readable
from kcompanion.model.fields import name_of, text_at
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Object, Snapshot

DEFAULT_QUOTA = 2 << 30  # --quota-backend-bytes: 2 GiB when it is not set
_SIZE = re.compile(r"^apiserver_storage_size_bytes(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)
_LOCAL = re.compile(r"^https?://(?:127\.0\.0\.1|localhost|\[::1\])[:/]")


@dataclass(frozen=True, slots=True)
class Quorum:
    """Majority arithmetic: of n members, ⌊n/2⌋+1 must agree."""

    members: int
    alive: int
    unsure: int

    @property
    def needed(self) -> int:
        return self.members // 2 + 1

    @property
    def tolerates(self) -> int:
        """Failures the full cluster survives."""
        return self.members - self.needed

    @property
    def spare(self) -> int:
        """Further failures it survives right now; negative means quorum is lost."""
        return self.alive - self.needed

    @property
    def even(self) -> bool:
        return self.members > 0 and self.members % 2 == 0

    def to_json(self) -> dict[str, Any]:
        with_one_more = Quorum(self.members + 1, self.alive, self.unsure)
        return {
            "members": self.members,
            "alive": self.alive,
            "unsure": self.unsure,
            "needed": self.needed,
            "tolerates": self.tolerates,
            "spare": self.spare,
            "even": self.even,
            "withOneMore": {"needed": with_one_more.needed, "tolerates": with_one_more.tolerates},
        }


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    node: str
    peer_url: str
    client_url: str
    status: Status

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "node": self.node or None,
            "peerURL": self.peer_url or None,
            "clientURL": self.client_url or None,
            "status": self.status.value,
        }


@dataclass(frozen=True, slots=True)
class Etcd:
    """What is known of the store; sizes in bytes."""

    topology: str  # stacked, external, hosted, services, unknown
    servers: tuple[str, ...]  # --etcd-servers of the API servers
    members: tuple[Member, ...]
    quorum: Quorum | None
    store_bytes: int | None
    quota_bytes: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "topology": self.topology,
            "servers": list(self.servers),
            "members": [member.to_json() for member in self.members],
            "membersFrom": "etcd pods and --initial-cluster (as of joining)",
            "quorum": self.quorum.to_json() if self.quorum else None,
            "storeBytes": self.store_bytes,
            "quotaBytes": self.quota_bytes,
        }


def etcd(snapshot: Snapshot, component: Component, *, hosted: bool, services: bool = False) -> Etcd:
    """Puts together what pods, flags and metrics tell of etcd."""
    servers = _servers(snapshot)
    found = component_pods(snapshot, "etcd")
    members = _members(snapshot, found, component)
    quota = [limit for pod in found if (limit := _quota(pod)) is not None]
    return Etcd(
        topology=_topology(found, servers, hosted=hosted, services=services),
        servers=servers,
        members=members,
        quorum=_quorum(members),
        store_bytes=store_size(snapshot),
        quota_bytes=min(quota) if quota else None,
    )


def store_size(snapshot: Snapshot) -> int | None:
    """The size of the database file as the API server's metrics give it, the largest of several."""
    found = _SIZE.findall(snapshot.text(asks.METRICS) or "")
    try:
        return max(int(float(value)) for value in found) if found else None
    except (ValueError, OverflowError):
        return None


def _servers(snapshot: Snapshot) -> tuple[str, ...]:
    found: set[str] = set()
    for pod in component_pods(snapshot, "kube-apiserver"):
        listed = flags_of(pod, "kube-apiserver").get("etcd-servers", "")
        found.update(part for part in listed.split(",") if part)
    return tuple(sorted(found))


def _topology(found: list[Object], servers: tuple[str, ...], *, hosted: bool, services: bool) -> str:
    if found:
        return "stacked"
    if any(not _LOCAL.match(server) for server in servers):
        return "external"
    return "hosted" if hosted else "services" if services else "unknown"


def _members(snapshot: Snapshot, found: list[Object], component: Component) -> tuple[Member, ...]:
    statuses = {instance.pod: instance.health.status for instance in component.instances}
    members: dict[str, Member] = {}
    for pod in found:
        given = flags_of(pod, "etcd")
        name = _name(pod)
        members[name] = Member(
            name=name,
            node=pods.node_of(pod),
            peer_url=given.get("initial-advertise-peer-urls", ""),
            client_url=given.get("advertise-client-urls", ""),
            status=statuses.get(text_at(pod, "metadata", "name"), Status.UNKNOWN),
        )
    # a member that once joined and has no pod now: its pod is gone, whether it is still a member is not visible
    gone = Status.FAIL if readable(snapshot, asks.PODS) else Status.UNKNOWN
    for name, url in _initial_cluster(found).items():
        members.setdefault(name, Member(name, "", url, "", gone))
    for node in _asked_locally(snapshot) if found else ():
        if node not in members and node not in {member.node for member in members.values()}:
            members[node] = Member(node, node, "", "", gone)
    return tuple(members[name] for name in sorted(members))


def _name(pod: Object) -> str:
    return flags_of(pod, "etcd").get("name") or pods.node_of(pod) or name_of(pod)


def _asked_locally(snapshot: Snapshot) -> list[str]:
    """Nodes whose API server asks an etcd on the same node: one belongs there, also when its pod is gone."""
    asked = {
        pods.node_of(pod): flags_of(pod, "kube-apiserver").get("etcd-servers", "")
        for pod in component_pods(snapshot, "kube-apiserver")
    }
    return [node for node, servers in asked.items() if node and _LOCAL.match(servers) and "," not in servers]


def _initial_cluster(found: list[Object]) -> dict[str, str]:
    """Name to peer URL, from the --initial-cluster of the last member to join.

    It is the one that names most of the members there are; a longer one that names fewer is from before a replacement.
    """
    present = {_name(pod) for pod in found}
    listed = [_named_peers(pod) for pod in sorted(found, key=_made, reverse=True)]
    return max(listed, key=lambda peers: len(present & set(peers)), default={})


def _made(pod: Object) -> str:
    return text_at(pod, "metadata", "creationTimestamp")


def _named_peers(pod: Object) -> dict[str, str]:
    listed = flags_of(pod, "etcd").get("initial-cluster", "")
    return dict(part.split("=", 1) for part in listed.split(",") if "=" in part)


def _quorum(members: tuple[Member, ...]) -> Quorum | None:
    if not members:
        return None
    alive = sum(1 for member in members if member.status is Status.OK)
    unsure = sum(1 for member in members if member.status is Status.UNKNOWN)
    return Quorum(len(members), alive, unsure)


def _quota(pod: Object) -> int | None:
    """The size at which etcd stops writing; 0 is the default, below 0 there is no limit."""
    try:
        given = int(flags_of(pod, "etcd").get("quota-backend-bytes", ""))
    except ValueError:
        return DEFAULT_QUOTA
    return None if given < 0 else given or DEFAULT_QUOTA
