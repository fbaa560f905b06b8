"""The small objects that lessons are made with; every one starts quickly and ends at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSONObject = dict[str, Any]
RESOURCES = {"requests": {"cpu": "10m", "memory": "16Mi"}}


def container(*args: str, name: str = "app", **more: Any) -> JSONObject:  # noqa: ANN401 - JSON
    """One container of the lessons' image (agnhost); `pause` sleeps, `netexec` is a web server."""
    return {"name": name, "image": "{image}", "args": list(args or ("pause",)), "resources": RESOURCES, **more}


def pod_spec(*containers: JSONObject, **more: Any) -> JSONObject:  # noqa: ANN401 - JSON
    return {"terminationGracePeriodSeconds": 1, "containers": list(containers or (container(),)), **more}


def pod(name: str, labels: Mapping[str, str] | None = None, *containers: JSONObject, **more: Any) -> JSONObject:  # noqa: ANN401 - JSON
    meta: JSONObject = {"name": name}
    if labels:
        meta["labels"] = dict(labels)
    return {"metadata": meta, "spec": pod_spec(*containers, **more)}


def replicas(name: str, count: int, *containers: JSONObject, spec: Mapping[str, Any] | None = None) -> JSONObject:
    """What Deployments and ReplicaSets have in common: a count, a selector `app=NAME` and a template."""
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(*containers)},
            **(spec or {}),
        },
    }
