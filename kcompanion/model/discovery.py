"""Which resources an API server serves, from its discovery documents.

Two documents tell everything since 1.30 (aggregated discovery). Older servers, and proxies that drop the Accept
header, list only groups; then `follow_ups` names the documents still to ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model.ask import Ask, raw
from kcompanion.model.fields import maps_at, name_of, text_at, texts_at
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Snapshot

API, APIS = raw("/api"), raw("/apis")
ROOTS = (API, APIS)


@dataclass(frozen=True, slots=True)
class Served:
    """A resource as this server serves it: one row of `kubectl api-resources`."""

    resource: Resource
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()

    def is_called(self, word: str) -> bool:
        """Whether kubectl would take `word` for this resource."""
        own = self.resource
        wanted = word.lower()
        return wanted in (own.plural, own.name, *own.in_full, self.singular, own.kind.lower(), *self.short_names)


def served(snapshot: Snapshot) -> tuple[Served, ...]:
    """Every resource of every group, in the version the server prefers; core first, then in the server's order."""
    rows: dict[tuple[str, str], Served] = {}
    for row in _all_rows(snapshot):
        rows.setdefault((row.resource.group, row.resource.plural), row)
    return tuple(rows.values())


def find(rows: Iterable[Served], word: str) -> Served | None:
    """The resource a person means by `pods`, `po`, `Pod`, `deploy` or `leases.coordination.k8s.io`."""
    return next((row for row in rows if row.is_called(word)), None)


def follow_ups(snapshot: Snapshot) -> list[Ask]:
    """The questions still open where the server did not aggregate: one per group in its preferred version."""
    asks = []
    for root in ROOTS:
        document = _document(snapshot, root)
        if document.get("kind") == "APIVersions":
            asks += [raw(f"/api/{version}") for version in texts_at(document, "versions")]
        for group in maps_at(document, "groups"):
            version = text_at(group, "preferredVersion", "groupVersion")
            versions = [version] if version else [text_at(v, "groupVersion") for v in maps_at(group, "versions")][:1]
            asks += [raw(f"/apis/{found}") for found in versions if found]
    return asks


def _all_rows(snapshot: Snapshot) -> Iterator[Served]:
    for root in ROOTS:
        for group in maps_at(_document(snapshot, root), "items"):
            for version in maps_at(group, "versions"):
                yield from _aggregated(group, version)
    for ask in follow_ups(snapshot):
        yield from _listed(_document(snapshot, ask))


def _document(snapshot: Snapshot, ask: Ask) -> Mapping[str, Any]:
    try:
        document = json.loads(snapshot.text(ask) or "{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _aggregated(group: Mapping[str, Any], version: Mapping[str, Any]) -> Iterator[Served]:
    """The rows of one group and version in an APIGroupDiscoveryList."""
    for entry in maps_at(version, "resources"):
        resource = Resource(
            name_of(group),
            text_at(version, "version"),
            text_at(entry, "resource"),
            text_at(entry, "responseKind", "kind"),
            text_at(entry, "scope") == "Namespaced",
        )
        yield _row(resource, entry, text_at(entry, "singularResource"))


def _listed(document: Mapping[str, Any]) -> Iterator[Served]:
    """The rows of an APIResourceList; `pods/log` and the like are parts, not resources."""
    group, _, version = text_at(document, "groupVersion").rpartition("/")
    for entry in maps_at(document, "resources"):
        plural = text_at(entry, "name")
        if "/" not in plural:
            resource = Resource(group, version, plural, text_at(entry, "kind"), entry.get("namespaced") is True)
            yield _row(resource, entry, text_at(entry, "singularName"))


def _row(resource: Resource, entry: Mapping[str, Any], singular: str) -> Served:
    return Served(
        resource,
        singular or resource.kind.lower(),
        texts_at(entry, "shortNames"),
        texts_at(entry, "categories"),
        texts_at(entry, "verbs"),
    )
