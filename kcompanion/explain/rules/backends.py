"""What stands behind Services: pods by label and ready addresses, looked up once for a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.memo import per_world
from kcompanion.explain.pod import Pod
from kcompanion.explain.rules.shortage import number
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, maps_at, text_at
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.world import World

Labels = Mapping[str, Any]
_SERVICE = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that makes pods from a template."""

    ref: Ref
    labels: Labels
    wanted: int


def pairs_of(labels: Labels) -> list[tuple[str, str]]:
    """Labels as keys of an index."""
    return sorted((str(key), str(value)) for key, value in labels.items())


@per_world
def pods_by_label(world: World, space: str) -> Mapping[tuple[str, str], Sequence[Pod]]:
    """The pods of a namespace by each of their labels."""
    found: dict[tuple[str, str], list[Pod]] = {}
    for item in world.all(r.PODS, space):
        pod = Pod(item)
        for pair in pairs_of(labels_of(item)):
            found.setdefault(pair, []).append(pod)
    return found


def selected(world: World, space: str, selector: Labels) -> Sequence[Pod]:
    """The pods of a namespace with all these labels, by way of the rarest of them."""
    index = pods_by_label(world, space)
    rarest = min((index.get(pair, ()) for pair in pairs_of(selector)), key=len, default=())
    return [pod for pod in rarest if has_all(labels_of(pod.raw), selector)]


def has_all(labels: Labels, selector: Labels) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


@per_world
def addresses(world: World, space: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The endpoints of each Service of a namespace, ready or not."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in world.all(r.ENDPOINTSLICES, space):
        found.setdefault(str(labels_of(one).get(_SERVICE, "")), []).extend(maps_at(one, "endpoints"))
    return found


def ready_addresses(world: World, service: str, space: str) -> Sequence[Mapping[str, Any]]:
    """The endpoints of a Service that are ready; no `ready` means ready (discovery/v1 EndpointConditions)."""
    return [one for one in addresses(world, space).get(service, ()) if dig(one, "conditions", "ready") is not False]


_TEMPLATES = (r.DEPLOYMENTS, r.STATEFULSETS, r.DAEMONSETS, r.REPLICASETS, r.COMPANIONREPLICASETS)


@per_world
def workloads(world: World, space: str) -> Sequence[Workload]:
    """Everything in a namespace that makes long-running pods, without what a Deployment controls."""
    return [one for resource in _TEMPLATES for one in _of(world, resource, space)]


def _of(world: World, resource: Resource, space: str) -> Iterator[Workload]:
    for item in world.all(resource, space):
        if any(True for _ in maps_at(item, "metadata", "ownerReferences")):
            continue
        path = ("status", "desiredNumberScheduled") if resource is r.DAEMONSETS else ("spec", "replicas")
        wanted = number(item, *path, default=0 if resource is r.DAEMONSETS else 1)
        yield Workload(ref_of(item, resource.kind), map_at(item, "spec", "template", "metadata", "labels"), wanted)


def live(pod: Pod) -> bool:
    """Whether a pod may serve: neither done nor being deleted."""
    return pod.phase not in ("Succeeded", "Failed") and not pod.deleted_at


def owner_of(pod: Pod) -> Ref | None:
    """The controller of a pod."""
    for one in maps_at(pod.raw, "metadata", "ownerReferences"):
        if one.get("controller") is True:
            return Ref(text_at(one, "kind"), text_at(one, "name"), pod.namespace)
    return None
