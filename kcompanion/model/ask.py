"""One question to a cluster, and what came back.

A question has a key, its one-line spelling. The key is what a recording is indexed by, so the same command on
a live cluster and on a recording asks the same questions and gets the same answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from kcompanion.model.resources import Resource

_LOG = re.compile(r"/api/v1/namespaces/[^/]+/pods/[^/]+/log")


class Verb(StrEnum):
    LIST = "list"
    GET = "get"
    WATCH = "watch"  # followed from a list on; what comes is told at once and never kept
    RAW = "raw"  # a non-resource URL, answered in text
    LOCAL = "local"  # what the client knows without asking: its own certificate
    REVIEW = "review"  # access and identity reviews: POST, but nothing is stored


class Outcome(StrEnum):
    """How a question ended. Everything but OK is a gap."""

    OK = "ok"
    FORBIDDEN = "forbidden"
    ABSENT = "absent"  # the object, or the API that would hold it, does not exist
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"  # the server does not serve this (406, 405, old version)
    UNREACHABLE = "unreachable"
    UNAUTHENTICATED = "unauthenticated"
    ERROR = "error"  # the server answered with an error of its own
    NOT_ASKED = "not_asked"  # a recording does not hold it


_BY_STATUS = {
    401: Outcome.UNAUTHENTICATED,
    403: Outcome.FORBIDDEN,
    404: Outcome.ABSENT,
    405: Outcome.UNSUPPORTED,
    406: Outcome.UNSUPPORTED,
    504: Outcome.TIMEOUT,
}


def outcome_of(status: int) -> Outcome:
    """How a question ended that was answered with this HTTP status."""
    return Outcome.OK if 200 <= status < 300 else _BY_STATUS.get(status, Outcome.ERROR)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. Build it with `listing`, `getting`, `raw` or `review`."""

    verb: Verb
    resource: Resource | None = None
    namespace: str | None = None
    name: str | None = None
    selector: str = ""
    fields: str = ""  # a field selector, as the API server takes it for this resource
    path: str = ""
    server: str = ""  # another API server's own URL; empty is the one of the kubeconfig
    body: str = ""  # JSON of a review
    keep_managed_fields: bool = False
    metadata_only: bool = False  # of a LIST: names, labels and owners, without spec and status

    @property
    def key(self) -> str:
        words: list[str] = [self.verb.value]
        words.append(self.resource.name if self.resource else self.path)
        if self.namespace:
            words += ["-n", self.namespace]
        if self.name:
            words.append(self.name)
        if self.selector:
            words += ["-l", self.selector]
        if self.fields:
            words += ["--field-selector", self.fields]
        if self.server:
            words.append(f"@{self.server}")
        if self.body:
            words.append(self.body)
        if self.keep_managed_fields:
            words.append("--show-managed-fields")
        if self.metadata_only:
            words.append("--metadata-only")
        return " ".join(words)

    @property
    def right(self) -> tuple[str, str]:
        """The verb and the resource (or URL path) that RBAC must grant for this question."""
        if self.resource is None:
            path = self.path.partition("?")[0]
            return "get", "pods/log" if _LOG.fullmatch(path) else path
        verb = "create" if self.verb is Verb.REVIEW else self.verb.value
        return verb, self.resource.name


def listing(
    resource: Resource,
    namespace: str | None = None,
    selector: str = "",
    *,
    fields: str = "",
    keep_managed_fields: bool = False,
    metadata_only: bool = False,
) -> Ask:
    """All objects of a resource, in a namespace or everywhere."""
    return Ask(
        Verb.LIST,
        resource,
        namespace,
        selector=selector,
        fields=fields,
        keep_managed_fields=keep_managed_fields,
        metadata_only=metadata_only,
    )


def watching(resource: Resource, namespace: str | None = None) -> Ask:
    """Every change of a resource's objects from now on."""
    return Ask(Verb.WATCH, resource, namespace)


def getting(resource: Resource, name: str, namespace: str | None = None, *, keep_managed_fields: bool = False) -> Ask:
    """One object by name."""
    return Ask(Verb.GET, resource, namespace, name, keep_managed_fields=keep_managed_fields)


def raw(path: str, server: str = "") -> Ask:
    """A URL outside the resources (`/readyz?verbose`), optionally at one API server's own address."""
    return Ask(Verb.RAW, path=path, server=server)


def log_tail(namespace: str, pod: str, container: str, *, previous: bool, lines: int = 12) -> Ask:
    """The last lines a container wrote; `previous` is the one that ran before its last restart."""
    query = urlencode({"container": container, "previous": str(previous).lower(), "tailLines": lines})
    return raw(f"/api/v1/namespaces/{namespace}/pods/{pod}/log?{query}")


def is_log(ask: Ask) -> bool:
    return ask.verb is Verb.RAW and _LOG.fullmatch(ask.path.partition("?")[0]) is not None


def local(path: str) -> Ask:
    """Something this client knows of itself; in a recording it is what the recording client knew."""
    return Ask(Verb.LOCAL, path=path)


def review(resource: Resource, spec: Mapping[str, Any]) -> Ask:
    """A SelfSubject…Review: answered by the API server, stored nowhere."""
    return Ask(Verb.REVIEW, resource, body=json.dumps(spec, sort_keys=True, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer to one question.

    `body` is the list of objects (LIST), the object (GET, REVIEW) or the text (RAW). A list that broke off half-way
    keeps what had come, with an outcome that is not OK. `stale` marks an answer from the API server's cache, given
    when etcd could not be asked. `peer` describes the certificate of the very connection that answered.
    """

    ask: Ask
    outcome: Outcome
    status: int = 0
    detail: str = ""
    body: Any = None
    stale: bool = False
    peer: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK
