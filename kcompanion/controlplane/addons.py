"""The inventory of add-ons: what is installed with the evidence, and what stands in for what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.aggregated import AggregatedApi, aggregated, metrics_api
from kcompanion.controlplane.cni import images_of
from kcompanion.controlplane.dns import Dns, dns
from kcompanion.controlplane.entrance import Entrance, entrance
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.leaders import Leader, leader
from kcompanion.controlplane.network import Network, network
from kcompanion.controlplane.origin import out_of_sight
from kcompanion.controlplane.pods import image_version
from kcompanion.controlplane.products import products_in
from kcompanion.controlplane.rollout import Rollout, of_daemonset, of_deployment
from kcompanion.controlplane.storage import Storage, storage
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, listing
from kcompanion.model.fields import labels_of, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.snapshot import Object, Snapshot

DEPLOYMENTS = listing(r.DEPLOYMENTS)
STATEFULSETS = listing(r.STATEFULSETS)
POLICIES = listing(r.NETWORKPOLICIES)
ASKS: tuple[Ask, ...] = (
    asks.VERSION,
    asks.NODES,
    asks.PODS,
    asks.CONFIGMAPS,
    asks.DAEMONSETS,
    asks.DEPLOYMENTS,
    DEPLOYMENTS,
    STATEFULSETS,
    asks.SERVICES,
    asks.SYSTEM_SLICES,
    asks.LEASES,
    asks.HEARTBEATS,
    asks.API_SERVICES,
    POLICIES,
    listing(r.INGRESSCLASSES),
    listing(r.STORAGECLASSES),
    listing(r.CSIDRIVERS),
)
WORKLOADS: tuple[Ask, ...] = (asks.DAEMONSETS, DEPLOYMENTS, STATEFULSETS)
# Without these "absent" cannot be told from "not seen".
ESSENTIAL: tuple[Ask, ...] = (
    asks.PODS,
    asks.DAEMONSETS,
    DEPLOYMENTS,
    asks.SERVICES,
    asks.API_SERVICES,
)
# Shown with what stands in for them when they are absent; the others only when they are there.
EXPECTED = ("metrics", "ingress", "gateway", "dashboard", "logging", "monitoring", "cloud")
ADDON_MODE = "addonmanager.kubernetes.io/mode"
CLOUD = "cloud-controller-manager"


@dataclass(frozen=True, slots=True)
class Addon:
    """One product found, or a category of which nothing was found (`product` empty)."""

    category: str
    product: str
    status: Status | None  # None: absent, and nothing wrong with that
    version: str = ""
    rollout: Rollout | None = None
    evidence: tuple[Evidence, ...] = ()
    retired: bool = False

    @property
    def present(self) -> bool:
        return bool(self.product)

    def to_json(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "product": self.product or None,
            "present": self.present,
            "status": self.status.value if self.status else Status.OK.value,
            "version": self.version or None,
            "pods": self.rollout.to_json() if self.rollout else None,
            "evidence": [item.to_json() for item in self.evidence],
            "retired": self.retired,
        }


@dataclass(frozen=True, slots=True)
class Addons:
    """Everything `kcompanion addons` knows."""

    dns: Dns
    network: Network
    storage: Storage
    entrance: Entrance
    apis: tuple[AggregatedApi, ...]
    found: tuple[Addon, ...]
    policies: int | None  # NetworkPolicy objects, None when unread
    cloud_leader: Leader | None
    minikube: tuple[str, ...]

    @property
    def unsure(self) -> bool:
        """Whether an add-on may have pods on a silent node and these could not be read."""
        return any(addon.rollout is not None and addon.rollout.unsure for addon in self.found)

    @property
    def status(self) -> Status:
        parts = [self.dns.status, self.network.cni.status, self.network.kube_proxy.status]
        return worst([*parts, *(a.status for a in self.found if a.status is not None)])

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "dns": self.dns.to_json(),
            "network": self.network.to_json(),
            "storage": self.storage.to_json(),
            "ingress": self.entrance.to_json(),
            "aggregatedAPIs": [api.to_json() for api in self.apis],
            "addons": [addon.to_json() for addon in self.found],
            "networkPolicies": self.policies,
            "cloudControllerLeader": self.cloud_leader.to_json() if self.cloud_leader else None,
            "minikubeAddons": list(self.minikube),
        }


def addons(snapshot: Snapshot) -> Addons:
    """The inventory from the answers to ASKS, as far as they could be had."""
    workloads = list(_workloads(snapshot))
    found = _grouped(workloads)
    apis = aggregated(snapshot)
    policies = len(snapshot.items(POLICIES)) if readable(snapshot, POLICIES) else None
    return Addons(
        dns(snapshot),
        network(snapshot),
        storage(snapshot),
        entrance(snapshot),
        apis,
        (*_with_metrics(found, snapshot), *_absent(found, snapshot)),
        policies,
        leader(snapshot, CLOUD),
        _minikube(snapshot, [workload for workload, _ in workloads]),
    )


def _workloads(snapshot: Snapshot) -> Iterator[tuple[Object, Rollout]]:
    for workload in snapshot.items(asks.DAEMONSETS):
        yield workload, of_daemonset(workload, snapshot)
    for ask, kind in ((DEPLOYMENTS, "Deployment"), (STATEFULSETS, "StatefulSet")):
        items = snapshot.items(ask)
        if ask is DEPLOYMENTS and not readable(snapshot, ask):
            items = snapshot.items(asks.DEPLOYMENTS)  # kube-system's at least
        for workload in items:
            yield workload, of_deployment(workload, snapshot, kind)


def _grouped(workloads: Sequence[tuple[Object, Rollout]]) -> list[Addon]:
    """One add-on per product; of several workloads with its image the first, its health the worst of all."""
    by_product: dict[str, Addon] = {}
    for workload, rollout in workloads:
        for image in images_of(workload):
            for product in products_in(image):
                known = by_product.get(product.name)
                status = worst([rollout.status, *([known.status] if known and known.status else [])])
                evidence = Evidence(rollout.workload, "containers[].image", image)
                by_product[product.name] = Addon(
                    product.category,
                    product.name,
                    status,
                    known.version if known else image_version(image),
                    known.rollout if known else rollout,
                    (*(known.evidence if known else ()), evidence)[:3],
                    product.retired,
                )
    return sorted(by_product.values(), key=lambda addon: (addon.category, addon.product))


def _with_metrics(found: Sequence[Addon], snapshot: Snapshot) -> Iterator[Addon]:
    """metrics-server is well only if its API answers: the pods may be ready and the aggregation broken."""
    api = metrics_api(snapshot)
    seen = False
    for addon in found:
        if addon.category != "metrics" or api is None:
            yield addon
            continue
        seen = True
        status = worst([api.status, *([addon.status] if addon.status else [])])
        evidence = (*addon.evidence, api.evidence)
        yield Addon(addon.category, addon.product, status, addon.version, addon.rollout, evidence)
    if api is not None and not seen:
        yield Addon("metrics", api.service or api.name, api.status, evidence=(api.evidence,))


def _absent(found: Sequence[Addon], snapshot: Snapshot) -> Iterator[Addon]:
    present = {addon.category for addon in found}
    if metrics_api(snapshot) is not None:
        present.add("metrics")
    if entrance(snapshot).classes:
        present.add("ingress")
    if entrance(snapshot).gateway_api:
        present.add("gateway")
    if leader(snapshot, CLOUD) is not None:
        present.add("cloud")  # its Lease shows it, whether or not its pods can be seen
    looked = all(readable(snapshot, ask) for ask in (*WORKLOADS, asks.API_SERVICES))
    where = Evidence("DaemonSets, Deployments, StatefulSets", "containers[].image", "none")
    for category in EXPECTED:
        if category in present:
            continue
        status = None if looked else Status.UNKNOWN
        if category == "cloud" and looked and out_of_sight(snapshot):
            status = Status.NOT_VISIBLE  # it has no pods to see where the control plane has none
        yield Addon(category, "", status, evidence=(where,))


def _minikube(snapshot: Snapshot, workloads: Sequence[Object]) -> tuple[str, ...]:
    """Objects that minikube's add-on manager keeps (its label), by kind-less name."""
    objects = [*workloads, *snapshot.items(asks.SERVICES), *snapshot.items(asks.PODS)]
    managed = (o for o in objects if ADDON_MODE in labels_of(o))
    own = (o for o in managed if not next(maps_at(o, "metadata", "ownerReferences"), None))
    names = {f"{namespace_of(o)}/{name_of(o)} ({text_at(o, 'metadata', 'labels', ADDON_MODE)})" for o in own}
    return tuple(sorted(names))
