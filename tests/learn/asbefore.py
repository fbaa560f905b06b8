"""Two recordings of a cluster, compared without what changes by itself: the rest is what somebody has changed.

VOLATILE is the table that docs/lessons.*.md show to readers; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kcompanion.model.ask import Outcome, Verb
from kcompanion.model.fields import annotations_of, name_of, namespace_of
from kcompanion.model.snapshot import Snapshot

ANY = "*"
# (resource, field): a field of "" is the object as a whole. What is left out here is compared.
VOLATILE: tuple[tuple[str, str], ...] = (
    (ANY, "status"),
    (ANY, "metadata.resourceVersion"),
    (ANY, "metadata.generation"),
    (ANY, "metadata.managedFields"),
    ("leases.coordination.k8s.io", ""),
    ("events", ""),
    ("certificatesigningrequests.certificates.k8s.io", ""),
    ("csinodes.storage.k8s.io", "metadata.annotations"),
    ("endpointslices.discovery.k8s.io", "metadata.annotations"),
    ("endpointslices.discovery.k8s.io", "endpoints"),
    ("endpoints", "metadata.annotations"),
    ("endpoints", "subsets"),
)
# A mirror pod is the kubelet's copy of a file: it is made anew, as another object, whenever it is deleted.
MIRROR = "kubernetes.io/config.mirror"
MADE_ANEW = ("metadata.uid", "metadata.creationTimestamp", "metadata.annotations.kubernetes.io/config.seen")

Objects = Mapping[str, Mapping[str, Any]]


def objects(snapshot: Snapshot, of_others: Callable[[str], bool]) -> Objects:
    """What is kept of every object, by `RESOURCE NAMESPACE/NAME`; namespaces of others and what is in them are not."""
    found: dict[str, Mapping[str, Any]] = {}
    for reading in snapshot.readings.values():
        ask = reading.ask
        if ask.verb is not Verb.LIST or ask.resource is None or reading.outcome is not Outcome.OK:
            continue
        resource = ask.resource.name
        for item in reading.body:
            space = name_of(item) if resource == "namespaces" else namespace_of(item)
            if (resource, "") not in VOLATILE and not (space and of_others(space)):
                found[f"{resource} {namespace_of(item)}/{name_of(item)}"] = kept(resource, item)
    return found


def kept(resource: str, item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object without its volatile fields."""
    dropped = [field for which, field in VOLATILE if which in (ANY, resource)]
    for field in (*dropped, *(MADE_ANEW if MIRROR in annotations_of(item) else ())):
        item = _without(item, field.split(".", 2))  # an annotation's name has dots of its own
    return item


def _without(item: Mapping[str, Any], path: list[str]) -> Mapping[str, Any]:
    head, *rest = path
    inner = item.get(head)
    if not rest:
        return {key: value for key, value in item.items() if key != head}
    return {**item, head: _without(inner, rest)} if isinstance(inner, Mapping) else item


def differences(before: Objects, after: Objects) -> Iterator[str]:
    """What came, what went and which fields are others now, each in a line."""
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"gone: {name}"
        elif name not in before:
            yield f"left behind: {name}"
        else:
            yield from (f"changed: {name}: {field}" for field in _changed(before[name], after[name]))


def _changed(before: Any, after: Any, path: str = "") -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _changed(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif before != after:
        yield f"{path}: {before!r} → {after!r}"
