"""Ties between objects of which none owns the other, and what an object names by itself, without looking it up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object

_ROLE_KINDS = {resource.kind: resource for resource in (r.ROLES, r.CLUSTERROLES)}
_EVERYWHERE = "kube-root-ca.crt"  # every pod with a token mounts it, so it says nothing


class Tie(StrEnum):
    """What one object has to do with another; read from the source to the target."""

    SELECTS = "selects"
    ROUTES = "routes"
    SERVES = "serves"
    CLAIM = "claim"
    BOUND = "bound"
    CLASS = "class"
    ENV = "env"
    MOUNTS = "mounts"
    PULLS = "pulls"
    RUNS_AS = "runsAs"
    BINDS = "binds"
    GRANTS = "grants"
    SCALES = "scales"
    GUARDS = "guards"


@dataclass(frozen=True)
class Relation:
    """An edge. `exists` says of the end outside the tree whether it is there; None when that was not looked up."""

    tie: Tie
    source: Ref
    target: Ref
    detail: str = ""  # the selector, the volume, the key
    exists: bool | None = True
    gap: Gap | None = None  # why it could not be looked up

    def to_json(self) -> dict[str, Any]:
        return {
            "tie": self.tie.value,
            "source": self.source.subject,
            "target": self.target.subject,
            "detail": self.detail,
            "exists": self.exists,
        }


@dataclass(frozen=True)
class Named:
    """What an object names: of its own namespace, or cluster-wide."""

    tie: Tie
    resource: Resource
    name: str
    detail: str = ""

    def ref(self, namer: Object) -> Ref:
        return Ref(self.resource.kind, self.name, namespace_of(namer) if self.resource.namespaced else "")


def claims_of(pod: Object) -> Iterator[Named]:
    """The claims a pod uses with the volume of each; a generic ephemeral volume's claim is named after both."""
    for volume in maps_at(pod, "spec", "volumes"):
        name = text_at(volume, "name")
        if claim := text_at(volume, "persistentVolumeClaim", "claimName"):
            yield Named(Tie.CLAIM, r.PERSISTENTVOLUMECLAIMS, claim, name)
        elif "ephemeral" in volume:
            yield Named(Tie.CLAIM, r.PERSISTENTVOLUMECLAIMS, f"{name_of(pod)}-{name}", name)


def storage_of(claim: Object) -> Iterator[Named]:
    """The volume a claim is bound to, and its class."""
    if volume := text_at(claim, "spec", "volumeName"):
        yield Named(Tie.BOUND, r.PERSISTENTVOLUMES, volume)
    if name := text_at(claim, "spec", "storageClassName"):
        yield Named(Tie.CLASS, r.STORAGECLASSES, name)


def settings_of(pod: Object) -> Iterator[Named]:
    """Every ConfigMap and Secret a pod names, with the container or volume that does."""
    for part in ("initContainers", "containers"):
        for container in maps_at(pod, "spec", part):
            name = text_at(container, "name")
            for source in maps_at(container, "envFrom"):
                yield from _setting(Tie.ENV, source, "configMapRef", "secretRef", name)
            for variable in maps_at(container, "env"):
                yield from _setting(Tie.ENV, map_at(variable, "valueFrom"), "configMapKeyRef", "secretKeyRef", name)
    for volume in maps_at(pod, "spec", "volumes"):
        name = text_at(volume, "name")
        yield from _setting(Tie.MOUNTS, volume, "configMap", "secret", name)
        for source in maps_at(volume, "projected", "sources"):
            if text_at(source, "configMap", "name") != _EVERYWHERE:
                yield from _setting(Tie.MOUNTS, source, "configMap", "secret", name)
    for secret in maps_at(pod, "spec", "imagePullSecrets"):
        if name := text_at(secret, "name"):
            yield Named(Tie.PULLS, r.SECRETS, name, "imagePullSecrets")


def _setting(tie: Tie, source: Mapping[str, Any], config: str, secret: str, where: str) -> Iterator[Named]:
    if name := text_at(source, config, "name"):
        yield Named(tie, r.CONFIGMAPS, name, where)
    if name := text_at(source, secret, "name") or text_at(source, secret, "secretName"):
        yield Named(tie, r.SECRETS, name, where)


def account_of(pod: Object) -> Iterator[Named]:
    """The service account a pod runs as."""
    yield Named(Tie.RUNS_AS, r.SERVICEACCOUNTS, text_at(pod, "spec", "serviceAccountName") or "default")


def role_of(binding: Object) -> Iterator[Named]:
    """The role a binding gives."""
    resource, name = _ROLE_KINDS.get(text_at(binding, "roleRef", "kind")), text_at(binding, "roleRef", "name")
    if resource is not None and name:
        yield Named(Tie.GRANTS, resource, name)


def accounts_of(binding: Object) -> Iterator[Ref]:
    """The service accounts a binding names itself; groups of them go to everybody."""
    for subject in maps_at(binding, "subjects"):
        if text_at(subject, "kind") == "ServiceAccount":
            space = text_at(subject, "namespace") or namespace_of(binding)
            yield Ref("ServiceAccount", text_at(subject, "name"), space)


def services_of(ingress: Object) -> Iterator[Named]:
    """The Services behind an Ingress, with host and path."""
    if name := text_at(ingress, "spec", "defaultBackend", "service", "name"):
        yield Named(Tie.ROUTES, r.SERVICES, name, "*")
    for rule in maps_at(ingress, "spec", "rules"):
        for path in maps_at(rule, "http", "paths"):
            if name := text_at(path, "backend", "service", "name"):
                yield Named(Tie.ROUTES, r.SERVICES, name, f"{text_at(rule, 'host') or '*'}{text_at(path, 'path')}")


def scaled_by(scaler: Object) -> tuple[str, str, str]:
    """Group, kind and name of what a HorizontalPodAutoscaler scales."""
    target = map_at(scaler, "spec", "scaleTargetRef")
    return text_at(target, "apiVersion").rpartition("/")[0], text_at(target, "kind"), text_at(target, "name")


def bounds_of(scaler: Object) -> str:
    """Between how many a HorizontalPodAutoscaler chooses."""
    low, high = dig(scaler, "spec", "minReplicas"), dig(scaler, "spec", "maxReplicas")
    return f"{low or 1}–{high}"
