"""The cgroup driver: the kubelet's from its shared configuration; the runtime's is in no API object.

Both must agree, or pods die when the node runs short. Since Kubernetes 1.34 (KEP-4033) the kubelet asks the runtime
and follows it, if the runtime answers RuntimeConfig: containerd from 2.0, CRI-O from 1.28. Then the configured value
does not count, and they cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.configfile import KUBELET, embedded
from kcompanion.controlplane.nodes import Node
from kcompanion.controlplane.versions import minor_of
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Snapshot

FOLLOWS_SINCE = 34
# runtime: the first version that tells its driver over CRI
_TELLS = {"containerd": (2, 0), "cri-o": (1, 28)}
_VERSION = re.compile(r"^([\w-]+)://v?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class CgroupDriver:
    """The kubelet's configured driver, and the nodes whose kubelet follows the runtime instead."""

    configured: str  # empty when it is not known
    source: Evidence | None
    following: tuple[str, ...]
    not_following: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "kubeletConfigured": self.configured or None,
            "source": self.source.to_json() if self.source else None,
            "runtime": None,
            "runtimeVisible": False,
            "nodesFollowingRuntime": list(self.following),
            "nodesNotFollowingRuntime": list(self.not_following),
        }


def cgroup_driver(snapshot: Snapshot, nodes: Sequence[Node]) -> CgroupDriver:
    """What can be known of the drivers."""
    document = embedded(snapshot, *KUBELET)
    configured, source = "", None
    if document is not None:
        # an empty value is the kubelet's own default (pkg/kubelet/apis/config/v1beta1/defaults.go)
        configured = str(document.get("cgroupDriver") or "cgroupfs")
        source = Evidence(f"ConfigMap {asks.SYSTEM}/{KUBELET[0]}", "cgroupDriver", configured)
    real = [node for node in nodes if not node.fake and node.os != "windows"]
    return CgroupDriver(
        configured,
        source,
        tuple(node.name for node in real if follows_runtime(node)),
        tuple(node.name for node in real if not follows_runtime(node)),
    )


def follows_runtime(node: Node) -> bool:
    """Whether this node's kubelet takes the driver from its runtime."""
    minor = minor_of(node.kubelet)
    found = _VERSION.match(node.runtime)
    if minor is None or minor < FOLLOWS_SINCE or not found:
        return False
    least = _TELLS.get(found[1])
    return least is not None and (int(found[2]), int(found[3])) >= least
