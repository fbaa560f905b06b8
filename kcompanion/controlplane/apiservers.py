"""API servers: which exist, which answered, and what their own checks say.

One /readyz answer belongs to one API server. Behind a load balancer the certificate of the connection tells which: a
kubeadm serving certificate names its node. An answer is never copied to another server; those that were not asked at
their own address are "not probed".
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kcompanion.controlplane import asks, hosts
from kcompanion.controlplane.components import component_pods
from kcompanion.controlplane.flags import flags_of
from kcompanion.controlplane.health import Check, readable, unread
from kcompanion.controlplane.lifesigns import identities
from kcompanion.controlplane.pods import node_of
from kcompanion.model.ask import Ask, raw
from kcompanion.model.fields import map_at, maps_at, name_of, text_at, texts_at
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot

PROBE_PATH = "/readyz?verbose"
_CHECK_LINE = re.compile(r"^\[([+-])\](\S+)", re.MULTILINE)
MAX_PROBES = 7  # API servers asked at their own address


@dataclass(frozen=True, slots=True)
class Probe:
    """One answer of /livez or /readyz."""

    path: str
    server: str  # URL asked; empty is the kubeconfig's
    http_status: int
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    answered_by: str  # node or address; empty when it cannot be told
    told_by: str  # "certificate" or "address"

    @property
    def status(self) -> Status:
        return Status.OK if self.http_status == 200 else Status.FAIL

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "server": self.server or None,
            "httpStatus": self.http_status,
            "status": self.status.value,
            "passed": list(self.passed),
            "failed": list(self.failed),
            "answeredBy": self.answered_by or None,
            "toldBy": self.told_by or None,
        }


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address in the EndpointSlice default/kubernetes: an API server that keeps itself listed."""

    address: str
    port: int
    node: str
    ready: bool

    @property
    def url(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"https://{host}:{self.port}"

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "port": self.port,
            "node": self.node or None,
            "ready": self.ready,
        }


def endpoints(snapshot: Snapshot) -> tuple[Endpoint, ...]:
    """The API servers' addresses, by address."""
    return snapshot.once(_endpoints)


def _endpoints(snapshot: Snapshot) -> tuple[Endpoint, ...]:
    by_ip = _nodes_by_ip(snapshot)
    found = []
    for part in snapshot.items(asks.API_ENDPOINTS):
        ports = [p["port"] for p in maps_at(part, "ports") if isinstance(p.get("port"), int)]
        for entry in maps_at(part, "endpoints"):
            ready = map_at(entry, "conditions").get("ready") is not False
            for address in texts_at(entry, "addresses"):
                node = by_ip.get(address, "")
                found.append(Endpoint(address, ports[0] if ports else 443, node, ready))
    return tuple(sorted(set(found), key=lambda e: (e.address, e.port, e.ready)))


def _nodes_by_ip(snapshot: Snapshot) -> dict[str, str]:
    """Addresses of nodes, and those that API servers say they advertise: nodes may be unreadable."""
    found = {
        text_at(address, "address"): name_of(node)
        for node in snapshot.items(asks.NODES)
        for address in maps_at(node, "status", "addresses")
        if address.get("type") in ("InternalIP", "ExternalIP")
    }
    for pod in component_pods(snapshot, "kube-apiserver"):
        found[flags_of(pod, "kube-apiserver").get("advertise-address", "")] = node_of(pod)
    return found


def further_asks(snapshot: Snapshot) -> list[Ask]:
    """Probes of the other API servers at their own addresses, when there are several."""
    known = endpoints(snapshot)
    if len(known) < 2:
        return []
    first = _probe(snapshot, asks.READYZ)
    here = first.answered_by if first else ""
    others = [e for e in known if not here or here not in (e.node, e.address)]
    return [raw(PROBE_PATH, e.url) for e in others[:MAX_PROBES]]


def probes(snapshot: Snapshot) -> tuple[Probe, ...]:
    """Every /readyz and /livez answer there is: the kubeconfig's server first."""
    return snapshot.once(_probes)


def _probes(snapshot: Snapshot) -> tuple[Probe, ...]:
    asked = [asks.READYZ, asks.LIVEZ, *(raw(PROBE_PATH, e.url) for e in endpoints(snapshot))]
    return tuple(probe for ask in asked if (probe := _probe(snapshot, ask)) is not None)


def _probe(snapshot: Snapshot, ask: Ask) -> Probe | None:
    reading = snapshot.reading(ask)
    if not reading.ok or not isinstance(reading.body, str):
        return None
    marks = _CHECK_LINE.findall(reading.body)
    by, told = _answered_by(snapshot, ask, reading.peer)
    return Probe(
        path=ask.path.partition("?")[0],
        server=ask.server,
        http_status=reading.status,
        passed=tuple(name for sign, name in marks if sign == "+"),
        failed=tuple(name for sign, name in marks if sign == "-"),
        answered_by=by,
        told_by=told,
    )


def _answered_by(snapshot: Snapshot, ask: Ask, peer: Any) -> tuple[str, str]:  # noqa: ANN401 - JSON
    names = set(texts_at(peer, "names"))
    # the identity Leases' host names count too: nodes may be unreadable
    nodes = {node for name in names if (node := hosts.node_called(snapshot, name, exactly=True))}
    named = nodes or names & set(identities(snapshot))
    if len(named) == 1:
        return named.pop(), "certificate"
    by_own_address = [e for e in endpoints(snapshot) if e.address in names]
    if len(by_own_address) == 1:
        return by_own_address[0].node or by_own_address[0].address, "certificate"
    address = _host(ask.server or snapshot.origin.server)
    if address in names and not endpoints(snapshot) and _is_ip(address):
        return address, "address"  # its own certificate carries the address that was asked
    for endpoint in endpoints(snapshot):
        if endpoint.address == address:
            return endpoint.node or address, "address"
    return "", ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_ip(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def probe_check(snapshot: Snapshot, node: str, address: str = "") -> Check | None:
    """What a server's own /readyz said: OK, FAIL with the failing checks, None when it was not probed."""
    wanted = {node, address} - {""}
    for probe in probes(snapshot):
        if probe.path != "/readyz" or probe.answered_by not in wanted:
            continue
        evidence = Evidence(f"{probe.server or snapshot.origin.server}{PROBE_PATH}", "HTTP", str(probe.http_status))
        if probe.status is Status.OK:
            return Check(Status.OK, say("controlplane.check.readyz", passed=len(probe.passed)), evidence)
        told = ", ".join(probe.failed) or str(probe.http_status)
        return Check(Status.FAIL, say("controlplane.check.readyz_failed", failed=told), evidence)
    return None


def listed_check(snapshot: Snapshot, node: str) -> Check | None:
    """Whether a node's API server keeps itself in default/kubernetes; None when its addresses name no node."""
    if missing := unread(snapshot, asks.API_ENDPOINTS):
        return missing
    known = endpoints(snapshot)
    evidence = Evidence("EndpointSlice default/kubernetes", "endpoints[].addresses")
    for endpoint in known:
        if endpoint.node == node:
            return Check(Status.OK, say("controlplane.check.listed", address=endpoint.address), evidence)
    if known and all(endpoint.node for endpoint in known):
        return Check(Status.FAIL, say("controlplane.check.not_listed"), evidence)
    # addresses of a load balancer or another network
    return None if readable(snapshot, asks.NODES) else unread(snapshot, asks.NODES)


def answering(snapshot: Snapshot) -> tuple[str, tuple[str, ...]]:
    """Who answered /readyz (empty if unknown) and which of its checks failed."""
    probe = _probe(snapshot, asks.READYZ)
    return (probe.answered_by, probe.failed) if probe else ("", ())
