"""Address ranges of pods and Services, and how many nodes the pod range can serve.

The node-ipam controller of kube-controller-manager cuts the cluster CIDR into one block per node
(pkg/controller/nodeipam/ipam/cidrset): a /24 cut into blocks of /24 serves exactly one node, and the second stays
NotReady. Plugins with an IPAM of their own do not use those blocks; then there is nothing to count here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.components import component_pods
from kcompanion.controlplane.configfile import KUBEADM, embedded
from kcompanion.controlplane.flags import flags_of
from kcompanion.model.fields import name_of, text_at, texts_at
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Object, Snapshot

MANAGER = "kube-controller-manager"
APISERVER = "kube-apiserver"
# Defaults of --node-cidr-mask-size-ipv4 and -ipv6 (cmd/kube-controller-manager/app/core.go).
DEFAULT_MASK = {4: 24, 6: 64}
Range = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Capacity:
    """One pod range: blocks of `mask` bits, how many there are and how many nodes hold one."""

    cidr: str
    mask: int
    total: int
    used: int
    per_node: int  # addresses in a node's block

    @property
    def left(self) -> int:
        return max(0, self.total - self.used)

    def to_json(self) -> dict[str, Any]:
        return {
            "cidr": self.cidr,
            "nodeMask": self.mask,
            "nodesTotal": self.total,
            "nodesUsed": self.used,
            "nodesLeft": self.left,
            "addressesPerNode": self.per_node,
        }


@dataclass(frozen=True, slots=True)
class Ranges:
    """Pod and Service ranges with where each was read."""

    pod_cidrs: tuple[str, ...] = ()
    pod_source: Evidence | None = None
    service_cidrs: tuple[str, ...] = ()
    service_source: Evidence | None = None
    node_masks: Mapping[int, int] | None = None  # by IP version
    mask_source: Evidence | None = None
    allocates: bool | None = None  # does the controller manager give nodes their blocks
    node_blocks: Mapping[str, tuple[str, ...]] | None = None  # node: podCIDRs


def ranges(snapshot: Snapshot, proxy_cidr: str = "") -> Ranges:
    """The ranges, from flags of the running components before configuration that may have changed since."""
    manager = component_pods(snapshot, MANAGER)
    given = flags_of(manager[0], MANAGER) if manager else {}
    holder = f"Pod {asks.SYSTEM}/{name_of(manager[0])}" if manager else ""
    pods, pod_source = _pod_ranges(snapshot, given, holder, proxy_cidr)
    services, service_source = _service_ranges(snapshot, given, holder)
    blocks = {name_of(node): pod_cidrs_of(node) for node in snapshot.items(asks.NODES)}
    masks, mask_source = _masks(given, holder, blocks)
    return Ranges(
        pods,
        pod_source,
        services,
        service_source,
        masks,
        mask_source,
        given.get("allocate-node-cidrs") == "true" if given else None,
        blocks,
    )


def capacity(found: Ranges) -> tuple[Capacity, ...]:
    """What is left of each pod range; nothing where no node was ever given a block."""
    blocks = [network(b) for held in (found.node_blocks or {}).values() for b in held]
    known = [block for block in blocks if block is not None]
    if not known or not found.node_masks:
        return ()
    rows = []
    for text in found.pod_cidrs:
        whole = network(text)
        mask = found.node_masks.get(whole.version) if whole else None
        if whole is None or mask is None or mask < whole.prefixlen:
            continue
        used = sum(block.version == whole.version and _inside(block, whole) for block in known)
        rows.append(
            Capacity(
                text,
                mask,
                1 << (mask - whole.prefixlen),
                used,
                1 << (whole.max_prefixlen - mask),
            )
        )
    return tuple(rows)


def network(text: str) -> Range | None:
    """A CIDR, None when the text is not one."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def pod_cidrs_of(node: Object) -> tuple[str, ...]:
    """A node's blocks: `podCIDRs`, else the one `podCIDR` of old objects."""
    one = text_at(node, "spec", "podCIDR")
    return texts_at(node, "spec", "podCIDRs") or ((one,) if one else ())


def _inside(block: Range, whole: Range) -> bool:
    return int(whole.network_address) <= int(block.network_address) <= int(whole.broadcast_address)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _kubeadm(snapshot: Snapshot, key: str) -> str:
    document = embedded(snapshot, *KUBEADM)
    return text_at(document, "networking", key)


def _pod_ranges(
    snapshot: Snapshot, given: Mapping[str, str], holder: str, proxy_cidr: str
) -> tuple[tuple[str, ...], Evidence | None]:
    if value := given.get("cluster-cidr"):
        return _split(value), Evidence(holder, "--cluster-cidr", value)
    if value := _kubeadm(snapshot, "podSubnet"):
        source = Evidence(f"ConfigMap {asks.SYSTEM}/{KUBEADM[0]}", "networking.podSubnet", value)
        return _split(value), source
    if proxy_cidr:
        source = Evidence(f"ConfigMap {asks.SYSTEM}/kube-proxy", "clusterCIDR", proxy_cidr)
        return _split(proxy_cidr), source
    return (), None


def _service_ranges(
    snapshot: Snapshot, given: Mapping[str, str], holder: str
) -> tuple[tuple[str, ...], Evidence | None]:
    for server in component_pods(snapshot, APISERVER)[:1]:
        if value := flags_of(server, APISERVER).get("service-cluster-ip-range"):
            source = f"Pod {asks.SYSTEM}/{name_of(server)}"
            return _split(value), Evidence(source, "--service-cluster-ip-range", value)
    if value := given.get("service-cluster-ip-range"):
        return _split(value), Evidence(holder, "--service-cluster-ip-range", value)
    if value := _kubeadm(snapshot, "serviceSubnet"):
        source = f"ConfigMap {asks.SYSTEM}/{KUBEADM[0]}"
        return _split(value), Evidence(source, "networking.serviceSubnet", value)
    return (), None


def _masks(
    given: Mapping[str, str], holder: str, blocks: Mapping[str, tuple[str, ...]]
) -> tuple[Mapping[int, int] | None, Evidence | None]:
    """The node mask of each IP version: what nodes really got, before flags, before the defaults."""
    seen = [network(b) for held in blocks.values() for b in held]
    masks: dict[int, int] = {block.version: block.prefixlen for block in seen if block is not None}
    if masks:
        node = next(name for name, held in blocks.items() if held)
        return masks, Evidence(f"Node {node}", "spec.podCIDRs", ", ".join(blocks[node]))
    if not given:
        return None, None
    sizes: dict[int, str] = {
        4: given.get("node-cidr-mask-size-ipv4") or given.get("node-cidr-mask-size", ""),
        6: given.get("node-cidr-mask-size-ipv6", ""),
    }
    found: dict[int, int] = {v: int(t) if t.isdigit() else DEFAULT_MASK[v] for v, t in sizes.items()}
    return found, Evidence(holder, "--node-cidr-mask-size", sizes[4] or "not set (24)")
