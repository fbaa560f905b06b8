"""The namespace of a run: how it is had before the first step, and how it goes after the last."""

from __future__ import annotations

from collections.abc import Iterable

from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import Lesson
from kcompanion.learn.mark import LESSON
from kcompanion.learn.protocol import Setting
from kcompanion.model import resources as r
from kcompanion.trace.manifest import MANAGED_BY


def had(lesson: Lesson, setting: Setting) -> Request:
    """Makes the run's own namespace, or looks for the one it shares."""
    if not setting.own:
        return Request("GET", r.NAMESPACES.path(None, setting.namespace))
    labels = {MANAGED_BY: "kcompanion", **lesson.labels(setting.run)}
    body = {
        "apiVersion": r.NAMESPACES.api_version,
        "kind": r.NAMESPACES.kind,
        "metadata": {"name": setting.namespace, "labels": labels},
    }
    return Request("POST", r.NAMESPACES.path(), body)


def settled(setting: Setting) -> tuple[Request, ...]:
    """What is waited for: what controllers put into a new namespace."""
    if not setting.own:
        return ()
    found = ((r.SERVICEACCOUNTS, "default"), (r.CONFIGMAPS, "kube-root-ca.crt"))
    return tuple(Request("GET", resource.path(setting.namespace, name)) for resource, name in found)


def removed(setting: Setting, collections: Iterable[str]) -> tuple[Request, ...]:
    """What the end asks: the own namespace goes with all that is in it; of a shared one, what carries the run's label.

    `collections` are the paths under which a run may have made something. What they hold is deleted one by one.
    """
    if not setting.own:
        return tuple(Request("GET", f"{one}?labelSelector={LESSON}%3D{setting.run}") for one in collections)
    path = r.NAMESPACES.path(None, setting.namespace)
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    return Request("DELETE", path, options), Request("GET", path)
