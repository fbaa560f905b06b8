"""Where dependents are looked for: the kinds whose state we can tell are read whole, all others as metadata only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kcompanion.model import resources as r
from kcompanion.model.fields import name_of, text_at
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.owners import Entity, served

# Their state stands beside their names in a tree, so their spec and status are needed.
WHOLE = (
    r.PODS,
    r.REPLICASETS,
    r.DEPLOYMENTS,
    r.STATEFULSETS,
    r.DAEMONSETS,
    r.JOBS,
    r.CRONJOBS,
    r.REPLICATIONCONTROLLERS,
    r.PERSISTENTVOLUMECLAIMS,
)
# Whose dependents are of which kinds, whatever else there may be: without these the tree is not decided.
EXPECTED: dict[str, tuple[Resource, ...]] = {
    "Deployment": (r.REPLICASETS, r.PODS),
    "ReplicaSet": (r.PODS,),
    "ReplicationController": (r.PODS,),
    "CompanionReplicaSet": (r.PODS,),
    "StatefulSet": (r.PODS,),
    "DaemonSet": (r.PODS,),
    "Job": (r.PODS,),
    "CronJob": (r.JOBS, r.PODS),
    "Node": (r.PODS,),
}
# Computed when asked, shown by another group already, or owned by nobody.
_LEFT_OUT_GROUPS = frozenset({"events.k8s.io", "metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"})
_LEFT_OUT = frozenset({"events", "componentstatuses"})
_LEASES_OF_NODES = "kube-node-lease"


@dataclass(frozen=True)
class Pool:
    """Everything that may depend on an object, and what could not be listed."""

    entities: Sequence[Entity]
    gaps: Sequence[Gap]

    def lacks(self, resource: Resource) -> bool:
        return any(gap.resource == resource.name for gap in self.gaps)


def pool_for(owner: Entity, world: World) -> Pool:
    """The objects among which the dependents of an owner are: its namespace; of a Node what nodes own."""
    if owner.ref.namespace:
        return _gathered(list(_in_namespace(owner.ref.namespace, world)))
    if owner.resource == r.NODES:
        return _gathered(list(_of_node(owner, world)))
    if owner.resource == r.NAMESPACES:  # what names one as its owner is in it
        return _gathered(list(_in_namespace(owner.ref.name, world)))
    return _gathered(list(_anywhere(world)))


def everything(namespace: str, world: World) -> Pool:
    """The metadata of all objects of a namespace, or of the cluster."""
    return _gathered(list(_discovered(namespace, world, cluster_scoped=not namespace, skip=())))


Part = tuple[Resource, Sequence[Object], bool] | Gap


def _in_namespace(namespace: str, world: World) -> Iterator[Part]:
    for resource in WHOLE:
        yield _read(resource, namespace, world, bare=False)
    yield from _discovered(namespace, world, cluster_scoped=False, skip=WHOLE)


def _anywhere(world: World) -> Iterator[Part]:
    """An owner without a namespace may own anything; only metadata is read, of everything."""
    yield from _discovered("", world, cluster_scoped=True, skip=())


def _of_node(node: Entity, world: World) -> Iterator[Part]:
    """Mirror pods, the Lease of its heartbeat, and the CSINode: nothing else is owned by a Node."""
    try:
        yield r.PODS, world.pods_on(node.ref.name), False
    except NotKnown as unknown:
        yield unknown.gap
    for resource, space in ((r.LEASES, _LEASES_OF_NODES), (r.CSINODES, "")):
        try:
            found = world.get(resource, node.ref.name, space)
        except NotKnown as unknown:
            yield unknown.gap
        else:
            yield resource, () if found is None else (found,), False


def _discovered(namespace: str, world: World, *, cluster_scoped: bool, skip: Sequence[Resource]) -> Iterator[Part]:
    """Whatever else the server lists, by discovery."""
    try:
        rows = served(world)
    except NotKnown as unknown:
        yield unknown.gap
        return
    known = {(one.group, one.plural) for one in skip}
    for row in rows:
        one = row.resource
        if "list" not in row.verbs or one.group in _LEFT_OUT_GROUPS or one.plural in _LEFT_OUT:
            continue
        if (one.group, one.plural) not in known and (one.namespaced or cluster_scoped):
            yield _read(one, namespace, world, bare=True)


def _read(resource: Resource, namespace: str, world: World, *, bare: bool) -> Part:
    try:
        if bare:
            return resource, world.metadata(resource, namespace), True
        return resource, world.all(resource, namespace), False
    except NotKnown as unknown:
        return unknown.gap


def _gathered(parts: Sequence[Part]) -> Pool:
    by_uid: dict[str, Entity] = {}
    gaps: list[Gap] = []
    for part in parts:
        if isinstance(part, Gap):
            gaps.append(part)
            continue
        resource, items, bare = part
        for item in items:
            uid = text_at(item, "metadata", "uid")
            if uid and name_of(item):
                by_uid.setdefault(uid, Entity(resource, item, bare=bare and "spec" not in item))
    return Pool(tuple(by_uid.values()), tuple(sorted(gaps, key=lambda gap: gap.what)))
