"""What is known of an object's place in etcd, and what reading it back told. Never the value."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome
from kcompanion.model.fields import dig, map_at, maps_at, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.trace import storage
from kcompanion.trace.etcdkey import BUILT_IN, Envelope, Part, envelope, is_computed, parts_of


@dataclass(frozen=True)
class Place:
    """Where an object is kept. `served_by` names the Service of an aggregated API, which keeps its own store."""

    ref: Ref
    resource: Resource
    parts: Sequence[Part]
    item: Object | None
    unread: Gap | None  # why it is not known whether the object exists
    flags_seen: bool
    computed: bool = False
    served_by: str = ""
    override: str = ""

    @property
    def key(self) -> str:
        return "/".join(part.text for part in self.parts)

    @property
    def stored(self) -> bool:
        return not self.computed and not self.served_by

    @property
    def version(self) -> str:
        return text_at(self.item, "metadata", "resourceVersion")

    def to_json(self) -> dict[str, Any]:
        return {
            "object": {"kind": self.ref.kind, "namespace": self.ref.namespace or None, "name": self.ref.name},
            "key": self.key if self.stored else None,
            "parts": [{"text": part.text, "meaning": part.told.to_json()} for part in self.parts]
            if self.stored
            else [],
            "exists": None if self.unread else self.item is not None,
            "uid": text_at(self.item, "metadata", "uid") or None,
            "resourceVersion": self.version or None,
            "prefixSeen": self.flags_seen,
            "servedBy": self.served_by or None,
            "otherEtcd": self.override or None,
        }


def place(resource: Resource, name: str, namespace: str, world: World) -> Place:
    """The place of an object. What cannot be read leaves the key as it is: it follows from the names alone.

    Raises:
        NotKnown: something is not read yet.
    """
    space = namespace if resource.namespaced else ""
    wanted: NotKnown | None = None
    flags: Mapping[str, str] | None = None
    unread: Gap | None = None
    item, served_by = None, ""
    try:
        flags = storage.api_server_flags(world)
    except NotKnown as unknown:
        wanted = _if_open(unknown, world)
    try:
        item = world.get(resource, name, space)
    except NotKnown as unknown:
        wanted, unread = _if_open(unknown, world) or wanted, unknown.gap
    if resource.group not in BUILT_IN:
        try:
            served_by = _aggregated(resource, world)
        except NotKnown as unknown:
            wanted = _if_open(unknown, world) or wanted
    if wanted is not None:
        raise wanted
    return Place(
        Ref(resource.kind, name, space),
        resource,
        parts_of(resource, name, space, storage.prefix_from(flags)),
        item,
        unread,
        flags is not None,
        is_computed(resource),
        served_by,
        storage.override_of(resource, flags),
    )


def _if_open(unknown: NotKnown, world: World) -> NotKnown | None:
    """The exception, when asking may still help."""
    return unknown if unknown.gap.what in world.wanted else None


def _aggregated(resource: Resource, world: World) -> str:
    found = world.get(r.APISERVICES, f"{resource.version}.{resource.group}")
    service = map_at(found, "spec", "service")
    return f"{text_at(service, 'namespace')}/{text_at(service, 'name')}" if service else ""


# -------------------------------------------------------------------------------------- read back


@dataclass(frozen=True)
class Stored:
    """What etcd told of a key. Revisions are etcd's, size is of the value in bytes."""

    envelope: Envelope
    size: int
    created: int
    modified: int
    writes: int
    revision: int  # of the whole store, when it answered

    def to_json(self) -> dict[str, Any]:
        return {
            **self.envelope.to_json(),
            "bytes": self.size,
            "createRevision": self.created,
            "modRevision": self.modified,
            "version": self.writes,
            "etcdRevision": self.revision,
        }


def answer_of(output: bytes) -> Stored | None:
    """What etcdctl's JSON tells, without the value; None when there is no such key.

    Raises:
        ValueError: it is not that JSON.
    """
    document = json.loads(output)
    if not isinstance(document, Mapping) or "header" not in document:
        raise ValueError("not an answer of etcdctl")
    found = next(maps_at(document, "kvs"), None)
    if found is None:
        return None
    try:
        value = base64.b64decode(text_at(found, "value"), validate=True)
    except binascii.Error as error:
        raise ValueError("a value that is not base64") from error
    return Stored(
        envelope(value),
        len(value),
        _number(found.get("create_revision")),
        _number(found.get("mod_revision")),
        _number(found.get("version")),
        _number(dig(document, "header", "revision")),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


@dataclass(frozen=True)
class ReadBack:
    """The outcome of --read: what was found, or why nothing could be."""

    pod: str = ""
    command: Sequence[str] = ()
    stored: Stored | None = None
    version: str = ""  # resourceVersion read nearest to it
    absent: bool = False
    unread: str = ""  # hosted, listing, exec
    reason: str = ""
    outcome: Outcome = Outcome.ERROR  # of what could not be read

    @property
    def same(self) -> bool | None:
        """Whether mod_revision is the object's resourceVersion; None when that cannot be told."""
        return str(self.stored.modified) == self.version if self.stored and self.version else None

    def to_json(self) -> dict[str, Any]:
        return {
            "pod": self.pod or None,
            "command": list(self.command),
            "value": self.stored.to_json() if self.stored else None,
            "sameAsResourceVersion": self.same,
            "absent": self.absent,
            "unread": self.unread or None,
            "reason": self.reason or None,
        }
