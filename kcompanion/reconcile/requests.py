"""What the controller asks of the API server, as values: who sends them, how fast and by which client is not said here.

A request knows its verb, path and payload, so that one small client serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from kcompanion.model.fields import maps_at, text_at
from kcompanion.reconcile.target import Target

JSON = "application/json"
STRATEGIC = "application/strategic-merge-patch+json"  # a plain merge patch would replace the list of owners
NAMESPACE_TERMINATING = "NamespaceTerminating"
# Of a pod just written only name and version are of interest: a third of the bytes to read.
ONES_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
METADATA = (
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"  # without spec and status
)


@dataclass(frozen=True, slots=True)
class ReadOwner:
    """The ReplicaSet as it is now, past every cache: before an adoption, and after a conflict."""

    verb: ClassVar[str] = "get"
    method: ClassVar[str] = "GET"
    content_type: ClassVar[str] = JSON
    accept: ClassVar[str] = JSON
    target: Target
    namespace: str
    name: str

    @property
    def path(self) -> str:
        return self.target.path(self.namespace, self.name)

    @property
    def payload(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class _OnPod:
    namespace: str
    name: str
    uid: str

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"


@dataclass(frozen=True, slots=True)
class AdoptPod(_OnPod):
    """Puts our reference on a pod. The uid in the patch makes it fail for another pod of the same name."""

    verb: ClassVar[str] = "patch"
    method: ClassVar[str] = "PATCH"
    content_type: ClassVar[str] = STRATEGIC
    accept: ClassVar[str] = ONES_METADATA
    reference: Mapping[str, Any]

    @property
    def payload(self) -> Mapping[str, Any]:
        return {"metadata": {"ownerReferences": [self.reference], "uid": self.uid}}


@dataclass(frozen=True, slots=True)
class ReleasePod(_OnPod):
    """Takes our reference, and only ours, off a pod."""

    verb: ClassVar[str] = "patch"
    method: ClassVar[str] = "PATCH"
    content_type: ClassVar[str] = STRATEGIC
    accept: ClassVar[str] = ONES_METADATA
    owner_uid: str

    @property
    def payload(self) -> Mapping[str, Any]:
        gone = {"$patch": "delete", "uid": self.owner_uid}
        return {"metadata": {"uid": self.uid, "ownerReferences": [gone]}}


@dataclass(frozen=True, slots=True)
class DeletePod(_OnPod):
    """With the uid as a precondition, which the built-in controller does not give: never a namesake."""

    verb: ClassVar[str] = "delete"
    method: ClassVar[str] = "DELETE"
    content_type: ClassVar[str] = JSON
    accept: ClassVar[str] = ONES_METADATA

    @property
    def payload(self) -> Mapping[str, Any]:
        return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": self.uid}}


@dataclass(frozen=True, slots=True)
class CreatePod:
    """One pod from the template. Never to be sent twice by itself: the first may have arrived."""

    verb: ClassVar[str] = "create"
    method: ClassVar[str] = "POST"
    content_type: ClassVar[str] = JSON
    accept: ClassVar[str] = ONES_METADATA
    namespace: str
    payload: Mapping[str, Any]

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """The whole object with a new status, put to the status subresource: a conflict if somebody was quicker."""

    verb: ClassVar[str] = "update"
    method: ClassVar[str] = "PUT"
    content_type: ClassVar[str] = JSON
    accept: ClassVar[str] = JSON
    target: Target
    namespace: str
    name: str
    payload: Mapping[str, Any]

    @property
    def path(self) -> str:
        return f"{self.target.path(self.namespace, self.name)}/status"


@dataclass(frozen=True, slots=True)
class ListPods:
    """The pods with certain labels as they are now, past every cache: after an answer got lost."""

    verb: ClassVar[str] = "list"
    method: ClassVar[str] = "GET"
    content_type: ClassVar[str] = JSON
    accept: ClassVar[str] = METADATA
    namespace: str
    labels: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        chosen = ",".join(f"{key}={value}" for key, value in self.labels)
        return f"/api/v1/namespaces/{self.namespace}/pods?{urlencode({'labelSelector': chosen})}"

    @property
    def payload(self) -> None:
        return None


Request = ReadOwner | ListPods | AdoptPod | ReleasePod | CreatePod | DeletePod | WriteStatus


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; code 0 when nothing did (connection lost, time-out), with the reason as the message."""

    code: int
    body: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""  # of the Status object: NotFound, Conflict, Invalid, Forbidden …
    message: str = ""
    causes: tuple[str, ...] = ()
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    @property
    def unsure(self) -> bool:
        """Whether the request may have been served all the same."""
        return self.code == 0 or self.code >= 500


def answer_of(code: int, body: object, retry_after: float | None = None) -> Answer:
    """The answer in a response of the API server; an error's words are those client-go would print."""
    found = body if isinstance(body, Mapping) else {}
    if 200 <= code < 300:
        return Answer(code, found)
    causes = tuple(text_at(cause, "reason") for cause in maps_at(found, "details", "causes"))
    message = text_at(found, "message") or f"the server answered {code}"
    return Answer(code, found, text_at(found, "reason"), message, causes, retry_after)
