"""The whole cluster judged: every object's deepest cause, and causes shared by many told once.

Three steps make a thousand broken objects a short list. Of each object only the deepest cause counts. What a parent
or a Service suffers from its pods is told at the pods' cause. And what has one root (a dead node, an owner, a claim)
is one entry that counts what it affects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kcompanion.explain.family import Family
from kcompanion.explain.judge import NotEvaluated, Verdict, judge_alone
from kcompanion.model import resources as r
from kcompanion.model.finding import SEVERITY_ORDER, Finding, Severity
from kcompanion.model.refs import Ref, parse_ref, ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

IN_NAMESPACES: tuple[Resource, ...] = (
    r.PODS,
    r.DEPLOYMENTS,
    r.REPLICASETS,
    r.STATEFULSETS,
    r.DAEMONSETS,
    r.JOBS,
    r.CRONJOBS,
    r.SERVICES,
    r.ENDPOINTSLICES,
    r.INGRESSES,
    r.PERSISTENTVOLUMECLAIMS,
    r.HPAS,
    r.PDBS,
)
OUTSIDE: tuple[Resource, ...] = (r.NODES, r.NAMESPACES, r.PERSISTENTVOLUMES, r.STORAGECLASSES)
# Looked into by rules, and no subject of one.
_ASIDE = frozenset({r.ENDPOINTSLICES, r.STORAGECLASSES})


@dataclass(frozen=True)
class Entry:
    """One cause in the cluster: the finding that tells it best, where it hangs, and all that suffers from it."""

    finding: Finding
    root: str
    affected: tuple[str, ...]
    told_by: str  # the object whose explanation holds the cause: a root may not exist, or know nothing of it

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same cause in another reading."""
        return self.finding.code, self.root

    @property
    def count(self) -> int:
        """How many objects suffer from it, the root itself not counted unless it is alone."""
        return max(1, len([name for name in self.affected if name != self.root]))


@dataclass(frozen=True)
class Beside:
    """A finding of other origin, and the object it is about.

    `instead` are the codes of rules that tell the same (any where empty): where one does, of that object and as bad,
    the finding is left out; where one of those named takes it for less bad, that one is. None where no rule can.
    """

    finding: Finding
    about: str
    instead: frozenset[str] | None = None


@dataclass(frozen=True)
class Sweep:
    """What a sweep saw: entries in order, how many objects of each kind were judged, and what was not evaluated."""

    entries: tuple[Entry, ...]
    judged: Mapping[str, int]
    not_evaluated: tuple[NotEvaluated, ...]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # on every object, by subject


def resources(namespace: str) -> tuple[Resource, ...]:
    """What is swept: of one namespace, or of the whole cluster."""
    return IN_NAMESPACES if namespace else (*OUTSIDE, *IN_NAMESPACES)


def sweep(
    world: World,
    namespace: str = "",
    more: Iterable[Beside] = (),
    settled: dict[str, Verdict] | None = None,
) -> Sweep:
    """Judges everything in a namespace, or in the cluster.

    Args:
        world: what is known.
        namespace: empty for the whole cluster.
        more: findings of other origin, to be ranked with those of the rules where these do not tell the same.
        settled: verdicts of an earlier sweep over less of the same cluster that wanted nothing more; added to.
    """
    kept = {} if settled is None else settled
    verdicts: list[Verdict] = []
    judged: dict[str, int] = {}
    missed: list[NotEvaluated] = []
    for resource in resources(namespace):
        try:
            items = world.all(resource, namespace)
        except NotKnown as unknown:
            missed.append(NotEvaluated("*", resource.plural, unknown.gap))
            items = world.seen(resource, namespace)
        if resource not in _ASIDE:
            judged[resource.kind] = len(items)
            verdicts += [_judged(item, resource.kind, world, kept) for item in items]
    missed += [one for verdict in verdicts for one in verdict.not_evaluated]
    family = Family(world, IN_NAMESPACES, namespace)
    by_subject = {verdict.ref.subject: verdict for verdict in verdicts}
    entries = _entries([*verdicts, *_nodes(verdicts, by_subject, world)], family, more)
    return Sweep(entries, judged, _alike(missed), by_subject)


def _judged(item: Object, kind: str, world: World, settled: dict[str, Verdict]) -> Verdict:
    """The verdict on an object; one that wanted nothing more cannot change by reading more."""
    subject = ref_of(item, kind).subject
    if subject in settled:
        return settled[subject]
    wishes = world.wishes
    verdict = judge_alone(item, kind, world, remarks=False)
    if not verdict.not_evaluated and world.wishes == wishes:
        settled[subject] = verdict
    return verdict


def _nodes(verdicts: Iterable[Verdict], judged: Mapping[str, Verdict], world: World) -> Iterator[Verdict]:
    """Nodes outside the sweep that are the root of what was found in it: they tell their own trouble."""
    found = {(verdict.root.root, verdict.root.code) for verdict in verdicts if verdict.root is not None}
    for subject in sorted({root for root, _ in found if root.startswith("Node/") and root not in judged}):
        try:
            item = world.get(r.NODES, parse_ref(subject).name)
        except NotKnown:
            continue
        own = judge_alone(item, "Node", world, remarks=False) if item is not None else None
        if own is not None and own.root is not None and (subject, own.root.code) in found:
            yield own


def _entries(verdicts: Iterable[Verdict], family: Family, more: Iterable[Beside]) -> tuple[Entry, ...]:
    deepest = {verdict.ref.subject: verdict.root for verdict in verdicts if verdict.root is not None}
    explained: dict[str, list[Finding]] = defaultdict(list)  # what suffers from something deeper: from what
    for subject, finding in deepest.items():
        for other in (*family.ancestors(subject), *family.services(subject)):
            above = deepest.get(other)
            if above is not None and above.rank > finding.rank:
                explained[other].append(finding)
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for subject, finding in deepest.items():
        if subject not in explained:
            groups[finding.code, _root(finding, family)].append(finding)
    suffering: dict[tuple[str, str], set[str]] = defaultdict(set)
    for subject, causes in explained.items():
        for cause in causes:
            suffering[cause.code, _root(cause, family)].add(subject)
    made = [_entry(root, those, suffering[code, root], family) for (code, root), those in groups.items()]
    others = [one for one in more if not any(_tells(entry, one, family) for entry in made)]
    kept = [entry for entry in made if not any(_outweighs(one, entry) for one in others)]
    return in_order(_with_what_it_does(e, deepest) for e in (*kept, *(_from_beside(one, made) for one in others)))


def _with_what_it_does(entry: Entry, deepest: Mapping[str, Finding]) -> Entry:
    """A cause as bad as the worst of what it does: a Service without answers is no less so for its silent node.

    What is worse than the cause itself is named before the rest.
    """
    order = {name: SEVERITY_ORDER[deepest[name].severity] for name in entry.affected if name in deepest}
    own = SEVERITY_ORDER[entry.finding.severity]
    if min(order.values(), default=own) >= own:
        return entry
    affected = tuple(sorted(entry.affected, key=lambda name: (min(order.get(name, own), own), name)))
    worst = min((deepest[name].severity for name in order), key=SEVERITY_ORDER.__getitem__)
    return replace(entry, finding=replace(entry.finding, severity=worst, affected=affected), affected=affected)


def _outweighs(one: Beside, entry: Entry) -> bool:
    """Whether a finding of other origin says worse of the very object that a cause is told of."""
    return one.instead is not None and entry.finding.code in one.instead and entry.root == one.about


def _from_beside(one: Beside, made: Iterable[Entry]) -> Entry:
    """A finding of other origin as the cause of what its object suffers, and of what the replaced ones cause."""
    milder = (name for entry in made if _outweighs(one, entry) for name in entry.affected)
    affected = tuple(sorted({one.about if "/" in one.about else one.finding.subject, *milder}))
    return Entry(replace(one.finding, affected=affected), one.finding.subject, affected, one.finding.subject)


def _tells(entry: Entry, one: Beside, family: Family) -> bool:
    """Whether a cause tells a finding of other origin: of the same object, or of a pod that belongs to it.

    That a part does not work at all is more than what its pods suffer from, so it is told as well.
    """
    if one.instead is None or (one.instead and entry.finding.code not in one.instead):
        return False
    if SEVERITY_ORDER[entry.finding.severity] > SEVERITY_ORDER[one.finding.severity]:
        return False
    if entry.root == one.about:
        return True
    if one.finding.severity is Severity.CRITICAL:
        return False
    return any(one.about in (name, *family.ancestors(name)) for name in entry.affected)


def _root(finding: Finding, family: Family) -> str:
    return finding.root or family.top(finding.subject)


def _entry(root: str, those: Sequence[Finding], suffering: Iterable[str], family: Family) -> Entry:
    teller = next((f for f in those if f.subject == root), None) or min(
        those, key=lambda f: (SEVERITY_ORDER[f.severity], f.subject)
    )
    worst = min((f.severity for f in those), key=SEVERITY_ORDER.__getitem__)
    # what stops a ReplicaSet is told at the Deployment that people know
    hit = {f.subject if f.subject.startswith("Pod/") else family.top(f.subject) for f in those}
    affected = tuple(sorted(hit | set(suffering)))
    told_by = root if any(family.tells(root, f.subject) for f in those) else family.speaker(teller.subject)
    return Entry(replace(teller, severity=worst, affected=affected), root, affected, told_by)


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Worst first, then deepest, then what affects most; by code and root where all that is equal."""

    def place(entry: Entry) -> tuple[int, int, int, str, str]:
        finding = entry.finding
        return SEVERITY_ORDER[finding.severity], finding.rank, -entry.count, finding.code, entry.root

    return tuple(sorted(entries, key=place))


def _alike(missed: Iterable[NotEvaluated]) -> tuple[NotEvaluated, ...]:
    """One for each rule and missing answer; how many objects were concerned does not matter."""
    kept: dict[tuple[str, str], NotEvaluated] = {}
    for one in missed:
        kept.setdefault((one.code, one.gap.what), one)
    return tuple(kept[key] for key in sorted(kept))


def worst_of(entries: Iterable[Entry]) -> Severity | None:
    """The worst severity, None when there are no entries."""
    return min((e.finding.severity for e in entries), key=SEVERITY_ORDER.__getitem__, default=None)


def owner_of(entry: Entry) -> Ref:
    """The object the entry hangs on."""
    return parse_ref(entry.root)
