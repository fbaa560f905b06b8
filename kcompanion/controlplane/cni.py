"""Which network plugin (CNI) gives pods their addresses, and how sure that is.

No API object says it. A DaemonSet's name is a hint and its image a better one; what the plugin itself wrote onto
nodes (annotations, the reason of NetworkUnavailable) is proof that it ran. Never from a name alone: a DaemonSet may be
called anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks
from kcompanion.controlplane.health import readable
from kcompanion.controlplane.rollout import Rollout, of_daemonset
from kcompanion.controlplane.versions import server_version
from kcompanion.model.fields import (
    annotations_of,
    condition,
    dig,
    maps_at,
    name_of,
    namespace_of,
    text_at,
    texts_at,
)
from kcompanion.model.finding import Evidence, Status, worst
from kcompanion.model.snapshot import Object, Snapshot


@dataclass(frozen=True, slots=True)
class Plugin:
    """How one plugin is recognised and what it does.

    `policy` says whether it enforces NetworkPolicy, None when that depends on its version or settings.
    `own_ipam` is True when it hands out pod addresses itself and nodes' podCIDR says nothing about them.
    """

    name: str
    daemonsets: tuple[str, ...]
    images: tuple[str, ...]  # parts of image names
    policy: bool | None
    annotations: tuple[str, ...] = ()  # prefixes of what it writes onto nodes
    condition: str = ""  # the reason it gives for NetworkUnavailable=False
    replaces_proxy: bool = False  # can do kube-proxy's work
    own_ipam: bool = False


# Sources: each project's own installation manifests. Order matters where one contains another.
PLUGINS: tuple[Plugin, ...] = (
    Plugin("kcompanion-lab-cni", ("kcompanion-lab-cni",), ("kcompanion.dev/lab/cni",), False),
    Plugin("kindnet", ("kindnet",), ("kindnetd",), None),
    Plugin(
        "calico",
        ("calico-node",),
        ("calico/node",),
        True,
        ("projectcalico.org/",),
        "CalicoIsUp",
        own_ipam=True,
    ),
    Plugin(
        "cilium",
        ("cilium", "anetd"),  # anetd: GKE Dataplane V2
        ("cilium/cilium", "/cilium:", "gke.gcr.io/cilium"),
        True,
        ("network.cilium.io/", "io.cilium.network."),
        "CiliumIsUp",
        replaces_proxy=True,
        own_ipam=True,
    ),
    Plugin(
        "flannel",
        ("kube-flannel-ds", "kube-flannel"),
        ("flannel",),
        False,
        ("flannel.alpha.coreos.com/",),
        "FlannelIsUp",
    ),
    Plugin(
        "canal",
        ("canal", "rke2-canal"),
        ("calico/node", "hardened-calico"),
        True,
        ("flannel.alpha.coreos.com/", "projectcalico.org/"),
    ),
    Plugin(
        "weave",
        ("weave-net",),
        ("weave-kube", "weaveworks/weave"),
        True,
        (),
        "WeaveIsUp",
        own_ipam=True,
    ),
    Plugin(
        "antrea",
        ("antrea-agent",),
        ("antrea/antrea",),
        True,
        ("node.antrea.io/",),
        replaces_proxy=True,
    ),
    Plugin(
        "ovn-kubernetes",
        ("ovnkube-node", "ovnkube"),
        ("ovn-kube", "ovnkube", "ovn-kubernetes"),
        True,
        ("k8s.ovn.org/",),
        replaces_proxy=True,
        own_ipam=True,
    ),
    Plugin("kube-ovn", ("kube-ovn-cni",), ("kube-ovn",), True, ("ovn.kubernetes.io/",), own_ipam=True),
    Plugin("kube-router", ("kube-router",), ("kube-router",), True, replaces_proxy=True),
    Plugin("aws-node", ("aws-node",), ("amazon-k8s-cni",), None, own_ipam=True),
    Plugin("azure-cni", ("azure-cns", "azure-cni"), ("azure-cns", "azure-cni"), None, own_ipam=True),
)
BY_NAME = {plugin.name: plugin for plugin in PLUGINS}
# kindnetd enforces NetworkPolicy since the image of kind v0.24.0 (kubernetes-sigs/kind#3612); its tags are dates.
_KINDNET_POLICY_SINCE = "v20240813"
_ENOUGH = 4  # the weight of signs that allow to name a plugin; a name alone has 1
_DATE_TAG = re.compile(r":(v\d{8})")


@dataclass(frozen=True, slots=True)
class Cni:
    """The network plugin found; `name` is empty when none was recognised."""

    name: str
    confidence: str  # high: its image and another sign · medium: image or marks on nodes · low: a name · none
    evidence: tuple[Evidence, ...]
    enforces_policy: bool | None
    version: str
    rollout: Rollout | None
    status: Status
    others: tuple[str, ...] = ()  # further plugins with signs of their own: two networks, or remains of one
    suspected: str = ""  # only a DaemonSet's name says so

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name or None,
            "confidence": self.confidence,
            "evidence": [item.to_json() for item in self.evidence],
            "enforcesNetworkPolicy": self.enforces_policy,
            "version": self.version or None,
            "pods": self.rollout.to_json() if self.rollout else None,
            "status": self.status.value,
            "others": list(self.others),
            "suspected": self.suspected or None,
        }


@dataclass(frozen=True, slots=True)
class _Signs:
    plugin: Plugin
    workload: Object | None
    image: str
    evidence: tuple[Evidence, ...]
    weight: int  # image _ENOUGH, marks on nodes _ENOUGH, name 1

    @property
    def confidence(self) -> str:
        return "high" if self.weight > _ENOUGH else "medium" if self.weight == _ENOUGH else "low"


def cni(snapshot: Snapshot) -> Cni:
    """The plugin with the strongest signs, and whether its pods are well."""
    sources_read = readable(snapshot, asks.DAEMONSETS) and readable(snapshot, asks.NODES)
    found = sorted(_all_signs(snapshot), key=lambda s: -s.weight)
    if not found:
        status = Status.NOT_VISIBLE if sources_read else Status.UNKNOWN
        return Cni("", "none", (), None, "", None, status)
    best = found[0]
    if best.weight < _ENOUGH:
        status = Status.NOT_VISIBLE if sources_read else Status.UNKNOWN
        return Cni("", "low", best.evidence, None, "", None, status, suspected=best.plugin.name)
    others = tuple(s.plugin.name for s in found[1:] if s.weight >= _ENOUGH and not _same_family(s, best))
    rollout = of_daemonset(best.workload, snapshot) if best.workload is not None else None
    status = rollout.status if rollout else Status.NOT_VISIBLE  # k3s runs flannel inside its own process
    if not all(readable(snapshot, ask) for ask in (asks.DAEMONSETS, asks.HEARTBEATS, asks.PODS)):
        status = worst([status, Status.UNKNOWN])
    return Cni(
        best.plugin.name,
        best.confidence,
        best.evidence,
        _enforces(best, snapshot),
        _tag(best.image),
        rollout,
        status,
        others,
    )


def _tag(image: str) -> str:
    """The image's tag as it is: plugins use dates and bare numbers as versions."""
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2]


def _same_family(one: _Signs, other: _Signs) -> bool:
    """Canal is flannel with calico's policies: their signs on nodes are its own."""
    return {one.plugin.name, other.plugin.name} <= {"canal", "calico", "flannel"}


def _all_signs(snapshot: Snapshot) -> Iterator[_Signs]:
    daemonsets = snapshot.items(asks.DAEMONSETS)
    nodes = snapshot.items(asks.NODES)
    for plugin in PLUGINS:
        workload, image, evidence, weight = _in_workloads(plugin, daemonsets)
        on_nodes = _on_nodes(plugin, nodes)
        if on_nodes:
            weight += _ENOUGH
        if weight:
            yield _Signs(plugin, workload, image, (*evidence, *on_nodes), weight)


def _in_workloads(plugin: Plugin, daemonsets: Sequence[Object]) -> tuple[Object | None, str, tuple[Evidence, ...], int]:
    """The DaemonSet that fits best, by image before name."""
    best: tuple[Object | None, str, tuple[Evidence, ...], int] = (None, "", (), 0)
    for workload in daemonsets:
        source = f"DaemonSet {namespace_of(workload)}/{name_of(workload)}"
        named = name_of(workload) in plugin.daemonsets
        image = next((i for i in images_of(workload) if any(part in i for part in plugin.images)), "")
        weight = (_ENOUGH if image else 0) + (1 if named else 0)
        if weight <= best[3]:
            continue
        evidence = []
        if named:
            evidence.append(Evidence(source, "metadata.name", name_of(workload)))
        if image:
            evidence.append(Evidence(source, "spec.template.spec.containers[].image", image))
        best = (workload, image, tuple(evidence), weight)
    return best


def images_of(workload: Object) -> tuple[str, ...]:
    """Images of a workload's containers, init containers last."""
    spec = dig(workload, "spec", "template", "spec")
    return tuple(
        text_at(container, "image") for part in ("containers", "initContainers") for container in maps_at(spec, part)
    )


def _on_nodes(plugin: Plugin, nodes: Sequence[Object]) -> tuple[Evidence, ...]:
    """What the plugin wrote onto the first node that bears its marks."""
    for node in nodes:
        source = f"Node {name_of(node)}"
        reason = text_at(condition(node, "NetworkUnavailable"), "reason")
        if plugin.condition and reason == plugin.condition:
            return (Evidence(source, "status.conditions[NetworkUnavailable].reason", reason),)
        for key in sorted(annotations_of(node)):
            if plugin.annotations and key.startswith(plugin.annotations):
                return (Evidence(source, "metadata.annotations", key),)
    return ()


def _enforces(signs: _Signs, snapshot: Snapshot) -> bool | None:
    name = signs.plugin.name
    if signs.workload is None and signs.plugin.policy is False:
        # what it is part of may enforce them
        return _k3s_policies(snapshot) if "+k3s" in server_version(snapshot) else None
    if name == "kindnet":
        tag = _DATE_TAG.search(signs.image)
        return None if tag is None else tag[1] >= _KINDNET_POLICY_SINCE
    if name == "aws-node":
        return _aws_policy_agent(signs.workload)
    if name in ("azure-cni", "flannel"):
        helper = any(
            part in image
            for workload in snapshot.items(asks.DAEMONSETS)
            for image in images_of(workload)
            for part in ("azure-npm", "calico/node", "kube-router")
        )
        return True if helper else signs.plugin.policy
    return signs.plugin.policy


def _k3s_policies(snapshot: Snapshot) -> bool:
    """K3s brings kube-router's policy controller, unless a server was told not to start it (K3s docs, Networking)."""
    given = (text_at(node, "metadata", "annotations", "k3s.io/node-args") for node in snapshot.items(asks.NODES))
    return not any("--disable-network-policy" in arguments for arguments in given)


def _aws_policy_agent(workload: Object | None) -> bool | None:
    """The VPC CNI enforces policies only with its node agent's --enable-network-policy=true."""
    containers = list(maps_at(workload, "spec", "template", "spec", "containers"))
    agent = next((c for c in containers if c.get("name") == "aws-eks-nodeagent"), None)
    if agent is None:
        return False if containers else None
    return "--enable-network-policy=true" in texts_at(agent, "args")
