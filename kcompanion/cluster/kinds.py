"""Kinds that a lesson brought to the cluster: deleting one deletes every object of it, so first: whose are they?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kcompanion.learn.mark import LESSON
from kcompanion.model import resources as r
from kcompanion.model.fields import labels_of, maps_at, name_of, namespace_of, text_at

SHOWN = 3  # of the objects of others


def is_kind(path: str) -> bool:
    """Whether a request is about CustomResourceDefinitions."""
    return path.startswith(r.CRDS.path())


def objects_of(kind: Mapping[str, Any]) -> str:
    """The collection of all objects of a kind."""
    versions = [text_at(one, "name") for one in maps_at(kind, "spec", "versions") if one.get("served") is True]
    group, plural = text_at(kind, "spec", "group"), text_at(kind, "spec", "names", "plural")
    return f"/apis/{group}/{versions[0]}/{plural}" if versions else ""


def used_by(kind: Mapping[str, Any], objects: Iterable[Mapping[str, Any]]) -> str:
    """Who else uses a kind that a lesson made: whoever has objects of it, or has changed it since; else nobody."""
    run = labels_of(kind).get(LESSON)
    others = sorted(f"{namespace_of(one)}/{name_of(one)}" for one in objects if labels_of(one).get(LESSON) != run)
    writers = [text_at(one, "manager") for one in maps_at(kind, "metadata", "managedFields") if _writes(one)]
    return ", ".join(others[:SHOWN] or (sorted(writers) if len(writers) > 1 else ()))


def _writes(entry: Mapping[str, Any]) -> bool:
    """Whether it is about what somebody wants; the status is the API server's own."""
    return not entry.get("subresource")


def handed_over(objects: Iterable[Mapping[str, Any]], run: str | None) -> dict[str, Any]:
    """The patch that gives a kind to another lesson that uses it, or to nobody: then it stays."""
    runs = sorted({str(labels_of(one)[LESSON]) for one in objects if labels_of(one).get(LESSON) not in (None, run)})
    return {"metadata": {"labels": {LESSON: runs[0] if runs else None}}}
