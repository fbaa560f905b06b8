"""The pod that a template makes (GetPodFromTemplate in pkg/controller/controller_utils.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kcompanion.model.fields import annotations_of, labels_of, map_at, texts_at
from kcompanion.reconcile.owner import ReplicaSet

NO_LABELS = "unable to create pods, no labels"
_LONGEST = 253  # of a pod's name; the server shortens what it generates to fit into 63
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*-?")


def reference_to(owner: ReplicaSet) -> Mapping[str, Any]:
    """The owner reference that makes it the controller of a pod."""
    return {
        "apiVersion": owner.target.api_version,
        "kind": owner.target.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod_from(owner: ReplicaSet) -> Mapping[str, Any] | None:
    """What to POST; None when the template has no labels, which the controller refuses.

    Of the template's metadata only labels, annotations and finalizers are copied, never a name or a namespace.
    """
    if not labels_of(owner.template):
        return None
    copied = {
        "labels": dict(labels_of(owner.template)),
        "annotations": dict(annotations_of(owner.template)),
        "finalizers": list(texts_at(owner.template, "metadata", "finalizers")),
    }
    metadata = {"generateName": _prefix(owner.name), "namespace": owner.namespace} | {
        k: v for k, v in copied.items() if v
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata | {"ownerReferences": [reference_to(owner)]},
        "spec": map_at(owner.template, "spec"),
    }


def _prefix(name: str) -> str:
    prefix = f"{name}-"
    return prefix if len(prefix) <= _LONGEST and _PREFIX.fullmatch(prefix) else name
