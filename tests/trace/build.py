"""Small objects for the tests of kcompanion.trace."""

from __future__ import annotations

from typing import Any

from kcompanion.model.world import World
from tests.explain.casebook import world_from

NOW = "2026-11-21T10:00:00Z"
MADE = "2026-11-21T09:59:00Z"


def at(second: int) -> str:
    """A second of the minute before NOW."""
    return f"2026-11-21T09:59:{second:02}Z"


def meta(name: str, kind: str = "Pod", **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "shop", "uid": f"uid-{name}", "creationTimestamp": MADE, **more}


def owner(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]


def condition(type_: str, second: int, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": type_, "status": status, "lastTransitionTime": at(second), **more}


def pod(name: str = "web-1", *, up: bool = True, **more: Any) -> dict[str, Any]:
    """A pod of one container: created at 0, bound at 1, noticed at 2, sandbox at 4, started at 7, Ready at 9."""
    status: dict[str, Any] = {
        "phase": "Running",
        "startTime": at(2),
        "podIP": "10.0.0.7",
        "conditions": [condition("PodScheduled", 1), condition("PodReadyToStartContainers", 4), condition("Ready", 9)],
        "containerStatuses": [
            {
                "name": "web",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": at(7)}},
            }
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, labels={"app": "web"}) | more.pop("metadata", {}),
        "spec": {"nodeName": "worker", "containers": [{"name": "web", "image": "web:1"}]} | more.pop("spec", {}),
        "status": status if up else {"phase": "Pending"} | more.pop("status", {}),
        **more,
    }


def event(about: str, reason: str, second: int, message: str = "", *, kind: str = "Pod", **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{about}.{reason}.{second}.{len(message)}",
            "namespace": "shop",
            "creationTimestamp": at(second),
        },
        "involvedObject": {
            "kind": kind,
            "name": about,
            "namespace": "shop",
            "uid": more.pop("uid", f"uid-{about}"),
            "fieldPath": more.pop("path", ""),
        },
        "type": "Normal",
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": at(second),
        "lastTimestamp": at(second),
        "reportingComponent": "kubelet",
        **more,
    }


def world(*objects: dict[str, Any]) -> World:
    return world_from([{"now": NOW}, *objects])
