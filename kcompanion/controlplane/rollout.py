"""How many of a workload's pods there should be and are ready: the health of an add-on from its own controller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import dig, name_of, namespace_of
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.snapshot import Object


@dataclass(frozen=True, slots=True)
class Rollout:
    """Ready and desired pods of one DaemonSet or Deployment."""

    workload: str  # "DaemonSet kube-system/kube-proxy"
    ready: int
    desired: int

    @property
    def status(self) -> Status:
        """All ready: ok. Some: a warning, for the others still work. None: failing."""
        if self.ready >= self.desired:
            return Status.OK
        return Status.WARN if self.ready else Status.FAIL

    @property
    def text(self) -> str:
        return f"{self.ready}/{self.desired}"

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.workload, "status (ready/desired)", self.text)

    def to_json(self) -> dict[str, Any]:
        return {"workload": self.workload, "ready": self.ready, "desired": self.desired}


def of_daemonset(workload: Object) -> Rollout:
    return Rollout(
        f"DaemonSet {namespace_of(workload)}/{name_of(workload)}",
        _count(workload, "status", "numberReady"),
        _count(workload, "status", "desiredNumberScheduled"),
    )


def of_deployment(workload: Object, kind: str = "Deployment") -> Rollout:
    """A Deployment's (or StatefulSet's) pods; `replicas` is 1 where it is not given."""
    wanted = dig(workload, "spec", "replicas")
    return Rollout(
        f"{kind} {namespace_of(workload)}/{name_of(workload)}",
        _count(workload, "status", "readyReplicas"),
        wanted if isinstance(wanted, int) else 1,
    )


def _count(obj: Object, *path: str) -> int:
    value = dig(obj, *path)
    return value if isinstance(value, int) else 0
