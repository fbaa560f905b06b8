"""The objects of a manifest, made ready to be created under our own labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kcompanion.errors import NotFound, UsageError
from kcompanion.model import discovery
from kcompanion.model.fields import map_at, maps_at, text_at
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.world import World

MANAGED_BY = "app.kubernetes.io/managed-by"
TRACE = "kcompanion.dev/trace"
HINT = "a manifest holds objects with apiVersion, kind and metadata.name, as `kubectl apply -f` takes them"


def objects(documents: Sequence[Any]) -> list[dict[str, Any]]:
    """Every object of the documents; Lists are opened.

    Raises:
        UsageError: something is no object.
    """
    found = list(_flat(documents))
    if not found:
        raise UsageError("the manifest holds no object", HINT)
    for item in found:
        if not text_at(item, "apiVersion") or not text_at(item, "kind"):
            raise UsageError("an object of the manifest has no apiVersion or kind", HINT)
        if not text_at(item, "metadata", "name"):
            raise UsageError(f"a {text_at(item, 'kind')} of the manifest has no metadata.name", HINT)
    return found


def _flat(documents: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict):
            raise UsageError("the manifest holds something that is no object", HINT)
        if document.get("kind") == "List":
            yield from _flat(list(maps_at(document, "items")))
        else:
            yield document


def resource_of(item: Mapping[str, Any], world: World) -> Resource:
    """The resource of an object, by heart or by discovery.

    Raises:
        NotFound: this cluster does not serve it.
        NotKnown: discovery was not read yet.
    """
    group, _, version = text_at(item, "apiVersion").rpartition("/")
    kind = text_at(item, "kind")
    for known in KNOWN:
        if (known.group, known.version, known.kind) == (group, version, kind):
            return known
    for root in discovery.ROOTS:
        world.ask(root)
    for ask in discovery.follow_ups(world.snapshot):
        world.ask(ask)
    for row in discovery.served(world.snapshot):
        if (row.resource.group, row.resource.kind) == (group, kind):
            one = row.resource
            return Resource(one.group, version, one.plural, one.kind, one.namespaced)
    raise NotFound(f"this cluster serves no {kind} of {group or 'v1'}", "kubectl api-resources lists what it serves")


def labelled(item: Mapping[str, Any], namespace: str, mark: str) -> dict[str, Any]:
    """The object in that namespace, with our labels beside its own."""
    meta = dict(map_at(item, "metadata"))
    labels = {**map_at(meta, "labels"), TRACE: mark}
    labels.setdefault(MANAGED_BY, "kcompanion")
    return {**item, "metadata": {**meta, "namespace": namespace, "labels": labels}}
