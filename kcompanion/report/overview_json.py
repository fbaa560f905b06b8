"""`overview -o json`: the same screen as data, its lists bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.controlplane.nodes import Node
from kcompanion.model import resources as r
from kcompanion.model.finding import Status
from kcompanion.model.message import Message
from kcompanion.report import health
from kcompanion.report import nodes as node_views
from kcompanion.report.overview import (
    CAUSES,
    LISTED,
    WORKLOADS,
    Overview,
    leaders,
    next_commands,
    read,
    seen,
    voices,
    well_of,
)


def to_json(found: Overview, words: Callable[[Message], str]) -> dict[str, Any]:
    """The body; lists are bounded and say how much they left out."""
    pods = seen(found, r.PODS)
    severities = Counter(entry.finding.severity.value for entry in found.notable)
    return {
        "status": found.status.value,
        "namespace": found.namespace or None,
        "text": words(next(told for one, told in voices(found) if one is found.status)),
        "judged": dict(found.swept.judged),
        "causes": {"critical": severities["critical"], "warning": severities["warning"]},
        "worst": [
            {
                "code": entry.finding.code,
                "subject": entry.root,
                "severity": entry.finding.severity.value,
                "text": words(entry.finding.message),
                "next": health.explain_command(entry),
            }
            for entry in found.notable[:CAUSES]
        ],
        "controlPlane": _plane_json(found.below.plane) if found.below else None,
        "nodes": _nodes_json(found.below.nodes) if found.below else None,
        "workloads": [
            {"kind": one.kind, "count": len(items), "well": well_of(items, one, found)}
            for one in WORKLOADS
            if (items := seen(found, one))
        ],
        "notRead": [one.kind for one in (*WORKLOADS, r.PODS) if not read(found, one)],
        "pods": {
            "count": len(pods),
            "well": well_of(pods, r.PODS, found),
            "states": dict(sorted(found.states.items())),
        },
        "lately": [{**one.to_json(), "text": words(one.told)} for one in found.moments[:LISTED]],
        "latelyLeftOut": max(0, len(found.moments) - LISTED),
        "next": next_commands(found),
    }


def _plane_json(plane: ControlPlane) -> dict[str, Any]:
    quorum = plane.etcd.quorum
    return {
        "status": plane.status.value,
        "version": plane.version or None,
        "made": plane.made.name or None,
        "hosted": plane.hosted,
        "asServices": plane.services,
        "components": [
            {
                "name": component.name,
                "status": component.status.value,
                "instances": len(component.instances),
                "ready": sum(one.health.status is Status.OK for one in component.instances),
            }
            for component in plane.components
        ],
        "leaders": [{"component": leader.component, **leader.to_json()} for leader in leaders(plane)],
        "quorum": quorum.to_json() if quorum else None,
    }


def _nodes_json(nodes: Sequence[Node]) -> dict[str, Any]:
    return {
        "status": node_views.verdict(nodes)[1].value,
        "count": len(nodes),
        "ready": sum(node.ready == "True" for node in nodes),
        "fake": sum(node.fake for node in nodes),
        "items": [
            {
                "name": node.name,
                "status": node.status.value,
                "state": node.state,
                "roles": list(node.roles),
                "fake": node.fake,
                "pods": node.room.pods if node.room.known else None,
                "maxPods": node.room.max_pods,
                "heartbeatAgeSeconds": node.heartbeat.age if node.heartbeat else None,
            }
            for node in nodes[:LISTED]
        ],
        "leftOut": max(0, len(nodes) - LISTED),
    }
