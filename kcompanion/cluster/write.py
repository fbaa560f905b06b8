"""Creating and deleting, for the few commands that say they write. Nothing else in kcompanion.cluster changes anything.

Every write names its failure; nothing is retried, since a lost answer does not tell whether the write took place.
"""

from __future__ import annotations

import json
from typing import Any

from kcompanion.cluster import secrets
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.transport import Transport, TransportError
from kcompanion.errors import CompanionError
from kcompanion.model.fields import name_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object


class NotWritten(CompanionError):
    """The API server did not do it. `status` is its HTTP status, 0 when there was no answer."""

    def __init__(self, text: str, hint: str = "", status: int = 0) -> None:
        super().__init__(text, hint)
        self.status = status


class Writer:
    """Writes over one connection, as the user of that connection (or the one it impersonates)."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._transport = Transport(connection)
        self._timeout = timeout

    def create(self, resource: Resource, item: Object, namespace: str | None = None) -> Object:
        """Creates an object and returns it as stored.

        Raises:
            NotWritten: it was refused, or there was no answer.
        """
        what = f"{resource.kind} {name_of(item)}"
        made = self._send("POST", resource.path(namespace), item, f"{what} could not be created")
        return made if isinstance(made, dict) else {}

    def delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        """Asks for an object's deletion, its dependents in the background; one that is gone already is fine.

        Raises:
            NotWritten: it was refused, or there was no answer.
        """
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        try:
            self._send(
                "DELETE", resource.path(namespace, name), options, f"{resource.kind} {name} could not be deleted"
            )
        except NotWritten as error:
            if error.status != 404:
                raise

    def exists(self, resource: Resource, name: str, namespace: str | None = None) -> bool:
        """Whether there is such an object; False also when that could not be read."""
        try:
            return self._transport.request(resource.path(namespace, name), timeout=self._timeout).status == 200
        except TransportError:
            return False

    def _send(self, method: str, path: str, body: Object, failed: str) -> Any:  # noqa: ANN401 - JSON
        data = json.dumps(body).encode()
        try:
            response = self._transport.request(path, body=data, method=method, timeout=self._timeout)
        except TransportError as error:
            raise NotWritten(f"{failed}: {error.detail}", "whether it took place is not known") from error
        try:
            answer = json.loads(response.body or b"{}")
        except ValueError:
            answer = {}
        if response.status >= 300:
            told = answer.get("message") if isinstance(answer, dict) else ""
            reason = secrets.text(" ".join(str(told or f"HTTP {response.status}").split())[:300])
            raise NotWritten(f"{failed}: {reason}", _hint(response.status), response.status)
        return answer


def _hint(status: int) -> str:
    return {
        403: "`kcompanion doctor` tells which rights are missing",
        409: "there is one of that name already: take another name or another namespace",
        422: "the API server found the manifest wrong: `kubectl apply --dry-run=server -f FILE` says the same",
    }.get(status, "")
