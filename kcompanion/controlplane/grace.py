"""How long a silent node is still believed: the node-monitor grace period of kube-controller-manager."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.components import component_pods
from kcompanion.controlplane.flags import flags_of
from kcompanion.controlplane.versions import minor_of, server_version
from kcompanion.model.fields import name_of
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Snapshot

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")


@dataclass(frozen=True, slots=True)
class Grace:
    """How long the node controller waits for a heartbeat before it calls a node Unknown."""

    seconds: int
    source: Evidence
    given: bool = False  # by a flag; otherwise the default

    def to_json(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "source": self.source.to_json()}


def grace_period(snapshot: Snapshot) -> Grace:
    """From the controller manager's flag, else its default: 50 s, before Kubernetes 1.32 40 s."""
    name = "node-monitor-grace-period"
    for pod in component_pods(snapshot, "kube-controller-manager")[:1]:
        value = flags_of(pod, "kube-controller-manager").get(name, "")
        where = f"Pod {asks.SYSTEM}/{name_of(pod)}"
        if seconds := _seconds(value):
            return Grace(seconds, Evidence(where, f"--{name}", value), given=True)
    minor = minor_of(server_version(snapshot))
    seconds = 40 if minor is not None and minor < 32 else 50
    return Grace(seconds, Evidence("kube-controller-manager", f"--{name}", f"default, {seconds}s"))


def _seconds(text: str) -> int:
    found = _DURATION.match(text) if text else None
    if not found:
        return 0
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
