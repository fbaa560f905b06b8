"""Host names and nodes: one machine goes by several names, and Leases and certificates use any of them.

A node's name is the host's by default. With `--hostname-override`, or in a cloud, the host's own name is in the label
`kubernetes.io/hostname` or among the node's addresses, and is often only the first part of a full name.
"""

from __future__ import annotations

from collections.abc import Iterable

from kcompanion.controlplane import asks
from kcompanion.model.fields import labels_of, maps_at, name_of, text_at
from kcompanion.model.snapshot import Object, Snapshot

HOSTNAME = "kubernetes.io/hostname"
_NAMES = ("Hostname", "InternalDNS")


def names_of(node: Object) -> frozenset[str]:
    """Every name a node goes by."""
    addresses = (text_at(a, "address") for a in maps_at(node, "status", "addresses") if a.get("type") in _NAMES)
    found = {name_of(node), text_at(labels_of(node), HOSTNAME), *addresses}
    return frozenset(found - {""})


def node_called(snapshot: Snapshot, host: str, *, exactly: bool = False) -> str:
    """The node that goes by this host name, empty when there is none, or more than one."""
    known = snapshot.once(_known)
    if not host or host in known:
        return host
    found = _only(node for node, names in known.items() if host in names)
    if found or exactly:
        return found
    return _only(node for node, names in known.items() if _short(host) in map(_short, names))


def _known(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    return {name_of(node): names_of(node) for node in snapshot.items(asks.NODES)}


def _short(name: str) -> str:
    """`ip-10-0-0-1` of `ip-10-0-0-1.ec2.internal`."""
    return name.partition(".")[0]


def _only(nodes: Iterable[str]) -> str:
    found = list(nodes)
    return found[0] if len(found) == 1 else ""
