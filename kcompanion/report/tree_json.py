"""The body of `tree -o json`: nested objects, nothing left out."""

from __future__ import annotations

from typing import Any

from kcompanion.model.events import Event
from kcompanion.ownership.names import name_parts
from kcompanion.ownership.tree import Node
from kcompanion.report.tree import Grown, verdict
from kcompanion.report.tree_view import revision


def to_json(grown: Grown) -> dict[str, Any]:
    """The trees, relations and events."""
    return {
        "status": verdict(grown)[1].value,
        "roots": [_node(root, None, None, grown) for root in grown.forest.roots],
        "relations": [edge.to_json() for edge in grown.relations or ()],
        "events": [_event(event) for event in grown.events or ()],
    }


def _node(node: Node, parent: Node | None, above: Node | None, grown: Grown) -> dict[str, Any]:
    entity, state = node.entity, grown.state(node)
    name = name_parts(entity, parent.entity if parent else None, above.entity if above else None)
    return {
        "apiVersion": entity.resource.api_version,
        "kind": entity.ref.kind,
        "namespace": entity.ref.namespace,
        "name": entity.ref.name,
        "uid": entity.uid,
        "createdAt": entity.created,
        "asked": node.asked,
        "status": state.status.value if state.status else None,
        "statusWord": state.word,
        "rootCause": state.code or None,
        "deleting": entity.deleting,
        "static": entity.mirror,
        "revision": revision(node),
        "controller": node.reference.controller if node.reference else None,
        "blockOwnerDeletion": node.reference.blocks if node.reference else None,
        "owners": [owner.to_json() for owner in node.owners],
        "nameParts": [part.to_json() for part in name.parts],
        "templateHashMatches": name.hash_matches,
        "metadataOnly": entity.bare,
        "children": [_node(child, node, parent, grown) for child in node.children],
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "namespace": event.namespace,
        "name": event.name,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "count": event.count,
        "first": event.first,
        "last": event.last,
        "reporter": event.reporter,
    }
