"""Creating, applying, deleting, for the few commands that say they write. Nothing else in kcompanion.cluster writes.

Every write names its failure; nothing is retried, since a lost answer does not tell whether the write took place.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from kcompanion.cluster import secrets
from kcompanion.cluster.connect import Connection
from kcompanion.cluster.transport import JSON, Transport, TransportError
from kcompanion.errors import CompanionError, NotAuthenticated, Unreachable
from kcompanion.model.fields import map_at, name_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object


class NotWritten(CompanionError):
    """The API server did not do it. `status` is its HTTP status, 0 when there was no answer.

    Without an answer, and from a server that does not know us, it ends a command as Unreachable does.
    """

    def __init__(self, text: str, hint: str = "", status: int = 0) -> None:
        super().__init__(text, hint)
        self.status = status
        self.exit_code = Unreachable.exit_code if status in (0, 401) else CompanionError.exit_code


APPLY = "application/apply-patch+yaml"
MANAGER = "kcompanion"  # whose fields they are, in server-side apply
_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation"})


class Applied(StrEnum):
    """What an apply did, in kubectl's words."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"


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

    def apply(
        self, resource: Resource, item: Object, namespace: str | None = None, *, dry_run: bool = False, force: bool
    ) -> tuple[Applied, Object]:
        """Server-side apply; returns what it did (or would do) and the object as stored. `force` takes over fields
        that others manage.

        Raises:
            NotWritten: it was refused, or there was no answer.
        """
        name = name_of(item)
        failed = f"{resource.kind} {name} could not be applied"
        before = self.stored(resource, name, namespace)
        query = f"fieldManager={MANAGER}&force={str(force).lower()}" + ("&dryRun=All" if dry_run else "")
        path = f"{resource.path(namespace, name)}?{query}"
        try:
            after = self._send("PATCH", path, item, failed, content_type=APPLY)
        except NotWritten as error:
            if error.status == 409:
                raise NotWritten(error.text, "--force-conflicts takes these fields over", 409) from error
            raise
        if before is None:
            return Applied.CREATED, after
        return (Applied.UNCHANGED if _told(before) == _told(after) else Applied.CONFIGURED), after

    def stored(self, resource: Resource, name: str, namespace: str | None = None) -> Object | None:
        """The object, None if there is none.

        Raises:
            NotWritten: it cannot be read, so it is not known what a write would do.
        """
        try:
            found = self._send("GET", resource.path(namespace, name), None, f"{resource.kind} {name} could not be read")
        except NotWritten as error:
            if error.status == 404:
                return None
            raise
        return found if isinstance(found, dict) else None

    def exists(self, resource: Resource, name: str, namespace: str | None = None) -> bool:
        """Whether there is such an object; False also when that could not be read."""
        try:
            return self._transport.request(resource.path(namespace, name), timeout=self._timeout).status == 200
        except TransportError:
            return False

    def _send(self, method: str, path: str, body: Object | None, failed: str, *, content_type: str = JSON) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        try:
            response = self._transport.request(
                path, body=data, method=method, timeout=self._timeout, content_type=content_type
            )
        except TransportError as error:
            hint = "" if data is None else "whether it took place is not known"
            raise NotWritten(f"{failed}: {error.detail}", hint) from error
        try:
            answer = json.loads(response.body or b"{}")
        except ValueError:
            answer = {}
        if response.status >= 300:
            told = answer.get("message") if isinstance(answer, dict) else ""
            reason = secrets.text(" ".join(str(told or f"HTTP {response.status}").split())[:300])
            raise NotWritten(f"{failed}: {reason}", _hint(response.status), response.status)
        return answer


def _told(item: Object) -> Object:
    """An object without what the API server keeps count with."""
    meta = {key: value for key, value in map_at(item, "metadata").items() if key not in _BOOKKEEPING}
    return {**item, "metadata": meta}


def _hint(status: int) -> str:
    return {
        401: NotAuthenticated().hint,
        403: "`kcompanion doctor` tells which rights are missing",
        409: "there is one of that name already: take another name or another namespace",
        422: "the API server found the manifest wrong: `kubectl apply --dry-run=server -f FILE` says the same",
    }.get(status, "")
