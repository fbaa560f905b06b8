"""The topmost owners, one row each, with what hangs on them counted: what two reports are compared by."""

from __future__ import annotations

from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, maps_at, text_at
from kcompanion.model.finding import worst
from kcompanion.model.snapshot import Object
from kcompanion.ownership.tree import Node
from kcompanion.report.tree import Grown


def owners(grown: Grown) -> list[dict[str, Any]]:
    """Every topmost owner with its state, images, and how many pods hang on it and fail."""
    return [_row(root, grown) for root in grown.forest.roots]


def _row(root: Node, grown: Grown) -> dict[str, Any]:
    below = list(root.walk())
    pods = [node for node in below if node.entity.resource == r.PODS]
    statuses = [status for node in below if (status := grown.state(node).status) is not None]
    ref = root.entity.ref
    return {
        "kind": ref.kind,
        "namespace": ref.namespace or None,
        "name": ref.name,
        "state": grown.state(root).word or None,
        "status": worst(statuses).value if statuses else "unknown",
        "images": images(root.entity.item),
        "objects": len(below),
        "pods": len(pods),
        "failing": sum(grown.state(node).bad for node in below),
        "codes": sorted({code for node in below if (code := grown.state(node).code)}),
    }


def images(item: Object) -> list[str]:
    """The images of a pod or of the template of its owner."""
    job = ("spec", "jobTemplate", "spec", "template", "spec")
    for path in (("spec", "template", "spec"), job, ("spec",)):
        if isinstance(dig(item, *path, "containers"), list):
            return [text_at(one, "image") for one in maps_at(item, *path, "containers")]
    return []
