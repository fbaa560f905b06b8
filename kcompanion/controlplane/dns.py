"""The cluster's DNS: its pods, where they run, the Service that everybody asks, and what the Corefile says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.components import component_pods
from kcompanion.controlplane.configfile import KUBELET, embedded
from kcompanion.controlplane.corefile import ServerBlock, parse
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.lifesigns import silent_nodes
from kcompanion.controlplane.rollout import Rollout, of_deployment, of_pods
from kcompanion.model.fields import dig, labels_of, map_at, maps_at, name_of, text_at, texts_at
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.snapshot import Object, Snapshot

# The Service keeps this name whatever serves it, so that nothing else has to change.
SERVICE = "kube-dns"
_SLICE_LABEL = "kubernetes.io/service-name"
NEEDS = (asks.PODS, asks.DEPLOYMENTS, asks.SERVICES, asks.SYSTEM_SLICES, asks.HEARTBEATS)


@dataclass(frozen=True, slots=True)
class Dns:
    """What answers names in the cluster; `product` is empty when nothing was found."""

    product: str
    version: str
    rollout: Rollout | None
    nodes: tuple[str, ...]  # of the ready replicas, one entry each
    service_ips: tuple[str, ...]
    endpoints: int | None  # ready addresses behind the Service, None when unread
    kubelet_servers: tuple[str, ...]  # what kubelets write into pods' resolv.conf
    blocks: tuple[ServerBlock, ...]
    status: Status
    evidence: tuple[Evidence, ...]
    choices: int = 0  # nodes that would take another replica

    @property
    def one_node(self) -> bool:
        """Whether several replicas all depend on the same node although there are others."""
        return len(self.nodes) > 1 and len(set(self.nodes)) == 1 and self.choices > 1

    def to_json(self) -> dict[str, Any]:
        return {
            "product": self.product or None,
            "version": self.version or None,
            "status": self.status.value,
            "pods": self.rollout.to_json() if self.rollout else None,
            "nodes": list(self.nodes),
            "serviceIPs": list(self.service_ips),
            "readyEndpoints": self.endpoints,
            "kubeletClusterDNS": list(self.kubelet_servers),
            "corefile": [block.to_json() for block in self.blocks],
            "evidence": [item.to_json() for item in self.evidence],
        }


def dns(snapshot: Snapshot) -> Dns:
    """CoreDNS, kube-dns, or nothing."""
    running = component_pods(snapshot, "dns")
    workload = _deployment(snapshot)
    image = _image(workload, running)
    service = next((s for s in snapshot.items(asks.SERVICES) if name_of(s) == SERVICE), None)
    rollout = of_deployment(workload, snapshot) if workload is not None else _of_pods(running, snapshot)
    silent = silent_nodes(snapshot)
    ready = [p for p in running if pods.ready_check(p).status is Status.OK and pods.node_of(p) not in silent]
    endpoints = _ready_endpoints(snapshot)
    return Dns(
        "CoreDNS" if "coredns" in image else "kube-dns" if image else "",
        pods.image_version(image),
        rollout,
        tuple(sorted(pods.node_of(pod) for pod in ready)),
        _ips(service),
        endpoints,
        _kubelet_servers(snapshot),
        _blocks(snapshot),
        _status(snapshot, rollout, service, endpoints),
        _evidence(workload, image, service),
        sum(not dig(node, "spec", "unschedulable") for node in snapshot.items(asks.NODES)),
    )


def _deployment(snapshot: Snapshot) -> Object | None:
    """The Deployment whose pods carry the DNS label; NodeLocal DNSCache is a DaemonSet and not meant."""
    for item in snapshot.items(asks.DEPLOYMENTS):
        labels = map_at(item, "spec", "template", "metadata", "labels")
        if labels.get("k8s-app") == SERVICE or name_of(item) == "coredns":
            return item
    return None


def _image(workload: Object | None, running: Sequence[Object]) -> str:
    spec = dig(workload, "spec", "template", "spec") or (dig(running[0], "spec") if running else None)
    found = [text_at(container, "image") for container in maps_at(spec, "containers")]
    return next((i for i in found if "dns" in i), found[0] if found else "")


def _of_pods(running: Sequence[Object], snapshot: Snapshot) -> Rollout | None:
    return of_pods(f"Pods {asks.SYSTEM}/k8s-app={SERVICE}", running, snapshot) if running else None


def _ips(service: Object | None) -> tuple[str, ...]:
    one = text_at(service, "spec", "clusterIP")
    return texts_at(service, "spec", "clusterIPs") or ((one,) if one else ())


def _ready_endpoints(snapshot: Snapshot) -> int | None:
    if not readable(snapshot, asks.SYSTEM_SLICES):
        return None
    silent = silent_nodes(snapshot)
    return sum(
        len(texts_at(endpoint, "addresses"))
        for item in snapshot.items(asks.SYSTEM_SLICES)
        if labels_of(item).get(_SLICE_LABEL) == SERVICE
        for endpoint in maps_at(item, "endpoints")
        if text_at(endpoint, "nodeName") not in silent
        # no `ready` means ready (discovery/v1 EndpointConditions)
        if dig(endpoint, "conditions", "ready") is not False
    )


def _kubelet_servers(snapshot: Snapshot) -> tuple[str, ...]:
    return texts_at(embedded(snapshot, *KUBELET), "clusterDNS")


def _blocks(snapshot: Snapshot) -> tuple[ServerBlock, ...]:
    for item in snapshot.items(asks.CONFIGMAPS):
        text = text_at(item, "data", "Corefile")
        if name_of(item) == "coredns" and text and not text.startswith("<scrubbed"):
            return parse(text)
    return ()


def _status(snapshot: Snapshot, rollout: Rollout | None, service: Object | None, endpoints: int | None) -> Status:
    parts = [Status.UNKNOWN] if not all(readable(snapshot, ask) for ask in NEEDS) else []
    if rollout is not None:
        parts.append(rollout.status)
    elif not parts:
        parts.append(Status.FAIL)
    if readable(snapshot, asks.SERVICES):
        parts.append(Status.OK if service is not None else Status.FAIL)
    if endpoints is not None:
        parts.append(Status.OK if endpoints else Status.FAIL)
    return worst(parts)


def _evidence(workload: Object | None, image: str, service: Object | None) -> tuple[Evidence, ...]:
    found = []
    if image:
        source = f"Deployment {asks.SYSTEM}/{name_of(workload)}" if workload else "Pods"
        found.append(Evidence(source, "containers[].image", image))
    if service is not None:
        found.append(Evidence(f"Service {asks.SYSTEM}/{SERVICE}", "spec.clusterIP", ", ".join(_ips(service))))
    return tuple(found)
