"""The controllers of the kube-controller-manager: which of them `--controllers` turns on.

Names and the ones that are off by default are those of cmd/kube-controller-manager/names/controller_names.go and
app/controllermanager.go (1.36). A controller unknown to this table but named by the flag is shown too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# name: alias that older clusters use in --controllers
CONTROLLERS: dict[str, str] = {
    "serviceaccount-token-controller": "serviceaccount-token",
    "endpoints-controller": "endpoint",
    "endpointslice-controller": "endpointslice",
    "endpointslice-mirroring-controller": "endpointslicemirroring",
    "replicationcontroller-controller": "replicationcontroller",
    "pod-garbage-collector-controller": "podgc",
    "resourcequota-controller": "resourcequota",
    "namespace-controller": "namespace",
    "serviceaccount-controller": "serviceaccount",
    "garbage-collector-controller": "garbagecollector",
    "daemonset-controller": "daemonset",
    "job-controller": "job",
    "deployment-controller": "deployment",
    "replicaset-controller": "replicaset",
    "horizontal-pod-autoscaler-controller": "horizontalpodautoscaling",
    "disruption-controller": "disruption",
    "statefulset-controller": "statefulset",
    "cronjob-controller": "cronjob",
    "certificatesigningrequest-signing-controller": "csrsigning",
    "certificatesigningrequest-approving-controller": "csrapproving",
    "certificatesigningrequest-cleaner-controller": "csrcleaner",
    "ttl-controller": "ttl",
    "bootstrap-signer-controller": "bootstrapsigner",
    "token-cleaner-controller": "tokencleaner",
    "node-ipam-controller": "nodeipam",
    "node-lifecycle-controller": "nodelifecycle",
    "taint-eviction-controller": "taint-eviction-controller",
    "persistentvolume-binder-controller": "persistentvolume-binder",
    "persistentvolume-attach-detach-controller": "attachdetach",
    "persistentvolume-expander-controller": "persistentvolume-expander",
    "clusterrole-aggregation-controller": "clusterrole-aggregation",
    "persistentvolumeclaim-protection-controller": "pvc-protection",
    "persistentvolume-protection-controller": "pv-protection",
    "ttl-after-finished-controller": "ttl-after-finished",
    "root-ca-certificate-publisher-controller": "root-ca-cert-publisher",
    "ephemeral-volume-controller": "ephemeral-volume",
    "legacy-serviceaccount-token-cleaner-controller": "legacy-service-account-token-cleaner",
    "validatingadmissionpolicy-status-controller": "validatingadmissionpolicy-status-controller",
    "resourceclaim-controller": "resource-claim-controller",
    "service-cidr-controller": "service-cidr-controller",
    "volumeattributesclass-protection-controller": "volumeattributesclass-protection-controller",
    "podcertificaterequest-cleaner-controller": "podcertificaterequest-cleaner-controller",
    "device-taint-eviction-controller": "device-taint-eviction-controller",
    "storage-version-migrator-controller": "svm",
    "storageversion-garbage-collector-controller": "storage-version-gc",
    "podgroup-protection-controller": "podgroup-protection-controller",
    "resourcepoolstatusrequest-controller": "resourcepoolstatusrequest-controller",
    "kube-apiserver-serving-clustertrustbundle-publisher-controller": "",
    "selinux-warning-controller": "selinux-warning-controller",
}
OFF_BY_DEFAULT = (
    "bootstrap-signer-controller",
    "token-cleaner-controller",
    "selinux-warning-controller",
)
# `*` names these too, but each runs only when its feature gate is on; which gates this program has is not visible.
GATED = (
    "device-taint-eviction-controller",
    "podcertificaterequest-cleaner-controller",
    "storage-version-migrator-controller",
    "storageversion-garbage-collector-controller",
    "podgroup-protection-controller",
    "resourcepoolstatusrequest-controller",
    "kube-apiserver-serving-clustertrustbundle-publisher-controller",
)
_BY_ALIAS = {alias: name for name, alias in CONTROLLERS.items() if alias}


@dataclass(frozen=True, slots=True)
class Controllers:
    """Which controllers run, by the flag of each instance; `known` is False when no flag could be read."""

    on: tuple[str, ...]
    off: tuple[str, ...]
    flag: str
    known: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "known": self.known,
            "flag": self.flag,
            "on": list(self.on),
            "off": list(self.off),
            "gated": [name for name in self.on if name in GATED],
        }


def controllers(flags: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Controllers:
    """What the instances' `--controllers` means; without the flag it is `*`: all that are on by default."""
    managers = flags.get("kube-controller-manager", {})
    if not managers:
        return Controllers((), (), "", False)
    given = sorted({by_flag.get("controllers", "*") for by_flag in managers.values()})
    on = _on(given[0])
    return Controllers(
        tuple(name for name in sorted({*CONTROLLERS, *on}) if name in on),
        tuple(name for name in CONTROLLERS if name not in on),
        given[0],
        True,
    )


def _on(flag: str) -> set[str]:
    """As IsControllerEnabled in k8s.io/controller-manager does it: the first word that names a controller counts."""
    words = [word.strip() for word in flag.split(",") if word.strip()]
    named: dict[str, bool] = {}
    for word in words:
        name = word.removeprefix("-")
        if name != "*":
            named.setdefault(_BY_ALIAS.get(name, name), not word.startswith("-"))
    by_default = {name for name in CONTROLLERS if name not in OFF_BY_DEFAULT} if "*" in words else set()
    return {name for name in by_default | set(named) if named.get(name, True)}
