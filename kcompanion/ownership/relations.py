"""What objects have to do with each other beside owning: selectors, Services, volumes, settings, rights, scaling.

Each kind of relation is found from both of its ends: what an object of the tree names or selects (`KINDS`), and who
names it (`_USERS`). Nothing here owns anything: deleting one end leaves the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, text_at
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership import ties
from kcompanion.ownership.claim import CLAIMS, Controller, controllers_in
from kcompanion.ownership.owners import Entity, controller_of
from kcompanion.ownership.ties import Named, Relation, Tie

Selector = Callable[[Object], object]  # a LabelSelector, or None where the object selects nothing


@dataclass(frozen=True)
class _Users:
    """Which kinds are named by the objects of a resource, and where these name them."""

    of: tuple[Resource, ...]
    resource: Resource
    names: Callable[[Object], Iterator[Named]]


def related(
    kinds: Sequence[str], entities: Sequence[Entity], world: World
) -> tuple[tuple[Relation, ...], tuple[Gap, ...]]:
    """The relations of the kinds asked for (keys of KINDS), and what could not be read for them."""
    found: dict[Relation, None] = {}
    gaps: dict[str, Gap] = {}
    whole = [entity for entity in entities if not entity.bare]
    for kind in kinds:
        edges: dict[Relation, None] = {}
        for entity in whole:
            _gather(KINDS[kind](entity, world), edges, gaps)
        reached = {entity.ref for entity in whole}
        for users in _USERS.get(kind, ()):
            # whoever has to do with an object of the tree may be named itself: an Ingress names the Service of a pod
            further = {edge.source for edge in edges if edge.target in reached}
            reached |= further
            named = further | {entity.ref for entity in whole if entity.resource in users.of}
            _gather(_naming(users, named, world), edges, gaps)
        found.update(edges)
    gaps.update({edge.gap.what: edge.gap for edge in found if edge.gap is not None})
    return tuple(found), tuple(gaps[key] for key in sorted(gaps))


def _gather(more: Iterable[Relation], edges: dict[Relation, None], gaps: dict[str, Gap]) -> None:
    try:
        for edge in more:
            edges.setdefault(edge)
    except NotKnown as unknown:
        gaps[unknown.gap.what] = unknown.gap


def _naming(users: _Users, named: Iterable[Ref], world: World) -> Iterator[Relation]:
    """The ties of all objects of a resource that end in one of those named; listed only where one of these is."""
    kinds = {resource.kind for resource in users.of}
    wanted = {ref for ref in named if ref.kind in kinds}
    unknown: NotKnown | None = None
    for space in sorted({ref.namespace for ref in wanted}):
        try:
            items = world.all(users.resource, space)
        except NotKnown as missing:  # go on, so that everything wanted is read in one round
            unknown = missing
            continue
        for item in items:
            for one in users.names(item):
                if (target := one.ref(item)) in wanted:
                    yield Relation(one.tie, ref_of(item, users.resource.kind), target, one.detail)
    if unknown is not None:
        raise unknown


def _names(source: Ref, item: Object, named: Iterable[Named], world: World) -> Iterator[Relation]:
    """What an object names, and whether that is there."""
    for one in named:
        target = one.ref(item)
        yield Relation(one.tie, source, target, one.detail, *_there(one.resource, target, world))


def _there(resource: Resource, ref: Ref, world: World) -> tuple[bool | None, Gap | None]:
    """Whether it exists; else why nobody can tell."""
    try:
        return world.get(resource, ref.name, ref.namespace) is not None, None
    except NotKnown as unknown:
        return None, unknown.gap


def _selecting(entity: Entity, resource: Resource, tie: Tie, chosen: Selector, world: World) -> Iterator[Relation]:
    """Which objects of a resource select this pod, or which pods this object of the resource selects."""
    if entity.resource == r.PODS:
        for item in world.all(resource, entity.ref.namespace):
            if selects(selector := chosen(item), entity.labels):
                yield Relation(tie, ref_of(item, resource.kind), entity.ref, selector_text(selector))
    elif entity.resource == resource and (selector := chosen(entity.item)) is not None:
        for pod in world.all(r.PODS, entity.ref.namespace):
            if selects(selector, labels_of(pod)):
                yield Relation(tie, entity.ref, ref_of(pod, "Pod"), selector_text(selector))


# ------------------------------------------------------------------------ from an object of the tree


def _selectors(entity: Entity, world: World) -> Iterator[Relation]:
    """What a controller selects and has, or might have; of a pod that nobody has, who selects it."""
    if entity.resource == r.PODS and controller_of(entity.item) is None:
        for one in controllers_in(entity.ref.namespace, r.PODS, world):
            if one.takes(entity.item):
                yield Relation(Tie.SELECTS, one.ref, entity.ref, one.selector_text)
    if entity.resource not in CLAIMS:
        return
    one = Controller(entity.resource, entity.item)
    for item in world.all(one.claimed, entity.ref.namespace):
        if one.takes(item):
            owner = controller_of(item)
            if entity.resource == r.DEPLOYMENTS or owner is None or owner.uid in ("", one.uid):
                yield Relation(Tie.SELECTS, entity.ref, ref_of(item, one.claimed.kind), one.selector_text)


def _services(entity: Entity, world: World) -> Iterator[Relation]:
    yield from _selecting(entity, r.SERVICES, Tie.SERVES, _of_service, world)
    if entity.resource == r.INGRESSES:
        for edge in _names(entity.ref, entity.item, ties.services_of(entity.item), world):
            yield edge
            if edge.exists and (service := world.get(r.SERVICES, edge.target.name, edge.target.namespace)):
                yield from _selecting(Entity(r.SERVICES, service), r.SERVICES, Tie.SERVES, _of_service, world)


def _of_service(service: Object) -> object:
    labels = map_at(service, "spec", "selector")  # an empty one chooses nothing; an empty LabelSelector, everything
    return {"matchLabels": labels} if labels else None


def _volumes(entity: Entity, world: World) -> Iterator[Relation]:
    if entity.resource == r.PODS:
        for edge in _names(entity.ref, entity.item, ties.claims_of(entity.item), world):
            yield edge
            if edge.exists:
                yield from _storage(edge.target, world)
    elif entity.resource == r.PERSISTENTVOLUMECLAIMS:
        yield from _storage(entity.ref, world)
    elif entity.resource == r.PERSISTENTVOLUMES and (name := text_at(entity.item, "spec", "claimRef", "name")):
        claim = Ref("PersistentVolumeClaim", name, text_at(entity.item, "spec", "claimRef", "namespace"))
        there, gap = _there(r.PERSISTENTVOLUMECLAIMS, claim, world)
        yield Relation(Tie.BOUND, claim, entity.ref, "", there, gap)


def _storage(ref: Ref, world: World) -> Iterator[Relation]:
    claim = world.get(r.PERSISTENTVOLUMECLAIMS, ref.name, ref.namespace)
    if claim is not None:
        yield from _names(ref, claim, ties.storage_of(claim), world)


def _config(entity: Entity, world: World) -> Iterator[Relation]:
    if entity.resource == r.PODS:
        yield from _names(entity.ref, entity.item, ties.settings_of(entity.item), world)


def _rbac(entity: Entity, world: World) -> Iterator[Relation]:
    if entity.resource == r.PODS:
        for edge in _names(entity.ref, entity.item, ties.account_of(entity.item), world):
            yield edge
            yield from _bindings(edge.target, world)
    elif entity.resource == r.SERVICEACCOUNTS:
        yield from _bindings(entity.ref, world)
    elif entity.resource in _BINDINGS:
        yield from _bound(entity.item, entity.ref, world)
    elif entity.resource in (r.ROLES, r.CLUSTERROLES):
        for resource in _BINDINGS if entity.resource == r.CLUSTERROLES else _BINDINGS[:1]:
            for binding in world.all(resource, entity.ref.namespace):
                if any(one.ref(binding) == entity.ref for one in ties.role_of(binding)):
                    yield from _bound(binding, ref_of(binding, resource.kind), world)


def _bindings(account: Ref, world: World) -> Iterator[Relation]:
    """The bindings that name a service account, and their roles."""
    for resource in _BINDINGS:
        for binding in world.all(resource, account.namespace if resource.namespaced else ""):
            if account in ties.accounts_of(binding):
                ref = ref_of(binding, resource.kind)
                yield Relation(Tie.BINDS, ref, account)
                yield from _granted(binding, ref)


def _bound(binding: Object, ref: Ref, world: World) -> Iterator[Relation]:
    """What a binding gives, and to which service accounts."""
    yield from _granted(binding, ref)
    for account in ties.accounts_of(binding):
        yield Relation(Tie.BINDS, ref, account, "", *_there(r.SERVICEACCOUNTS, account, world))


def _granted(binding: Object, ref: Ref) -> Iterator[Relation]:
    for one in ties.role_of(binding):
        yield Relation(one.tie, ref, one.ref(binding), "", None)


def _hpa(entity: Entity, world: World) -> Iterator[Relation]:
    if entity.resource == r.HPAS:
        group, kind, name = ties.scaled_by(entity.item)
        target = Ref(kind, name, entity.ref.namespace)
        resource = next((one for one in KNOWN if (one.group, one.kind) == (group, kind)), None)
        there, gap = (None, None) if resource is None else _there(resource, target, world)
        yield Relation(Tie.SCALES, entity.ref, target, ties.bounds_of(entity.item), there, gap)
        return
    for scaler in world.all(r.HPAS, entity.ref.namespace) if entity.ref.namespace else ():
        if ties.scaled_by(scaler) == (entity.resource.group, entity.ref.kind, entity.ref.name):
            ref = ref_of(scaler, "HorizontalPodAutoscaler")
            yield Relation(Tie.SCALES, ref, entity.ref, ties.bounds_of(scaler))


def _pdb(entity: Entity, world: World) -> Iterator[Relation]:
    yield from _selecting(entity, r.PDBS, Tie.GUARDS, _of_budget, world)


def _of_budget(budget: Object) -> object:
    return dig(budget, "spec", "selector")


_BINDINGS = (r.ROLEBINDINGS, r.CLUSTERROLEBINDINGS)
KINDS: Mapping[str, Callable[[Entity, World], Iterator[Relation]]] = {
    "selectors": _selectors,
    "services": _services,
    "volumes": _volumes,
    "config": _config,
    "rbac": _rbac,
    "hpa": _hpa,
    "pdb": _pdb,
}
# Who names an object of the tree; of each kind from the one end of a chain to the other.
_USERS: Mapping[str, tuple[_Users, ...]] = {
    "services": (_Users((r.SERVICES,), r.INGRESSES, ties.services_of),),
    "volumes": (
        _Users((r.STORAGECLASSES,), r.PERSISTENTVOLUMECLAIMS, ties.storage_of),
        _Users((r.PERSISTENTVOLUMECLAIMS,), r.PODS, ties.claims_of),
    ),
    "config": (_Users((r.CONFIGMAPS, r.SECRETS), r.PODS, ties.settings_of),),
    "rbac": (_Users((r.SERVICEACCOUNTS,), r.PODS, ties.account_of),),
}
