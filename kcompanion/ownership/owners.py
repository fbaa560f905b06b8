"""Owner references and the objects they name: found, gone, re-created under another uid, or out of reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from kcompanion.model import discovery
from kcompanion.model.ask import Outcome
from kcompanion.model.fields import annotations_of, labels_of, maps_at, name_of, namespace_of, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World

# The kubelet sets it on the object that stands for a static pod (pkg/kubelet/types/constants.go).
MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of `metadata.ownerReferences`."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool
    blocks: bool  # blockOwnerDeletion: a foreground deletion of the owner waits for this object

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


def references_of(item: Object) -> tuple[Reference, ...]:
    """The owner references of an object, the controller's first."""
    found = [
        Reference(
            text_at(entry, "apiVersion"),
            text_at(entry, "kind"),
            text_at(entry, "name"),
            text_at(entry, "uid"),
            entry.get("controller") is True,
            entry.get("blockOwnerDeletion") is True,
        )
        for entry in maps_at(item, "metadata", "ownerReferences")
    ]
    return tuple(sorted(found, key=lambda reference: not reference.controller))


def controller_of(item: Object) -> Reference | None:
    """The reference to the controller; the API server allows one at most."""
    return next((reference for reference in references_of(item) if reference.controller), None)


@dataclass(frozen=True)
class Entity:
    """An object of the graph; `bare` is one of which only the metadata was read."""

    resource: Resource
    item: Object
    bare: bool = False

    @cached_property
    def ref(self) -> Ref:
        return Ref(self.resource.kind, name_of(self.item), namespace_of(self.item))

    @cached_property
    def uid(self) -> str:
        return text_at(self.item, "metadata", "uid")

    @property
    def labels(self) -> dict[str, Any]:
        return dict(labels_of(self.item))

    @property
    def created(self) -> str:
        return text_at(self.item, "metadata", "creationTimestamp")

    @property
    def deleting(self) -> bool:
        return bool(text_at(self.item, "metadata", "deletionTimestamp"))

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        return references_of(self.item)

    @property
    def mirror(self) -> bool:
        """Whether it is a pod that stands for a static pod of its node."""
        return self.resource.kind == "Pod" and MIRROR in annotations_of(self.item)


class State(StrEnum):
    """What became of an owner that a reference names."""

    FOUND = "found"
    GONE = "gone"
    RECREATED = "recreated"  # the name is there again, with another uid: not the owner that was meant
    WRONG_NAMESPACE = "wrongNamespace"
    UNKNOWN_KIND = "unknownKind"  # this server serves no such kind
    UNREADABLE = "unreadable"


# Owners that surely do not look after what names them.
BROKEN = frozenset({State.GONE, State.RECREATED, State.WRONG_NAMESPACE, State.UNKNOWN_KIND})


@dataclass(frozen=True)
class Owner:
    """A reference with what was found behind it."""

    reference: Reference
    state: State
    entity: Entity | None = None  # the owner; for RECREATED and WRONG_NAMESPACE what was found instead
    gap: Gap | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "apiVersion": self.reference.api_version,
            "kind": self.reference.kind,
            "name": self.reference.name,
            "uid": self.reference.uid,
            "controller": self.reference.controller,
            "blockOwnerDeletion": self.reference.blocks,
            "state": self.state.value,
            "foundIn": self.entity.ref.namespace if self.entity and self.state is State.WRONG_NAMESPACE else None,
        }


def served(world: World) -> Sequence[discovery.Served]:
    """Every resource this server serves.

    Raises:
        NotKnown: discovery was not read, or not answered.
    """
    unknown: NotKnown | None = None
    for root in discovery.ROOTS:  # both in one round
        try:
            world.ask(root)
        except NotKnown as missing:
            unknown = missing
    if unknown is not None:
        raise unknown
    for ask in discovery.follow_ups(world.snapshot):
        if world.snapshot.reading(ask).outcome is Outcome.NOT_ASKED:
            world.ask(ask)
    return world.snapshot.once(discovery.served)


def resource_of(reference: Reference, world: World) -> Resource | None:
    """The resource of the kind a reference names; None when this server serves none.

    Raises:
        NotKnown: it is none we know by heart, and discovery was not read or not answered.
    """
    named = reference.group, reference.kind
    known = next((one for one in KNOWN if (one.group, one.kind) == named), None)
    if known is not None:
        return known
    return next((row.resource for row in served(world) if (row.resource.group, row.resource.kind) == named), None)


def owners(entity: Entity, world: World) -> tuple[Owner, ...]:
    """The owners of an object, the controller first; what could not be read is UNREADABLE."""
    return tuple(_owner(entity, reference, world) for reference in entity.references)


def _owner(entity: Entity, reference: Reference, world: World) -> Owner:
    try:
        return _resolved(entity, reference, world)
    except NotKnown as unknown:
        return Owner(reference, State.UNREADABLE, gap=unknown.gap)


def _resolved(entity: Entity, reference: Reference, world: World) -> Owner:
    """An owner is looked for where the garbage collector looks: in the object's own namespace, or cluster-wide."""
    resource = resource_of(reference, world)
    if resource is None:
        return Owner(reference, State.UNKNOWN_KIND)
    space = entity.ref.namespace
    if resource.namespaced and not space:  # what has no namespace cannot be owned by what has one
        return _elsewhere(reference, resource, world) or Owner(reference, State.WRONG_NAMESPACE)
    found = by_name(resource, reference.name, space, world)
    if found is not None and found.uid == reference.uid:
        return Owner(reference, State.FOUND, found)
    if resource.namespaced and (other := _elsewhere(reference, resource, world)):
        return other
    return Owner(reference, State.RECREATED, found) if found is not None else Owner(reference, State.GONE)


def by_name(resource: Resource, name: str, namespace: str, world: World) -> Entity | None:
    """An object, whole where it can be had, else its metadata from a list; None when there is surely none.

    Raises:
        NotKnown: neither was read, or could be.
    """
    try:
        item = world.get(resource, name, namespace)
        return None if item is None else Entity(resource, item)
    except NotKnown as unknown:
        if unknown.gap.outcome is not Outcome.NOT_ASKED or unknown.gap.what not in world.snapshot.readings:
            raise
    # a recording of the whole cluster keeps custom resources as metadata only
    rows = world.metadata(resource, namespace)
    return next((Entity(resource, row, bare=True) for row in rows if name_of(row) == name), None)


def _elsewhere(reference: Reference, resource: Resource, world: World) -> Owner | None:
    """The owner in another namespace, where it does not count; None when it is nowhere, or nobody may look."""
    try:
        rows = world.metadata(resource)
    except NotKnown:
        return None
    found = next((row for row in rows if text_at(row, "metadata", "uid") == reference.uid), None)
    if found is None:
        return None
    return Owner(reference, State.WRONG_NAMESPACE, Entity(resource, found, bare=True))
