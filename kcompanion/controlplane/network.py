"""The cluster's network in one value: plugin, kube-proxy, address ranges and how many nodes they can serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane.cidrs import Capacity, Ranges, capacity, ranges
from kcompanion.controlplane.cni import BY_NAME, Cni, cni
from kcompanion.controlplane.kubeproxy import KubeProxy, kube_proxy
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Network:
    """How pods get addresses and how Services reach them."""

    cni: Cni
    kube_proxy: KubeProxy
    ranges: Ranges
    capacity: tuple[Capacity, ...]

    @property
    def status(self) -> Status:
        return worst([self.cni.status, self.kube_proxy.status])

    @property
    def own_ipam(self) -> bool:
        """Whether the plugin hands out pod addresses itself, so that nodes' podCIDR may say nothing about them."""
        plugin = BY_NAME.get(self.cni.name)
        return plugin is not None and plugin.own_ipam

    def to_json(self) -> dict[str, Any]:
        found = self.ranges
        return {
            "cni": self.cni.to_json(),
            "kubeProxy": self.kube_proxy.to_json(),
            "podCIDRs": list(found.pod_cidrs),
            "podCIDRSource": _source(found.pod_source),
            "serviceCIDRs": list(found.service_cidrs),
            "serviceCIDRSource": _source(found.service_source),
            "nodeMasks": {f"ipv{v}": m for v, m in sorted((found.node_masks or {}).items())},
            "nodeMaskSource": _source(found.mask_source),
            "allocatesNodeCIDRs": found.allocates,
            "ownIPAM": self.own_ipam,
            "capacity": [row.to_json() for row in self.capacity],
        }


def network(snapshot: Snapshot) -> Network:
    """Everything the overview's questions (asks.OVERVIEW) tell about the network."""
    plugin = cni(snapshot)
    proxy = kube_proxy(snapshot, plugin)
    found = ranges(snapshot, proxy.cluster_cidr)
    return Network(plugin, proxy, found, capacity(found))


def _source(evidence: Evidence | None) -> dict[str, Any] | None:
    return evidence.to_json() if evidence else None
