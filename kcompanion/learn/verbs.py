"""Acts as lessons write them: a verb, a name for the answer, a resource and an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompanion.learn.lesson import APPLY, JSON, MERGE, Hold, Send, Undo, Until, Wait
from kcompanion.model.resources import Resource

NS = "{ns}"
Body = Mapping[str, Any]


def create(name: str, resource: Resource, body: Body, status: int = 201, *, query: str = "", **more: Any) -> Send:  # noqa: ANN401 - fields of Send
    """POSTs an object into the lesson's namespace."""
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    path = resource.path(NS) + (f"?{query}" if query else "")
    return Send(name, "POST", path, {**head, **body}, (status,), **more)


def read(name: str, resource: Resource, item: str, **more: Any) -> Send:  # noqa: ANN401 - fields of Send
    return Send(name, "GET", resource.path(NS, item), **more)


def listed(name: str, resource: Resource, labels: str = "", **more: Any) -> Send:  # noqa: ANN401 - fields of Send
    return Send(name, "GET", _collection(resource, labels), **more)


def replace(name: str, resource: Resource, item: str, body: Body, status: int = 200) -> Send:
    """PUTs a whole object in the place of the stored one."""
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    return Send(name, "PUT", resource.path(NS, item), {**head, **body}, (status,))


def patch(
    name: str,
    resource: Resource,
    item: str,
    body: Body | list[Any],
    status: int = 200,
    *,
    content_type: str = MERGE,
    sub: str = "",
    query: str = "",
) -> Send:
    path = resource.path(NS, item) + (f"/{sub}" if sub else "") + (f"?{query}" if query else "")
    return Send(name, "PATCH", path, body, (status,), content_type)


def apply(
    name: str, resource: Resource, item: str, body: Body, *, manager: str, force: bool = False, status: int = 200
) -> Send:
    """Server-side apply, as `kubectl apply --server-side --field-manager=MANAGER`."""
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    path = f"{resource.path(NS, item)}?fieldManager={manager}&force={str(force).lower()}"
    return Send(name, "PATCH", path, {**head, **body}, (status,), APPLY, managed=True)


def delete(
    name: str, resource: Resource, item: str, *, policy: str = "Background", status: tuple[int, ...] = (200, 202)
) -> Send:
    """DELETEs an object; its dependents by the policy."""
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy}
    return Send(name, "DELETE", resource.path(NS, item), options, status)


def wait(name: str, resource: Resource, item: str, until: Until, seconds: float = 60.0, **more: Any) -> Wait:  # noqa: ANN401 - fields of Wait
    return Wait(name, resource.path(NS, item), until, seconds, **more)


def wait_all(name: str, resource: Resource, labels: str, until: Until, seconds: float = 60.0) -> Wait:
    """Waits for something to hold of a list."""
    return Wait(name, _collection(resource, labels), until, seconds)


def hold(name: str, resource: Resource, item: str, until: Until, seconds: float = 3.0) -> Hold:
    return Hold(name, resource.path(NS, item), until, seconds)


def hold_all(name: str, resource: Resource, labels: str, until: Until, seconds: float = 3.0) -> Hold:
    return Hold(name, _collection(resource, labels), until, seconds)


def removal(path: str) -> Undo:
    """The way back of a create outside the namespace."""
    return Undo("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}, JSON)


def _collection(resource: Resource, labels: str) -> str:
    return resource.path(NS) + (f"?labelSelector={labels}" if labels else "")
