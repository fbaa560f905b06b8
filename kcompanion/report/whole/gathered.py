"""Everything a report is told from, judged once: a pure function of a World.

The same functions judge as behind `controlplane`, `nodes`, `addons`, `health`, `tree` and `trace`, so the report's
numbers are those of the commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kcompanion.controlplane import addons as inventory
from kcompanion.controlplane import asks
from kcompanion.controlplane import nodes as machines
from kcompanion.controlplane.addons import Addons
from kcompanion.controlplane.cgroups import CgroupDriver, cgroup_driver
from kcompanion.controlplane.grace import Grace
from kcompanion.controlplane.inspect import ControlPlane
from kcompanion.controlplane.nodes import Node
from kcompanion.controlplane.survey import Survey, survey
from kcompanion.controlplane.systempods import SystemPod, system_pods
from kcompanion.explain.accepted import Sorted
from kcompanion.explain.judge import Verdict
from kcompanion.explain.sweep import Entry, Sweep, owner_of, sweep
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask
from kcompanion.model.fields import labels_of
from kcompanion.model.finding import Finding, Severity, ranked
from kcompanion.model.refs import Ref, parse_ref, ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.selectors import matches
from kcompanion.model.snapshot import Gap, Object, Snapshot
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.owners import Entity
from kcompanion.ownership.pool import WHOLE, Pool
from kcompanion.ownership.tree import Forest, whole
from kcompanion.ownership.tree import Node as Tree
from kcompanion.report import tree as trees
from kcompanion.report.beside import beside_rules
from kcompanion.report.tree_state import State, state_of
from kcompanion.trace.pod import life
from kcompanion.trace.steps import Story
from kcompanion.trace.storage import prefix_of

# Claims are told with the storage, where they matter.
OWNERS: tuple[Resource, ...] = (*(one for one in WHOLE if one != r.PERSISTENTVOLUMECLAIMS), r.COMPANIONREPLICASETS)
# What a report asks beside the sweep: the views of the control plane, the nodes and the add-ons.
QUESTIONS: tuple[Ask, ...] = (*asks.OVERVIEW, *asks.CERTIFICATES, *machines.ASKS, *inventory.ASKS)
LIVES = 3  # pods whose life is told


@dataclass(frozen=True)
class Scope:
    """What the report is about: the cluster, a namespace, the objects with some labels, or one pod."""

    kind: str = "cluster"
    namespace: str = ""
    name: str = ""
    selector: str = ""

    def to_json(self) -> dict[str, str | None]:
        return {
            "kind": self.kind,
            "namespace": self.namespace or None,
            "name": self.name or None,
            "selector": self.selector or None,
        }


@dataclass(frozen=True)
class Infrastructure:
    """What only a report on the whole cluster tells: control plane, nodes and add-ons."""

    plane: ControlPlane
    nodes: tuple[Node, ...]
    grace: Grace
    cgroups: CgroupDriver
    system_pods: tuple[SystemPod, ...]
    addons: Addons
    plane_findings: tuple[Finding, ...]
    undecided: bool  # what one of them needs could not be read
    remarks: tuple[Finding, ...]  # what is no fault and yet worth knowing


@dataclass(frozen=True)
class Life:
    """How a pod came to be as it is."""

    ref: Ref
    item: Object
    story: Story


@dataclass(frozen=True)
class Gathered:
    """Everything a report is told from."""

    scope: Scope
    world: World
    snapshot: Snapshot  # with the answers to every question of the control plane's views
    below: Infrastructure | None
    sweep: Sweep
    grown: trees.Grown
    lives: tuple[Life, ...]
    gaps: tuple[Gap, ...]

    @property
    def undecided(self) -> bool:
        """Whether a gap left open how the cluster is, as `health` or one of the views would say."""
        return bool(self.sweep.not_evaluated) or (self.below is not None and self.below.undecided)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.sweep.entries

    @property
    def kept(self) -> Sorted:
        return Sorted(self.sweep.entries)

    def objects(self, resource: Resource) -> Sequence[Object]:
        """The objects of a resource within the scope, as far as they could be read."""
        return self.world.seen(resource, self.scope.namespace)

    def read(self, resource: Resource) -> bool:
        """Whether all objects of a resource within the scope were read."""
        try:
            self.world.all(resource, self.scope.namespace)
        except NotKnown:
            return False
        return True


def gather(world: World, snapshot: Snapshot, scope: Scope, settled: dict[str, Verdict]) -> Gathered:
    """Judges everything in the scope.

    Args:
        world: what is known.
        snapshot: the same, with the answers to the questions of the control plane's views.
        scope: what the report is about.
        settled: verdicts that cannot change by reading more; added to.
    """
    found = survey(snapshot) if scope.kind == "cluster" else None
    swept = sweep(world, scope.namespace, beside_rules(found) if found else (), settled)
    forest = _forest(world, scope)
    states = _states(forest, world, swept.verdicts)
    gaps = {one.gap.what: one.gap for one in swept.not_evaluated}
    below = _infrastructure(found, snapshot) if found else None
    missing = (*forest.gaps, *(snapshot.gaps(QUESTIONS) if below else ()))
    gaps.update({gap.what: gap for gap in missing if gap.decisive})
    if scope.kind in ("app", "pod"):
        swept = _narrowed(swept, forest)
    return Gathered(
        scope,
        world,
        snapshot,
        below,
        swept,
        trees.Grown(forest, states),
        _lives(swept, world, scope),
        tuple(gaps[key] for key in sorted(gaps)),
    )


def _infrastructure(found: Survey, snapshot: Snapshot) -> Infrastructure:
    remarks = {(one.code, one.subject): one for one in found.findings if one.severity is Severity.INFO}
    return Infrastructure(
        found.plane,
        found.nodes,
        found.grace,
        cgroup_driver(snapshot, found.nodes),
        system_pods(snapshot),
        found.addons,
        found.of_plane,
        found.undecided,
        ranked(remarks.values()),
    )


def _lives(swept: Sweep, world: World, scope: Scope) -> tuple[Life, ...]:
    """The lives of the pods behind the worst causes, or of the one asked for."""
    affected = (name for entry in swept.entries for name in entry.affected if name.startswith("Pod/"))
    names = list(dict.fromkeys(affected))
    if scope.kind == "pod":
        names = [Ref("Pod", scope.name, scope.namespace).subject]
    pods = {ref_of(item, "Pod").subject: item for item in world.seen(r.PODS, scope.namespace)} if names else {}
    chosen = [pods[name] for name in names if name in pods][:LIVES]
    return tuple(Life(ref_of(item, "Pod"), item, life(item, world, prefix_of(world))) for item in chosen)


# ------------------------------------------------------------------------------------------------- owners


def _forest(world: World, scope: Scope) -> Forest:
    entities: list[Entity] = []
    gaps: list[Gap] = []
    for resource in OWNERS:
        try:
            items = world.all(resource, scope.namespace)
        except NotKnown as unknown:
            gaps.append(unknown.gap)
            items = world.seen(resource, scope.namespace)
        entities += [Entity(resource, item) for item in items]
    named = {reference.uid for entity in entities for reference in entity.references}
    if not scope.namespace:  # static pods hang on their node
        entities += [one for item in world.seen(r.NODES) if (one := Entity(r.NODES, item)).uid in named]
    grown = whole(Pool(entities, gaps), world)
    return replace(grown, roots=tuple(root for root in grown.roots if _in_scope(root, scope)))


def _in_scope(root: Tree, scope: Scope) -> bool:
    if scope.kind == "app":
        return any(matches(scope.selector, labels_of(node.entity.item)) for node in root.walk())
    if scope.kind == "pod":
        return any(node.entity.resource == r.PODS and node.entity.ref.name == scope.name for node in root.walk())
    return True


def _states(forest: Forest, world: World, verdicts: Mapping[str, Verdict]) -> dict[str, State]:
    return {node.entity.uid: state_of(node.entity, world, verdicts) for node in forest.walk()}


def _narrowed(swept: Sweep, forest: Forest) -> Sweep:
    """What concerns the objects of some trees, counted among these alone."""
    inside = {node.entity.ref.subject for node in forest.walk()}
    kept = tuple(one for one in swept.entries if one.root in inside or not inside.isdisjoint(one.affected))
    return replace(swept, entries=kept, judged=Counter(node.entity.ref.kind for node in forest.walk()))


def namespace_of_entry(entry: Entry) -> str:
    """The namespace a cause belongs to; empty for the cluster's own."""
    found = owner_of(entry).namespace
    return found or next((space for name in entry.affected if (space := parse_ref(name).namespace)), "")
