"""Which lines of a tree are shown: what fails or was asked for always, of many alike the first ones and a count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kcompanion.model.fields import annotations_of, dig
from kcompanion.ownership.tree import Node
from kcompanion.report.tree_state import State

SIBLINGS = 10  # of one kind below one owner; more are counted (all with -o wide)
REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True)
class Rest:
    """Siblings that are not shown. `old` are ReplicaSets of earlier revisions, scaled to 0; `failing` of them fail."""

    kind: str
    count: int
    old: bool = False
    revisions: tuple[int, ...] = ()
    failing: int = 0


@dataclass(frozen=True)
class Limits:
    """How many siblings of one kind are shown: of those that are well, of those that fail (None: all)."""

    siblings: int = SIBLINGS
    failing: int | None = None


@dataclass(frozen=True)
class Line:
    """A shown object with its shown children and what was left out below it."""

    node: Node
    children: tuple[Line, ...] = ()
    rests: tuple[Rest, ...] = ()

    def walk(self) -> Iterator[Line]:
        yield self
        for child in self.children:
            yield from child.walk()


def view(root: Node, states: Mapping[str, State], *, every: bool, limits: Limits | None = None) -> Line:
    """The lines of a tree; `every` shows them all."""
    notable = set() if every else _notable(root, states)
    return _line(root, notable, None if every else limits or Limits())


def _notable(node: Node, states: Mapping[str, State]) -> set[str]:
    """What may not be hidden: what fails, what was asked for, and everything above these."""
    found: set[str] = set()
    for child in node.children:
        found |= _notable(child, states)
    if found or node.asked or states[node.entity.uid].bad:
        found.add(node.entity.uid)
    return found


def _line(node: Node, notable: set[str], limits: Limits | None) -> Line:
    kept, rests = (node.children, ()) if limits is None else _kept(node, notable, limits)
    return Line(node, tuple(_line(child, notable, limits) for child in kept), tuple(rests))


def _kept(node: Node, notable: set[str], limits: Limits) -> tuple[Sequence[Node], Sequence[Rest]]:
    quiet = [child for child in node.children if child.entity.uid not in notable]
    old = [child for child in quiet if _is_old(child)] if node.entity.ref.kind == "Deployment" else []
    hidden = {child.entity.uid for child in old}
    rests = []
    if len(old) > 1:
        revisions = tuple(sorted(number for child in old if (number := revision(child)) is not None))
        rests.append(Rest("ReplicaSet", len(old), old=True, revisions=revisions))
    else:
        hidden = set()
    room = Counter({kind: limits.siblings for kind in {child.entity.ref.kind for child in node.children}})
    room.subtract(child.entity.ref.kind for child in node.children if child.entity.uid in notable)
    left: Counter[str] = Counter()
    totals = Counter(child.entity.ref.kind for child in node.children)
    for child in quiet:
        kind = child.entity.ref.kind
        if child.entity.uid in hidden:
            continue
        # one more line is no longer than the line that would count it
        if room[kind] > 0 or totals[kind] <= limits.siblings + 1:
            room[kind] -= 1
        else:
            hidden.add(child.entity.uid)
            left[kind] += 1
    failing: Counter[str] = Counter()
    if limits.failing is not None:
        shown: Counter[str] = Counter()
        for child in node.children:
            kind = child.entity.ref.kind
            shown[kind] += child.entity.uid in notable
            if child.entity.uid in notable and shown[kind] > limits.failing:
                hidden.add(child.entity.uid)
                left[kind] += 1
                failing[kind] += 1
    rests += [Rest(kind, left[kind], failing=failing[kind]) for kind in sorted(left)]
    return [child for child in node.children if child.entity.uid not in hidden], rests


def _is_old(node: Node) -> bool:
    return node.entity.ref.kind == "ReplicaSet" and not node.children and dig(node.entity.item, "spec", "replicas") == 0


def revision(node: Node) -> int | None:
    """The revision of a ReplicaSet of a Deployment, or of a ControllerRevision."""
    given = annotations_of(node.entity.item).get(REVISION) if node.entity.ref.kind == "ReplicaSet" else None
    number = dig(node.entity.item, "revision") if node.entity.ref.kind == "ControllerRevision" else None
    if isinstance(given, str) and given.isdecimal():
        return int(given)
    return number if isinstance(number, int) else None
