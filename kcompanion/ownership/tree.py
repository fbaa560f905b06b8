"""The tree of owners: up from an object to its topmost owner, and down to everything that hangs on that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kcompanion.model.resources import NODES
from kcompanion.model.snapshot import Gap
from kcompanion.model.world import World
from kcompanion.ownership.owners import Entity, Owner, Reference, State, owners
from kcompanion.ownership.pool import EXPECTED, Pool, pool_for

DEEPEST = 32  # owners above an object; more is a circle


@dataclass(frozen=True)
class Node:
    """An object in its tree. `reference` is the one that ties it to its parent."""

    entity: Entity
    reference: Reference | None = None
    owners: tuple[Owner, ...] = ()  # all of them, in this tree or not
    asked: bool = False
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Forest:
    """The trees of the objects that were asked for, and what could not be read on the way."""

    roots: Sequence[Node]
    gaps: Sequence[Gap] = ()
    undecided: bool = False

    def walk(self) -> Iterator[Node]:
        for root in self.roots:
            yield from root.walk()


@dataclass(frozen=True)
class _Space:
    """A pool by uid, with the dependents of each owner in it."""

    pool: Pool
    members: Mapping[str, Entity]
    by_owner: Mapping[str, Sequence[str]]

    @staticmethod
    def of(pool: Pool) -> _Space:
        members = {entity.uid: entity for entity in pool.entities}
        by_owner: dict[str, list[str]] = {}
        for entity in pool.entities:
            for reference in entity.references:
                by_owner.setdefault(reference.uid, []).append(entity.uid)
        return _Space(pool, members, by_owner)

    def with_chain(self, chain: Iterable[Entity]) -> _Space:
        """The same with these objects, read whole or where nothing could be listed."""
        mine = {entity.uid: entity for entity in chain}
        if all(uid in self.members for uid in mine):
            return _Space(self.pool, {**self.members, **mine}, self.by_owner)
        return _Space.of(Pool([*mine.values(), *(e for e in self.pool.entities if e.uid not in mine)], self.pool.gaps))


@dataclass
class _Growth:
    """What is known while the trees grow."""

    world: World
    asked: frozenset[str]
    owners: dict[str, tuple[Owner, ...]] = field(default_factory=dict)
    spaces: dict[tuple[str, str], _Space] = field(default_factory=dict)

    def space_of(self, top: Entity) -> _Space:
        """Where the dependents of a topmost owner are; read and indexed once for all owners of a namespace."""
        key = top.ref.namespace, "" if top.ref.namespace else top.uid
        if key not in self.spaces:
            self.spaces[key] = _Space.of(pool_for(top, self.world))
        return self.spaces[key]

    def of(self, entity: Entity) -> tuple[Owner, ...]:
        if entity.uid not in self.owners:
            self.owners[entity.uid] = owners(entity, self.world)
        return self.owners[entity.uid]


def grow(asked: Iterable[Entity], world: World, *, down: bool = True) -> Forest:
    """The trees that hold the given objects, each from its topmost owner; `down=False` leaves only the chains up."""
    wanted = list(asked)
    growth = _Growth(world, frozenset(entity.uid for entity in wanted))
    chains = [_chain(entity, growth) for entity in wanted]
    tops: dict[str, list[list[Entity]]] = {}
    for chain in chains:
        tops.setdefault(chain[-1].uid, []).append(chain)
    roots: list[Node] = []
    gaps: dict[str, Gap] = {}
    undecided = False
    for those in tops.values():
        top = those[0][-1]
        space = growth.space_of(top) if down else _Space.of(Pool((), ()))
        gaps.update({gap.what: gap for gap in space.pool.gaps})
        roots.append(_grown(top, space.with_chain(entity for chain in those for entity in chain), growth))
        undecided |= _undecided(roots[-1], space.pool)
    for gap in (owner.gap for found in growth.owners.values() for owner in found):
        if gap is not None:
            gaps[gap.what] = gap
            undecided = True
    return Forest(tuple(roots), tuple(gaps[key] for key in sorted(gaps)), undecided)


def whole(pool: Pool, world: World) -> Forest:
    """All trees among the objects of a pool: whatever no other of them owns, with everything below it."""
    space = _Space.of(pool)
    growth = _Growth(world, frozenset())
    tops = [one for one in pool.entities if not any(_may_own(space, ref.uid, one) for ref in one.references)]
    tops.sort(key=lambda one: (one.ref.namespace, *_order(one)))
    return Forest(tuple(_grown(top, space, growth) for top in tops), pool.gaps)


def _undecided(root: Node, pool: Pool) -> bool:
    """Whether a kind could not be listed in which an object of this tree is sure to have its dependents."""
    kinds = {node.entity.ref.kind for node in root.walk()}
    return any(pool.lacks(resource) for kind in kinds for resource in EXPECTED.get(kind, ()))


def _chain(entity: Entity, growth: _Growth) -> list[Entity]:
    """The object, its main owner, that one's main owner and so on; the topmost last."""
    chain = [entity]
    while len(chain) < DEEPEST:
        found = [o.entity for o in growth.of(chain[-1]) if o.state is State.FOUND and o.entity is not None]
        if not found or found[0].uid in {one.uid for one in chain}:
            break
        chain.append(found[0])
    return chain


def _grown(top: Entity, space: _Space, growth: _Growth) -> Node:
    """The tree below `top`. What has several owners in it stands below its controller, or else the first one."""
    reached = _reached(top.uid, space)
    placed: dict[str, list[tuple[Entity, Reference]]] = {}
    for uid in reached - {top.uid}:
        entity = space.members[uid]
        parents = (ref for ref in entity.references if ref.uid in reached and _may_own(space, ref.uid, entity))
        parent = next(parents, None)
        if parent is not None:
            placed.setdefault(parent.uid, []).append((entity, parent))
    return _node(top, None, placed, growth, frozenset())


def _may_own(space: _Space, uid: str, entity: Entity) -> bool:
    """Owners without a namespace own anything; others only what is in theirs."""
    owner = space.members.get(uid)
    return owner is not None and owner.ref.namespace in ("", entity.ref.namespace)


def _reached(top: str, space: _Space) -> set[str]:
    """The uids of all that hangs on an owner, itself among them."""
    reached, waiting = {top}, [top]
    while waiting:
        owner = waiting.pop()
        for uid in space.by_owner.get(owner, ()):
            if uid not in reached and _may_own(space, owner, space.members[uid]):
                reached.add(uid)
                waiting.append(uid)
    return reached


def _node(
    entity: Entity,
    reference: Reference | None,
    placed: Mapping[str, Sequence[tuple[Entity, Reference]]],
    growth: _Growth,
    above: frozenset[str],
) -> Node:
    inside = above | {entity.uid}
    below = sorted(placed.get(entity.uid, ()), key=lambda pair: _order(pair[0]))
    return Node(
        entity,
        reference,
        _owners(entity, reference, growth),
        entity.uid in growth.asked,
        tuple(_node(child, ref, placed, growth, inside) for child, ref in below if child.uid not in inside),
    )


def _owners(entity: Entity, reference: Reference | None, growth: _Growth) -> tuple[Owner, ...]:
    """The owners of an object. The only one of an object below its parent is that parent: no need to look it up."""
    if reference is None or entity.uid in growth.asked or len(entity.references) > 1:
        return growth.of(entity)
    return (Owner(reference, State.FOUND),)


def _order(entity: Entity) -> tuple[bool, str, str, str]:
    """By kind; nodes first, objects of one kind by age (a Deployment's newest ReplicaSet last), then by name."""
    return entity.resource != NODES, entity.ref.kind, entity.created, entity.ref.name
