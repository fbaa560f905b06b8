"""Small clusters for the tests of ownership: objects by kind, nothing else exists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kcompanion.model.ask import Outcome, Reading, listing
from kcompanion.model.discovery import ROOTS
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.ownership.owners import Entity

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LONG_AGO = "2026-11-20T12:00:00Z"
Json = dict[str, Any]
WIDGETS = Resource("example.org", "v1", "widgets", "Widget")
RESOURCES = {resource.kind: resource for resource in (*KNOWN, WIDGETS)}


def thing(kind: str, name: str, namespace: str = "shop", owner: Json | None = None, **more: Any) -> Json:
    """An object; `owner` is the object that controls it."""
    labels = more.pop("labels", {})
    metadata: Json = {
        "name": name,
        "namespace": namespace if RESOURCES[kind].namespaced else "",
        "uid": more.pop("uid", f"{kind.lower()}-{name}"),
        "labels": labels,
        "creationTimestamp": more.pop("created", LONG_AGO),
        **more.pop("metadata", {}),
    }
    if owner is not None:
        metadata["ownerReferences"] = [reference(owner)]
    return {"kind": kind, "metadata": metadata, **more}


def reference(owner: Json, *, controller: bool = True, **more: Any) -> Json:
    resource = RESOURCES[owner["kind"]]
    return {
        "apiVersion": resource.api_version,
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": controller,
        "blockOwnerDeletion": True,
        **more,
    }


def pod(name: str, owner: Json | None = None, phase: str = "Running", node: str = "n1", **more: Any) -> Json:
    ready = {"type": "Ready", "status": "True" if phase == "Running" else "False", "lastTransitionTime": LONG_AGO}
    spec = more.pop("spec", {"nodeName": node, "containers": [{"name": "c"}]})
    status = {"phase": phase, "conditions": [ready]}
    return thing("Pod", name, owner=owner, spec=spec, status=status, **more)


def controller(kind: str, name: str, labels: Mapping[str, str], replicas: int = 1, **more: Any) -> Json:
    spec = {"selector": {"matchLabels": dict(labels)}, "replicas": replicas, **more.pop("spec", {})}
    spec["template"] = {"metadata": {"labels": dict(labels)}}
    return thing(kind, name, spec=spec, labels=dict(labels), **more)


def deployed(replicas: int = 2, name: str = "web") -> list[Json]:
    """A Deployment with its ReplicaSet and pods."""
    deployment = controller("Deployment", name, {"app": name}, replicas)
    hashed = {"app": name, "pod-template-hash": "5d54dbcf5f"}
    metadata = {"annotations": {"deployment.kubernetes.io/revision": "1"}}
    made = controller("ReplicaSet", f"{name}-5d54dbcf5f", hashed, replicas, owner=deployment, metadata=metadata)
    generated = {"generateName": f"{name}-5d54dbcf5f-"}
    names = [f"{name}-5d54dbcf5f-{letter * 5}" for letter in "bcdfghjklmnpqrst"[:replicas]]
    return [deployment, made, *(pod(one, made, labels=hashed, metadata=dict(generated)) for one in names)]


def world(*objects: Json, missing: Mapping[Resource, Outcome] | None = None) -> World:
    """A World in which just these objects exist, and `missing` could not be listed."""
    by_resource: dict[Resource, list[Any]] = {resource: [] for resource in RESOURCES.values()}
    for item in objects:
        by_resource[RESOURCES[item["kind"]]].append(item)
    readings = []
    for resource, items in by_resource.items():
        outcome = (missing or {}).get(resource, Outcome.OK)
        body = items if outcome is Outcome.OK else None
        readings.append(Reading(listing(resource, keep_managed_fields=True), outcome, 200, body=body))
    readings += [Reading(root, Outcome.OK, 200, body=_discovery(root.path)) for root in ROOTS]
    return World(Snapshot(NOW, readings={reading.ask.key: reading for reading in readings}))


def _discovery(path: str) -> str:
    """WIDGETS is the one resource that discovery adds to those known by heart."""
    if path == "/api":
        return '{"kind": "APIGroupDiscoveryList", "items": []}'
    return (
        '{"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "example.org"}, "versions": [{"version": '
        '"v1", "resources": [{"resource": "widgets", "responseKind": {"kind": "Widget"}, "scope": "Namespaced", '
        '"verbs": ["list", "get"]}]}]}]}'
    )


def entity(item: Json) -> Entity:
    return Entity(RESOURCES[item["kind"]], item)
