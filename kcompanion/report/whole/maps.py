"""Workloads as maps of owners, by namespace: siblings that are well are counted, what fails is shown.

Of a large cluster only so many lines are drawn; each namespace says how many owners it leaves out and that they are
well. Only where a single owner has very many failing siblings are some of these counted too, and told as failing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kcompanion.model.finding import Status, worst
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.ownership.tree import Node
from kcompanion.report.document import Lines, Section, Tree
from kcompanion.report.tree import Grown, branch
from kcompanion.report.tree_view import Limits, Line, Rest, view

LINES = 800  # of all maps together, beside what fails
LEAST = 4  # lines each namespace may have even then
SPACES = 80  # namespaces with a map of their own
LIMITS = Limits(siblings=5, failing=20)
FAILING = 1200  # lines about what fails


@dataclass(frozen=True)
class Map:
    """The owners of one namespace (empty: of none) that are shown, and how many are not."""

    namespace: str
    lines: tuple[Line, ...]
    total: int
    hidden: int
    failing_hidden: int
    status: Status


def maps(grown: Grown) -> list[Map]:
    """All namespaces with something failing first, then by name; bounded."""
    spaces: dict[str, list[Node]] = {}
    for root in grown.forest.roots:
        spaces.setdefault(root.entity.ref.namespace, []).append(root)
    bad = {root.entity.uid for root in grown.forest.roots if _fails(root, grown)}
    order = sorted(spaces, key=lambda space: (not any(root.entity.uid in bad for root in spaces[space]), space))
    room = _Room(FAILING, LINES, max(LEAST, LINES // max(1, len(order))))
    return [_map(space, spaces[space], bad, grown, room) for space in order]


class _Room:
    """How many lines are left."""

    def __init__(self, failing: int, well: int, each: int) -> None:
        self.failing = failing
        self.well = well
        self.each = each


def _map(space: str, roots: Sequence[Node], bad: set[str], grown: Grown, room: _Room) -> Map:
    shown: list[Line] = []
    failing_hidden = 0
    here = room.each
    for root in sorted(roots, key=lambda one: one.entity.uid not in bad):
        failing = root.entity.uid in bad
        if (room.failing if failing else min(here, room.well)) <= 0:
            failing_hidden += failing
            continue
        line = view(root, grown.states, every=False, limits=LIMITS)
        length = sum(1 + len(one.rests) for one in line.walk())
        if failing:
            room.failing -= length
        else:
            room.well -= length
            here -= length
        shown.append(line)
    known = [status for root in roots for node in root.walk() if (status := grown.state(node).status) is not None]
    status = worst(known) if known else Status.UNKNOWN
    return Map(space, tuple(shown), len(roots), len(roots) - len(shown), failing_hidden, status)


def _fails(root: Node, grown: Grown) -> bool:
    return any(grown.state(node).bad for node in root.walk())


def sections(found: Sequence[Map], grown: Grown) -> list[Section]:
    """One section for each namespace, and one line for those beyond SPACES."""
    shown = found[:SPACES]
    made = [_section(one, grown) for one in shown if one.lines]
    left = len(found) - len(shown)
    if left:
        owners = sum(one.total for one in found[SPACES:])
        made.append(Section(say("report.maps.more"), [Lines([say("report.maps.spaces", count=left, owners=owners)])]))
    return made


def _section(one: Map, grown: Grown) -> Section:
    title = say("report.maps.space", namespace=one.namespace) if one.namespace else say("report.maps.nodes")
    tree = Tree([branch(line, grown, counted=_counted) for line in one.lines])
    hidden = one.hidden - one.failing_hidden
    told: list[Message] = []
    if hidden:
        told.append(say(one_or_many("report.maps.hidden", hidden), count=hidden))
    if one.failing_hidden:
        told.append(say("report.maps.failing_hidden", count=one.failing_hidden, namespace=one.namespace))
    return Section(title, [tree, *([Lines(told)] if told else [])], one.status)


def _counted(rest: Rest) -> Message:
    if rest.failing:
        return say("report.maps.rest_failing", count=rest.count, kind=rest.kind, failing=rest.failing)
    if rest.old:
        return say("report.maps.rest_old", count=rest.count)
    return say("report.maps.rest", count=rest.count, kind=rest.kind)


def kinds_of(grown: Grown) -> Counter[str]:
    """How many objects of each kind the maps are drawn from."""
    return Counter(node.entity.ref.kind for node in grown.forest.walk())
