"""What objects have to do with each other beside owning: selectors, Services, volumes, settings, rights, scaling.

Each kind of relation is a function from the objects of a tree and the World to edges. Nothing here owns anything:
deleting one end leaves the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, maps_at, text_at
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.claim import CLAIMS, Controller
from kcompanion.ownership.owners import Entity, controller_of

_ROLE_KINDS = frozenset({"Role", "ClusterRole"})
_EVERYWHERE = "kube-root-ca.crt"  # every pod with a token mounts it, so it says nothing


class Tie(StrEnum):
    """What one object has to do with another; read from the source to the target."""

    SELECTS = "selects"
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

    def to_json(self) -> dict[str, Any]:
        return {
            "tie": self.tie.value,
            "source": self.source.subject,
            "target": self.target.subject,
            "detail": self.detail,
            "exists": self.exists,
        }


def related(
    kinds: Sequence[str], entities: Sequence[Entity], world: World
) -> tuple[tuple[Relation, ...], tuple[Gap, ...]]:
    """The relations of the kinds asked for (keys of KINDS), and what could not be read for them."""
    found: dict[Relation, None] = {}
    gaps: dict[str, Gap] = {}
    for kind in kinds:
        for entity in entities:
            if entity.bare:
                continue
            try:
                for edge in KINDS[kind](entity, world):
                    found.setdefault(edge)
            except NotKnown as unknown:
                gaps[unknown.gap.what] = unknown.gap
    return tuple(found), tuple(gaps[key] for key in sorted(gaps))


def _selectors(entity: Entity, world: World) -> Iterator[Relation]:
    """What a controller selects but does not control, and what it controls."""
    if entity.resource not in CLAIMS:
        return
    one = Controller(entity.resource, entity.item)
    for item in world.all(one.claimed, entity.ref.namespace):
        if one.takes(item):
            owner = controller_of(item)
            if entity.resource == r.DEPLOYMENTS or owner is None or owner.uid in ("", one.uid):
                yield Relation(Tie.SELECTS, entity.ref, ref_of(item, one.claimed.kind), one.selector_text)


def _services(entity: Entity, world: World) -> Iterator[Relation]:
    if entity.resource == r.PODS:
        for service in world.all(r.SERVICES, entity.ref.namespace):
            chosen = map_at(service, "spec", "selector")
            if chosen and selects({"matchLabels": chosen}, entity.labels):
                yield Relation(Tie.SERVES, ref_of(service, "Service"), entity.ref, _plain(chosen))


def _volumes(entity: Entity, world: World) -> Iterator[Relation]:
    for name, volume in _claims(entity):
        yield from _claim(entity.ref, name, volume, world)
    if entity.resource == r.PERSISTENTVOLUMECLAIMS:
        yield from _claimed(entity.item, world)


def _claims(entity: Entity) -> Iterator[tuple[str, str]]:
    """The claims a pod uses with the volume of each; a generic ephemeral volume's claim is named after both."""
    if entity.resource == r.PODS:
        for volume in maps_at(entity.item, "spec", "volumes"):
            name = text_at(volume, "name")
            if claim := text_at(volume, "persistentVolumeClaim", "claimName"):
                yield claim, name
            elif "ephemeral" in volume:
                yield f"{entity.ref.name}-{name}", name


def _claim(pod: Ref, name: str, volume: str, world: World) -> Iterator[Relation]:
    claim = world.get(r.PERSISTENTVOLUMECLAIMS, name, pod.namespace)
    yield Relation(Tie.CLAIM, pod, Ref("PersistentVolumeClaim", name, pod.namespace), volume, claim is not None)
    if claim is not None:
        yield from _claimed(claim, world)


def _claimed(claim: Object, world: World) -> Iterator[Relation]:
    ref = ref_of(claim, "PersistentVolumeClaim")
    if volume := text_at(claim, "spec", "volumeName"):
        yield Relation(Tie.BOUND, ref, Ref("PersistentVolume", volume), "", _exists(r.PERSISTENTVOLUMES, volume, world))
    if name := text_at(claim, "spec", "storageClassName"):
        yield Relation(Tie.CLASS, ref, Ref("StorageClass", name), "", _exists(r.STORAGECLASSES, name, world))


def _config(entity: Entity, world: World) -> Iterator[Relation]:
    if entity.resource == r.PODS:
        for tie, resource, name, where in _settings(entity.item):
            there = _exists(resource, name, world, entity.ref.namespace)
            yield Relation(tie, entity.ref, Ref(resource.kind, name, entity.ref.namespace), where, there)


def _settings(pod: Object) -> Iterator[tuple[Tie, Resource, str, str]]:
    """Every ConfigMap and Secret a pod names, with the container or volume that does."""
    for part in ("initContainers", "containers"):
        for container in maps_at(pod, "spec", part):
            name = text_at(container, "name")
            for source in maps_at(container, "envFrom"):
                yield from _named(Tie.ENV, source, "configMapRef", "secretRef", name)
            for variable in maps_at(container, "env"):
                yield from _named(Tie.ENV, map_at(variable, "valueFrom"), "configMapKeyRef", "secretKeyRef", name)
    for volume in maps_at(pod, "spec", "volumes"):
        name = text_at(volume, "name")
        yield from _named(Tie.MOUNTS, volume, "configMap", "secret", name)
        for source in maps_at(volume, "projected", "sources"):
            if text_at(source, "configMap", "name") != _EVERYWHERE:
                yield from _named(Tie.MOUNTS, source, "configMap", "secret", name)
    for secret in maps_at(pod, "spec", "imagePullSecrets"):
        if name := text_at(secret, "name"):
            yield Tie.PULLS, r.SECRETS, name, "imagePullSecrets"


def _named(
    tie: Tie, source: Mapping[str, Any], config: str, secret: str, where: str
) -> Iterator[tuple[Tie, Resource, str, str]]:
    if name := text_at(source, config, "name"):
        yield tie, r.CONFIGMAPS, name, where
    if name := text_at(source, secret, "name") or text_at(source, secret, "secretName"):
        yield tie, r.SECRETS, name, where


def _rbac(entity: Entity, world: World) -> Iterator[Relation]:
    """The pod's service account, and the bindings that name it itself; those of groups go to everybody."""
    if entity.resource != r.PODS:
        return
    space = entity.ref.namespace
    name = text_at(entity.item, "spec", "serviceAccountName") or "default"
    account = Ref("ServiceAccount", name, space)
    yield Relation(Tie.RUNS_AS, entity.ref, account, "", _exists(r.SERVICEACCOUNTS, name, world, space))
    for resource in (r.ROLEBINDINGS, r.CLUSTERROLEBINDINGS):
        for binding in world.all(resource, space if resource.namespaced else ""):
            if any(_is_account(subject, binding, account) for subject in maps_at(binding, "subjects")):
                ref = ref_of(binding, resource.kind)
                yield Relation(Tie.BINDS, ref, account)
                yield from _granted(binding, ref)


def _is_account(subject: Mapping[str, Any], binding: Object, account: Ref) -> bool:
    if text_at(subject, "kind") != "ServiceAccount" or text_at(subject, "name") != account.name:
        return False
    return (text_at(subject, "namespace") or text_at(binding, "metadata", "namespace")) == account.namespace


def _granted(binding: Object, ref: Ref) -> Iterator[Relation]:
    kind, name = text_at(binding, "roleRef", "kind"), text_at(binding, "roleRef", "name")
    if kind in _ROLE_KINDS and name:
        yield Relation(Tie.GRANTS, ref, Ref(kind, name, ref.namespace if kind == "Role" else ""), "", None)


def _hpa(entity: Entity, world: World) -> Iterator[Relation]:
    for scaler in world.all(r.HPAS, entity.ref.namespace) if entity.ref.namespace else ():
        target = map_at(scaler, "spec", "scaleTargetRef")
        group = text_at(target, "apiVersion").rpartition("/")[0]
        named = group, text_at(target, "kind"), text_at(target, "name")
        if named == (entity.resource.group, entity.ref.kind, entity.ref.name):
            low, high = dig(scaler, "spec", "minReplicas"), dig(scaler, "spec", "maxReplicas")
            yield Relation(Tie.SCALES, ref_of(scaler, "HorizontalPodAutoscaler"), entity.ref, f"{low or 1}–{high}")


def _pdb(entity: Entity, world: World) -> Iterator[Relation]:
    if entity.resource == r.PODS:
        for budget in world.all(r.PDBS, entity.ref.namespace):
            chosen = dig(budget, "spec", "selector")
            if selects(chosen, labels_of(entity.item)):
                yield Relation(Tie.GUARDS, ref_of(budget, "PodDisruptionBudget"), entity.ref, selector_text(chosen))


def _exists(resource: Resource, name: str, world: World, namespace: str = "") -> bool | None:
    """Whether it is there; None when nobody may look."""
    try:
        return world.get(resource, name, namespace) is not None
    except NotKnown:
        return None


def _plain(labels: Mapping[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


KINDS: Mapping[str, Callable[[Entity, World], Iterator[Relation]]] = {
    "selectors": _selectors,
    "services": _services,
    "volumes": _volumes,
    "config": _config,
    "rbac": _rbac,
    "hpa": _hpa,
    "pdb": _pdb,
}
