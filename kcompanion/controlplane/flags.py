"""Flags of the control plane, read from its pods' command lines, and where instances differ.

Only flags that were given are seen; defaults are the program's own. Flags that must differ from node to node are not
called drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane import asks, pods
from kcompanion.controlplane.components import component_pods
from kcompanion.model.fields import name_of
from kcompanion.model.snapshot import Object, Snapshot

WITH_FLAGS = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler")
# Flags that name the instance itself, so that each has its own value.
OWN_VALUE = {
    "kube-apiserver": {"advertise-address", "etcd-servers", "bind-address", "peer-advertise-ip"},
    "etcd": {
        "name",
        "advertise-client-urls",
        "initial-advertise-peer-urls",
        "initial-cluster",
        "initial-cluster-state",
        "listen-client-urls",
        "listen-metrics-urls",
        "listen-peer-urls",
        "listen-client-http-urls",
    },
}
# On unless --disable-admission-plugins says otherwise (pkg/kubeapiserver/options/plugins.go, 1.36).
DEFAULT_ADMISSION = (
    "CertificateApproval",
    "CertificateSigning",
    "CertificateSubjectRestriction",
    "ClusterTrustBundleAttest",
    "DefaultIngressClass",
    "DefaultStorageClass",
    "DefaultTolerationSeconds",
    "JobValidation",
    "LimitRanger",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "NamespaceLifecycle",
    "NodeDeclaredFeatureValidator",
    "PersistentVolumeClaimResize",
    "PodGroupProtection",
    "PodGroupWorkloadExists",
    "PodResizeValidator",
    "PodSecurity",
    "PodTopologyLabels",
    "Priority",
    "ResourceQuota",
    "RuntimeClass",
    "ServiceAccount",
    "StorageObjectInUseProtection",
    "TaintNodesByCondition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
)


def flags_of(pod: Object, component: str) -> Mapping[str, str]:
    """Flag to value; a flag without a value is `true`, a repeated one keeps all values, joined by commas."""
    found: dict[str, str] = {}
    words = list(pods.arguments(pod, component))
    for index, word in enumerate(words):
        if not word.startswith("--") or word == "--":
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            following = words[index + 1] if index + 1 < len(words) else "--"
            value = "true" if following.startswith("-") else following
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


@dataclass(frozen=True, slots=True)
class Drift:
    """A flag whose value is not the same on every instance of a component."""

    component: str
    flag: str
    values: tuple[tuple[str, str | None], ...]  # node, value (None: not given)

    def to_json(self) -> dict[str, Any]:
        return {"component": self.component, "flag": self.flag, "values": dict(self.values)}


def all_flags(snapshot: Snapshot) -> dict[str, dict[str, Mapping[str, str]]]:
    """Component to node to flags."""
    return {
        component: {
            (pods.node_of(pod) or name_of(pod)): flags_of(pod, component) for pod in component_pods(snapshot, component)
        }
        for component in WITH_FLAGS
    }


def drifts(flags: Mapping[str, Mapping[str, Mapping[str, str]]]) -> tuple[Drift, ...]:
    """Every flag that differs between instances, by component and flag."""
    found = []
    for component, by_node in flags.items():
        names = {name for given in by_node.values() for name in given}
        for name in sorted(names - OWN_VALUE.get(component, set())):
            values = tuple((node, by_node[node].get(name)) for node in sorted(by_node))
            if len({value for _, value in values}) > 1:
                found.append(Drift(component, name, values))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Admission:
    """Admission plugins of the API servers: the defaults of 1.36, what flags add and take away."""

    enabled: tuple[str, ...]
    disabled: tuple[str, ...]
    known: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "known": self.known,
            "default": list(DEFAULT_ADMISSION),
            "enabledByFlag": list(self.enabled),
            "disabledByFlag": list(self.disabled),
        }


def admission(flags: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Admission:
    servers = flags.get("kube-apiserver", {}).values()
    return Admission(
        _union(given.get("enable-admission-plugins", "") for given in servers),
        _union(given.get("disable-admission-plugins", "") for given in servers),
        bool(servers),
    )


def _union(lists: Any) -> tuple[str, ...]:  # noqa: ANN401 - an iterable of comma lists
    return tuple(sorted({part for listed in lists for part in listed.split(",") if part}))


def feature_gates(snapshot: Snapshot) -> dict[str, bool]:
    """Alpha and beta gates the answering API server reports in its metrics: name to on."""
    gates: dict[str, bool] = {}
    for line in (snapshot.text(asks.METRICS) or "").splitlines():
        if line.startswith("kubernetes_feature_enabled{") and 'name="' in line:
            name = line.split('name="', 1)[1].partition('"')[0]
            gates[name] = line.rstrip().endswith(" 1")
    return gates
