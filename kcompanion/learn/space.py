"""The namespace of a run: how it is had before the first step."""

from __future__ import annotations

from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import Lesson
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
