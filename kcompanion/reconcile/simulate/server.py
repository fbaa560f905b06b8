"""An API server in memory, as much of one as the core's requests can tell from a real one.

It keeps uids, versions and generations, knows preconditions, strategic merge of owner references, conflicts of the
status and a quota of pods, and tells every change to whoever watches. Objects are never changed, only replaced, so
that a copy of it all is cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kcompanion.model.fields import dig, labels_of, map_at, maps_at, name_of, text_at
from kcompanion.reconcile.expectations import Kept
from kcompanion.reconcile.moments import api_time
from kcompanion.reconcile.owner import replicaset_of
from kcompanion.reconcile.pod import pod_of, version_of
from kcompanion.reconcile.requests import (
    AdoptPod,
    Answer,
    CreatePod,
    DeletePod,
    ListPods,
    ReadOwner,
    ReleasePod,
    Request,
    WriteStatus,
)
from kcompanion.reconcile.target import Key, Target

Json = Mapping[str, Any]


class Type(StrEnum):
    """What a watch says of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a watch."""

    type: Type
    item: Json


@dataclass(slots=True)
class Server:
    """The stored objects, and the changes that a watch has yet to deliver."""

    target: Target
    now: int = 0
    version: int = 0
    made: int = 0  # objects so far; names and uids come from it
    quota: int | None = None  # most pods of a namespace
    graceful: bool = False  # whether a pod that is deleted lingers until its kubelet is done
    pods: dict[Key, Json] = field(default_factory=dict)
    owners: dict[Key, Json] = field(default_factory=dict)
    undelivered: dict[Kept, list[Change]] = field(default_factory=lambda: {"pods": [], "owners": []})

    def copy(self) -> Server:
        return Server(
            self.target,
            self.now,
            self.version,
            self.made,
            self.quota,
            self.graceful,
            dict(self.pods),
            dict(self.owners),
            {kept: list(changes) for kept, changes in self.undelivered.items()},
        )

    # ------------------------------------------------------------------------ what anybody may do

    def put(self, kept: Kept, item: Json, type_: Type | None = None) -> Json:
        """Stores an object under a new version and tells the watch."""
        self.version += 1
        stored = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
        place = self.pods if kept == "pods" else self.owners
        key = _key(stored)
        told = type_ or (Type.MODIFIED if key in place else Type.ADDED)
        if told is Type.DELETED:
            del place[key]
        else:
            place[key] = stored
        self.undelivered[kept].append(Change(told, stored))
        return stored

    def add_owner(self, key: Key, spec: Json, controller: Json | None = None) -> Json:
        metadata = {"namespace": key.namespace, "name": key.name, "uid": self._uid(key.name), "generation": 1}
        owners = {"ownerReferences": [controller]} if controller else {}
        return self.put("owners", {"metadata": metadata | owners, "spec": spec, "status": {"replicas": 0}})

    def change_spec(self, key: Key, **values: Any) -> Json:  # noqa: ANN401 - JSON
        item = self.owners[key]
        metadata = {**item["metadata"], "generation": item["metadata"]["generation"] + 1}
        return self.put("owners", {**item, "metadata": metadata, "spec": {**item["spec"], **values}})

    def add_pod(self, item: Json) -> Json:
        """A pod; without a name it gets one from generateName."""
        metadata = dict(item["metadata"])
        name = text_at(metadata, "name") or text_at(metadata, "generateName")
        uid = self._uid(name.rstrip("-"))
        metadata |= {"name": metadata.get("name") or name + _suffix(self.made), "uid": uid}
        metadata |= {"creationTimestamp": api_time(self.now)}
        return self.put("pods", {**item, "metadata": metadata, "status": {"phase": "Pending"}})

    def change_pod(self, key: Key, change: Callable[[dict[str, Any]], None]) -> Json:
        """Lets `change` work on a copy of the pod's metadata, spec and status."""
        item = self.pods[key]
        copy = {**item, **{part: dict(map_at(item, part)) for part in ("metadata", "spec", "status")}}
        change(copy)
        return self.put("pods", copy)

    def remove_pod(self, key: Key) -> Json:
        """At once, as when its kubelet is done with it."""
        return self.put("pods", self.pods[key], Type.DELETED)

    def delete_pod(self, key: Key) -> Json:
        """As `kubectl delete` does: a pod on a node gets its time to end, another is gone at once."""
        item = self.pods[key]
        if not self.graceful or not text_at(item, "spec", "nodeName"):
            return self.remove_pod(key)
        if text_at(item, "metadata", "deletionTimestamp"):
            return item
        metadata = {**item["metadata"], "deletionTimestamp": api_time(self.now)}
        return self.put("pods", {**item, "metadata": metadata})

    # ---------------------------------------------------------------------- what the core asks for

    def answer(self, request: Request) -> Answer:
        """Serves a request as a real API server would."""
        match request:
            case ReadOwner():
                return self._read(request)
            case ListPods():
                return self._list(request)
            case CreatePod():
                return self._create(request)
            case DeletePod():
                return self._delete(request)
            case WriteStatus():
                return self._write(request)
            case AdoptPod() | ReleasePod():
                return self._patch(request)

    def _read(self, request: ReadOwner) -> Answer:
        item = self.owners.get(Key(request.namespace, request.name))
        return Answer(200, item) if item else _not_found(f"{self.target.name} {request.name!r}")

    def _list(self, request: ListPods) -> Answer:
        wanted = dict(request.labels).items()
        items = [p for k, p in self.pods.items() if k.namespace == request.namespace and wanted <= labels_of(p).items()]
        return Answer(200, {"items": items, "metadata": {"resourceVersion": str(self.version)}})

    def _create(self, request: CreatePod) -> Answer:
        used = sum(key.namespace == request.namespace for key in self.pods)
        if self.quota is not None and used >= self.quota:
            told = f"exceeded quota: pods, requested: pods=1, used: pods={used}, limited: pods={self.quota}"
            name = f"{request.payload['metadata']['generateName']}{_suffix(self.made + 1)}"
            return Answer(403, reason="Forbidden", message=f'pods "{name}" is forbidden: {told}')
        return Answer(201, self.add_pod(request.payload))

    def _delete(self, request: DeletePod) -> Answer:
        key = Key(request.namespace, request.name)
        item = self.pods.get(key)
        if item is None:
            return _not_found(f'pods "{request.name}"')
        if item["metadata"]["uid"] != request.uid:
            return _conflict(f"the UID in the precondition ({request.uid}) does not match")
        return Answer(200, self.delete_pod(key))

    def _patch(self, request: AdoptPod | ReleasePod) -> Answer:
        key = Key(request.namespace, request.name)
        item = self.pods.get(key)
        if item is None:
            return _not_found(f'pods "{request.name}"')
        if item["metadata"]["uid"] != request.uid:
            return _invalid("metadata.uid: field is immutable")
        references = _merged(
            maps_at(item, "metadata", "ownerReferences"), request.payload["metadata"]["ownerReferences"]
        )
        if sum(reference.get("controller") is True for reference in references) > 1:
            return _invalid("Only one reference can have Controller set to true")
        if references == list(maps_at(item, "metadata", "ownerReferences")):
            return Answer(200, item)
        return Answer(200, self.put("pods", {**item, "metadata": {**item["metadata"], "ownerReferences": references}}))

    def _write(self, request: WriteStatus) -> Answer:
        key = Key(request.namespace, request.name)
        item = self.owners.get(key)
        if item is None:
            return _not_found(f"{self.target.name} {request.name!r}")
        if version_of(request.payload) != version_of(item):
            return _conflict(
                "the object has been modified; please apply your changes to the latest version and try again"
            )
        return Answer(200, self.put("owners", {**item, "status": request.payload["status"]}))

    # -------------------------------------------------------------------------- what is to be seen

    def active_pods(self, key: Key) -> list[Json]:
        """The active pods that name this ReplicaSet as their controller, as they really are."""
        uid = dig(self.owners.get(key), "metadata", "uid")
        return [
            item
            for item in self.pods.values()
            if (pod := pod_of(item)).active and pod.controller and pod.controller.uid == uid
        ]

    def replicas(self, key: Key) -> int:
        return replicaset_of(self.target, self.owners[key]).replicas

    def _uid(self, name: str) -> str:
        self.made += 1
        return f"{name}#{self.made}"


def _merged(old: Any, patches: Any) -> list[Json]:  # noqa: ANN401 - JSON
    """A strategic merge of owner references, whose merge key is the uid."""
    found = {reference["uid"]: reference for reference in old}
    for patch in patches:
        if patch.get("$patch") == "delete":
            found.pop(patch["uid"], None)
        else:
            found[patch["uid"]] = {**found.get(patch["uid"], {}), **patch}
    return list(found.values())


_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # those the API server makes names of: no words come of them


def _suffix(number: int) -> str:
    """Five letters, never the same twice."""
    letters = ""
    for place in range(5):
        letters += _LETTERS[(number * 7 + place * 11 + number // len(_LETTERS) ** place) % len(_LETTERS)]
    return letters


def _key(item: Json) -> Key:
    return Key(item["metadata"]["namespace"], name_of(item))


def _not_found(what: str) -> Answer:
    return Answer(404, reason="NotFound", message=f"{what} not found")


def _conflict(message: str) -> Answer:
    return Answer(409, reason="Conflict", message=message)


def _invalid(message: str) -> Answer:
    return Answer(422, reason="Invalid", message=message)
