"""How many of a workload's pods there should be and are ready: the health of an add-on from its own controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.lifesigns import silent_nodes
from kcompanion.model.ask import Ask
from kcompanion.model.fields import dig, labels_of, map_at, name_of, namespace_of
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.snapshot import Object, Snapshot


@dataclass(frozen=True, slots=True)
class Rollout:
    """Ready and desired pods of one DaemonSet or Deployment."""

    workload: str  # "DaemonSet kube-system/kube-proxy"
    ready: int  # those on nodes that fell silent are not counted, whatever the controller still says
    desired: int
    lost: int = 0  # how many were left out for that reason
    unsure: bool = False  # a node is silent, and whether it holds some of them could not be read

    @property
    def status(self) -> Status:
        """All ready: ok. Some: a warning, for the others still work. None: failing."""
        if self.ready >= self.desired:
            return Status.UNKNOWN if self.unsure else Status.OK
        return Status.WARN if self.ready else Status.FAIL

    @property
    def text(self) -> str:
        return f"{self.ready}/{self.desired}"

    @property
    def evidence(self) -> Evidence:
        told = f"{self.text}, {self.lost} more on silent nodes" if self.lost else self.text
        return Evidence(self.workload, "status (ready/desired)", told)

    def to_json(self) -> dict[str, Any]:
        return {"workload": self.workload, "ready": self.ready, "desired": self.desired, "lost": self.lost}


def of_daemonset(workload: Object, snapshot: Snapshot) -> Rollout:
    """A DaemonSet's pods, one per node: where pods are unread each silent node is taken to have lost one."""
    lost = _on_silent_nodes(workload, snapshot)
    if lost is None:
        lost = len(silent_nodes(snapshot))
    name = f"DaemonSet {namespace_of(workload)}/{name_of(workload)}"
    ready = _count(workload, "status", "numberReady")
    return _rollout(name, ready, _count(workload, "status", "desiredNumberScheduled"), lost)


def of_deployment(workload: Object, snapshot: Snapshot, kind: str = "Deployment") -> Rollout:
    """A Deployment's (or StatefulSet's) pods; `replicas` is 1 where it is not given."""
    wanted = dig(workload, "spec", "replicas")
    name = f"{kind} {namespace_of(workload)}/{name_of(workload)}"
    ready = _count(workload, "status", "readyReplicas")
    return _rollout(name, ready, wanted if isinstance(wanted, int) else 1, _on_silent_nodes(workload, snapshot))


def of_pods(name: str, running: Sequence[Object], snapshot: Snapshot) -> Rollout:
    """Pods without a workload of their own (static ones, or a workload that could not be read)."""
    ready = [pod for pod in running if pods.ready_check(pod).status is Status.OK]
    lost = sum(pods.node_of(pod) in silent_nodes(snapshot) for pod in ready)
    return _rollout(name, len(ready), len(running), lost)


def _rollout(name: str, ready: int, desired: int, lost: int | None) -> Rollout:
    gone = min(ready, lost or 0)
    return Rollout(name, ready - gone, desired, gone, unsure=lost is None and bool(ready))


def _on_silent_nodes(workload: Object, snapshot: Snapshot) -> int | None:
    """How many of a workload's ready pods are on nodes whose kubelet is silent; None where its pods are unread."""
    wanted = map_at(workload, "spec", "selector", "matchLabels")
    if not silent_nodes(snapshot) or not wanted:
        return 0
    space = namespace_of(workload)
    if space != asks.SYSTEM and not readable(snapshot, asks.ALL_PODS):
        return None
    return sum(
        namespace_of(pod) == space and wanted.items() <= labels_of(pod).items() for pod in snapshot.once(_stranded)
    )


def _stranded(snapshot: Snapshot) -> tuple[Object, ...]:
    """The pods that are called ready by kubelets that are silent."""
    silent = silent_nodes(snapshot)
    everything = snapshot.items(asks.ALL_PODS if readable(snapshot, asks.ALL_PODS) else asks.PODS)
    return tuple(pod for pod in everything if pods.node_of(pod) in silent and pods.ready_check(pod).status is Status.OK)


def further_asks(snapshot: Snapshot) -> tuple[Ask, ...]:
    """All pods, once a node is known to be silent: workloads outside kube-system may have theirs on it."""
    return (asks.ALL_PODS,) if silent_nodes(snapshot) else ()


def _count(obj: Object, *path: str) -> int:
    value = dig(obj, *path)
    return value if isinstance(value, int) else 0
