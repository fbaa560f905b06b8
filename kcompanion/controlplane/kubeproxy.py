"""How Services are implemented on the nodes: kube-proxy's mode and where it was read, or who does its work instead.

With `--config` kube-proxy takes its mode from the file and ignores the flag (cmd/kube-proxy/app/options.go); an empty
mode is the platform's default, iptables on Linux. The userspace mode was removed in 1.26; ipvs is deprecated since
1.35 (KEP-5495); nftables is stable since 1.33 (KEP-3866).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.cni import BY_NAME, Cni
from kcompanion.controlplane.configfile import embedded
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.rollout import Rollout, of_daemonset, of_pods
from kcompanion.model.fields import labels_of, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.snapshot import Object, Snapshot

NAME = "kube-proxy"
MODES = ("iptables", "ipvs", "nftables", "kernelspace", "userspace")
REPLACED = "replaced"
DEFAULT = "iptables"
# (ConfigMap of kube-system, key): kubeadm's, and EKS's add-on.
CONFIGS = (("kube-proxy", "config.conf"), ("kube-proxy-config", "config"))


@dataclass(frozen=True, slots=True)
class KubeProxy:
    """`mode` is one of MODES, "replaced" (by the CNI), or empty when it is not known."""

    mode: str
    source: Evidence | None
    status: Status
    version: str = ""
    rollout: Rollout | None = None
    pods: tuple[str, ...] = ()
    replaced_by: str = ""
    defaulted: bool = False  # the mode was not given; it is kube-proxy's default
    cluster_cidr: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "mode": self.mode or None,
            "source": self.source.to_json() if self.source else None,
            "status": self.status.value,
            "version": self.version or None,
            "rollout": self.rollout.to_json() if self.rollout else None,
            "pods": list(self.pods),
            "replacedBy": self.replaced_by or None,
            "isDefault": self.defaulted,
        }


def kube_proxy(snapshot: Snapshot, cni: Cni) -> KubeProxy:
    """kube-proxy as DaemonSet, as static pods (GKE, kops), or replaced."""
    workload = _daemonset(snapshot)
    running = [pod for pod in snapshot.items(asks.PODS) if _is_proxy(pod)]
    if workload is None and not running:
        return _without(snapshot, cni)
    container = _container(workload, running)
    config, where = _config(snapshot)
    mode, source, defaulted = _mode(container, config, where, workload, running, snapshot)
    rollout = (
        of_daemonset(workload, snapshot)
        if workload is not None
        else of_pods(f"Pods {asks.SYSTEM}/{NAME}-*", running, snapshot)
    )
    status = rollout.status
    if not mode or not all(readable(snapshot, ask) for ask in (asks.PODS, asks.DAEMONSETS, asks.HEARTBEATS)):
        status = worst([status, Status.UNKNOWN])
    return KubeProxy(
        mode,
        source,
        status,
        pods.image_version(text_at(container, "image")),
        rollout,
        tuple(sorted(name_of(pod) for pod in running)),
        defaulted=defaulted,
        cluster_cidr=str(config.get("clusterCIDR") or ""),
    )


def _daemonset(snapshot: Snapshot) -> Object | None:
    fitting = (
        item for item in snapshot.items(asks.DAEMONSETS) if namespace_of(item) == asks.SYSTEM and name_of(item) == NAME
    )
    return next(fitting, None)


def _is_proxy(pod: Object) -> bool:
    labels = labels_of(pod)
    marked = NAME in (labels.get("k8s-app"), labels.get("component"))
    return marked and any(NAME in text_at(c, "image") for c in maps_at(pod, "spec", "containers"))


def _container(workload: Object | None, running: list[Object]) -> Mapping[str, Any]:
    template = map_at(workload, "spec", "template") if workload else running[0]
    containers = list(maps_at(template, "spec", "containers"))
    named = next((c for c in containers if c.get("name") == NAME), None)
    return named or (containers[0] if containers else {})


def _config(snapshot: Snapshot) -> tuple[Mapping[str, Any], str]:
    for name, key in CONFIGS:
        document = embedded(snapshot, name, key)
        if document is not None:
            return document, f"ConfigMap {asks.SYSTEM}/{name}"
    return {}, ""


def _mode(
    container: Mapping[str, Any],
    config: Mapping[str, Any],
    where: str,
    workload: Object | None,
    running: list[Object],
    snapshot: Snapshot,
) -> tuple[str, Evidence | None, bool]:
    words = texts_at(container, "command") + texts_at(container, "args")
    owner = f"DaemonSet {asks.SYSTEM}/{NAME}" if workload else f"Pod {asks.SYSTEM}/{name_of(running[0])}"
    if any(word.startswith("--config") for word in words):
        if not where:
            # the file is named but could not be read: the flag would not count either
            return "", None, False
        mode = str(config.get("mode") or "")
        return mode or DEFAULT, Evidence(where, "config.conf: mode", mode or '""'), not mode
    flag = next((w.partition("=")[2] for w in words if w.startswith("--proxy-mode=")), "")
    if not words and not readable(snapshot, asks.PODS):
        return "", None, False
    return flag or DEFAULT, Evidence(owner, "--proxy-mode", flag or "not set"), not flag


def _without(snapshot: Snapshot, cni: Cni) -> KubeProxy:
    """No kube-proxy was found: the CNI does its work, or it runs where the API does not show it (k3s)."""
    if not (readable(snapshot, asks.DAEMONSETS) and readable(snapshot, asks.PODS)):
        return KubeProxy("", None, Status.UNKNOWN)
    plugin = BY_NAME.get(cni.name)
    missing = Evidence(f"DaemonSets {asks.SYSTEM}", NAME, "none")
    if plugin is not None and plugin.replaces_proxy:
        return KubeProxy(REPLACED, missing, cni.status, replaced_by=cni.name)
    return KubeProxy("", missing, Status.NOT_VISIBLE)
