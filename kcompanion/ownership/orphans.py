"""Objects without a controller that looks after them, and why: made by hand, set free, left behind, owner gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, labels_of, map_at, name_of, namespace_of, text_at
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.selectors import selects
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.claim import Controller, claim, controllers_in
from kcompanion.ownership.names import HASH_LABEL
from kcompanion.ownership.owners import Entity, Owner, State, controller_of, owners
from kcompanion.ownership.pool import everything
from kcompanion.ownership.written import Write, label_writer, writers
from kcompanion.reconcile.claims import Claim

# Kinds that usually have a controller.
EXAMINED = (r.PODS, r.REPLICASETS, r.JOBS)
_SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_ORDINAL = re.compile(r"(.*)-[0-9]+")
# Labels that only controllers put on what they make, and the kind that does.
_MARKS = (
    ("statefulset.kubernetes.io/pod-name", "StatefulSet"),
    ("batch.kubernetes.io/job-name", "Job"),
    (HASH_LABEL, "ReplicaSet"),
    ("controller-revision-hash", "DaemonSet"),
)


class Sort(StrEnum):
    """Why an object has no controller."""

    GONE = "gone"
    RECREATED = "recreated"
    WRONG_NAMESPACE = "wrongNamespace"
    UNKNOWN_KIND = "unknownKind"
    ADOPTABLE = "adoptable"  # a controller would take it at once
    RELEASED = "released"  # its labels no longer fit the controller that made it
    LEFT = "left"  # its controller was deleted and it was not: with --cascade=orphan, or because it was let go before
    UNCONTROLLED = "uncontrolled"  # owned, but by nobody who counts it
    BARE = "bare"  # made without a controller
    STATIC = "static"  # kubelet looks after it


# What somebody should look at; the others are meant to be so, or usually are.
FAULTS = frozenset({*Sort} - {Sort.UNCONTROLLED, Sort.BARE, Sort.STATIC})
_BY_STATE = {
    State.GONE: Sort.GONE,
    State.RECREATED: Sort.RECREATED,
    State.WRONG_NAMESPACE: Sort.WRONG_NAMESPACE,
    State.UNKNOWN_KIND: Sort.UNKNOWN_KIND,
}


@dataclass(frozen=True)
class Orphan:
    """An object without a working tie to a controller."""

    entity: Entity
    sort: Sort
    owner: Owner | None = None  # the reference that leads nowhere
    maker: Ref | None = None  # the controller that made it, as far as can be told
    maker_exists: bool = False
    differing: tuple[tuple[str, str, str], ...] = ()  # label, wanted by the selector, found ("" is missing)
    write: Write | None = None  # who wrote the differing label last; of what was left, any label beside its maker
    adopters: tuple[Ref, ...] = ()
    replacement: Ref | None = None  # the youngest that its maker has made since

    def to_json(self) -> dict[str, Any]:
        ref = self.entity.ref
        return {
            "kind": ref.kind,
            "namespace": ref.namespace,
            "name": ref.name,
            "uid": self.entity.uid,
            "createdAt": self.entity.created,
            "sort": self.sort.value,
            "fault": self.sort in FAULTS,
            "owner": self.owner.to_json() if self.owner else None,
            "maker": self.maker.subject if self.maker else None,
            "makerExists": self.maker_exists if self.maker else None,
            "differingLabels": [
                {"key": key, "wanted": wanted, "found": found} for key, wanted, found in self.differing
            ],
            "lastWrite": self.write.to_json() if self.write else None,
            "adopters": [one.subject for one in self.adopters],
            "replacement": self.replacement.subject if self.replacement else None,
        }


def orphans(entities: Sequence[Entity], world: World) -> tuple[tuple[Orphan, ...], tuple[Gap, ...]]:
    """The orphans among the given objects, and what could not be read to tell."""
    found: list[Orphan] = []
    gaps: dict[str, Gap] = {}
    known = _Controllers(world)
    for entity in entities:
        try:
            orphan = _judged(entity, world, known)
        except NotKnown as unknown:
            gaps[unknown.gap.what] = unknown.gap
            continue
        if orphan is not None:
            found.append(orphan)
    return tuple(found), tuple(gaps[key] for key in sorted(gaps))


def examined(namespace: str, world: World, *, every: bool = False) -> tuple[list[Entity], list[Gap]]:
    """The objects of a namespace (or of all) that should have an owner, or name one; `every` looks at all kinds."""
    entities: list[Entity] = []
    gaps: list[Gap] = []
    for resource in EXAMINED:
        try:
            entities += [Entity(resource, item) for item in world.all(resource, namespace)]
        except NotKnown as unknown:
            gaps.append(unknown.gap)
    if every:
        more, missed = _everything(namespace, world)
        known = {entity.uid for entity in entities}
        entities += [entity for entity in more if entity.uid not in known and entity.references]
        gaps += missed
    return entities, gaps


def _everything(namespace: str, world: World) -> tuple[list[Entity], list[Gap]]:
    found = everything(namespace, world)
    return list(found.entities), list(found.gaps)


class _Controllers:
    """The controllers of each namespace, gathered and indexed once for all objects in it.

    Raises:
        NotKnown: (from its methods) a kind of controller could not be listed.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._found: dict[tuple[str, Resource], dict[tuple[str, str], list[Controller]]] = {}

    def that_may_take(self, entity: Entity) -> list[Controller]:
        """Those whose selector asks for a label the object has, and those that ask for none in particular."""
        index = self._index(entity)
        pairs = [*((key, str(value)) for key, value in entity.labels.items()), ("", "")]
        return [one for pair in pairs for one in index.get(pair, ())]

    def named(self, entity: Entity, names: Iterable[str]) -> list[Controller]:
        """Those with one of these names."""
        index = self._index(entity)
        return [one for name in dict.fromkeys(names) for one in index.get(("metadata.name", name), ())]

    def _index(self, entity: Entity) -> dict[tuple[str, str], list[Controller]]:
        key = entity.ref.namespace, entity.resource
        if key not in self._found:
            index: dict[tuple[str, str], list[Controller]] = {}
            for one in controllers_in(*key, self._world):
                wanted = map_at(one.selector, "matchLabels").items()
                label = next(((str(name), str(value)) for name, value in wanted), ("", ""))
                index.setdefault(label, []).append(one)
                index.setdefault(("metadata.name", one.ref.name), []).append(one)
            self._found[key] = index
        return self._found[key]


def _judged(entity: Entity, world: World, known: _Controllers) -> Orphan | None:
    if entity.mirror:
        return Orphan(entity, Sort.STATIC)
    for owner in owners(entity, world):
        if owner.gap is not None:
            raise NotKnown(owner.gap)
        if owner.state in _BY_STATE:
            return Orphan(entity, _BY_STATE[owner.state], owner)
    if controller_of(entity.item) is not None:
        return None
    if entity.resource not in EXAMINED or entity.deleting:
        return None
    return _free(entity, world, known)


def _free(entity: Entity, world: World, known: _Controllers) -> Orphan | None:
    """An object without a controller reference: who would take it, and who made it."""
    if entity.resource == r.JOBS:
        left = _SCHEDULED in annotations_of(entity.item)
        # most Jobs are made by hand: only one that a CronJob made has lost something
        return Orphan(entity, Sort.LEFT, maker=_cronjob(entity)) if left and not entity.references else None
    takers = known.that_may_take(entity)
    adopters = tuple(sorted(one.ref for one in takers if claim(one, entity.item) is Claim.ADOPTS))
    if adopters:
        return Orphan(entity, Sort.ADOPTABLE, adopters=adopters)
    if entity.references:
        return Orphan(entity, Sort.UNCONTROLLED)
    maker = next((one for one in known.named(entity, _makers(entity)) if _made_by(entity, one)), None)
    if maker is not None and not maker.takes(entity.item):
        return _released(entity, maker, world)
    former = _former(entity)
    if former is not None and maker is None:
        return Orphan(entity, Sort.LEFT, maker=former, write=_relabelled(entity, world))
    return Orphan(entity, Sort.BARE)


def _makers(entity: Entity) -> Iterator[str]:
    """The names that a controller may have which named an object so."""
    yield text_at(entity.item, "metadata", "generateName").removesuffix("-")
    yield entity.ref.name.rpartition("-")[0]


def _made_by(entity: Entity, controller: Controller) -> bool:
    """Whether the name is one that the controller gives: it is all that is left of the tie."""
    generated = text_at(entity.item, "metadata", "generateName")
    if controller.ref.kind == "StatefulSet":
        found = _ORDINAL.fullmatch(entity.ref.name)
        return not generated and found is not None and found[1] == controller.ref.name
    if controller.ref.kind == "Deployment":
        hashed = labels_of(entity.item).get(HASH_LABEL)
        return isinstance(hashed, str) and entity.ref.name == f"{controller.ref.name}-{hashed}"
    if generated != f"{controller.ref.name}-":
        return False
    return entity.created >= text_at(controller.item, "metadata", "creationTimestamp")


def _former(entity: Entity) -> Ref | None:
    """The controller that made an object, from the marks it left; it is not there any more."""
    space, labels = entity.ref.namespace, labels_of(entity.item)
    generated = text_at(entity.item, "metadata", "generateName")
    if entity.resource == r.REPLICASETS:
        hashed = labels.get(HASH_LABEL)
        name = entity.ref.name.removesuffix(f"-{hashed}")
        return Ref("Deployment", name, space) if hashed and name != entity.ref.name else None
    for label, kind in _MARKS:
        if label in labels:
            found = _ORDINAL.fullmatch(entity.ref.name) if kind == "StatefulSet" else None
            name = found[1] if found else generated.removesuffix("-")
            return Ref(kind, name, space) if name else None
    return None


def _cronjob(entity: Entity) -> Ref | None:
    found = _ORDINAL.fullmatch(entity.ref.name)
    return Ref("CronJob", found[1], entity.ref.namespace) if found else None


def _released(entity: Entity, maker: Controller, world: World) -> Orphan:
    """An object whose labels its maker does not select any more: which ones, and who wrote them when."""
    differing = tuple(_differing(entity, maker))
    return Orphan(
        entity,
        Sort.RELEASED,
        maker=maker.ref,
        maker_exists=True,
        differing=differing,
        write=label_writer(_with_managers(entity, world), [key for key, _, _ in differing]),
        replacement=_youngest(entity, maker, world),
    )


def _relabelled(entity: Entity, world: World) -> Write | None:
    """The last label that another than its maker wrote: what may have set it free before its maker was deleted."""
    whole = _with_managers(entity, world)
    return label_writer(whole, entity.labels, besides={write.manager for write in writers(whole, "spec")})


def _with_managers(entity: Entity, world: World) -> Object:
    """The object with its managedFields; without them where these cannot be had: they are hints, and decide nothing."""
    try:
        return world.get(entity.resource, entity.ref.name, entity.ref.namespace, managed=True) or {}
    except NotKnown as unknown:
        if unknown.gap.what in world.wanted:
            raise
        return {}


def _differing(entity: Entity, maker: Controller) -> Iterator[tuple[str, str, str]]:
    """The labels that keep the selector from fitting."""
    labels, selector = entity.labels, maker.selector or {}
    for key, wanted in sorted(dict(selector.get("matchLabels") or {}).items()):
        if labels.get(key) != wanted:
            yield key, str(wanted), str(labels.get(key, ""))
    for expression in selector.get("matchExpressions") or ():
        key = text_at(expression, "key")
        if not selects({"matchExpressions": [expression]}, labels):
            yield key, text_at(expression, "operator"), str(labels.get(key, ""))


def _youngest(entity: Entity, maker: Controller, world: World) -> Ref | None:
    """The last one that the maker made after this one: about when it noticed that this one was gone."""
    made = [item for item in world.children(maker.item, entity.resource) if _created(item) > entity.created]
    last = max(made, key=lambda item: (_created(item), name_of(item)), default=None)
    return Ref(entity.ref.kind, name_of(last), namespace_of(last)) if last is not None else None


def _created(item: object) -> str:
    return text_at(item, "metadata", "creationTimestamp")
