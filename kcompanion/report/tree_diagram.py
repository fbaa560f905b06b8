"""The tree as boxes and arrows, for mermaid, dot and SVG: the same lines as in the terminal, and the relations."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.model.finding import Status
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.ownership.ties import Relation
from kcompanion.report.document import Arrow, Box, Diagram
from kcompanion.report.tree import Grown, verdict
from kcompanion.report.tree_relations import Surplus, bounded
from kcompanion.report.tree_view import Line, view


def diagram(grown: Grown, *, every: bool = False) -> Diagram:
    """Boxes are numbered in the order of the tree, so the same cluster gives the same picture."""
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    keys: dict[Ref, str] = {}
    uids: dict[str, str] = {}
    for root in grown.forest.roots:
        _add(view(root, grown.states, every=every), "", grown, boxes, arrows, keys, uids)
    arrows += _second_owners(grown, uids)
    inside = {node.entity.ref for node in grown.forest.walk()}
    space = grown.forest.roots[0].entity.ref.namespace if grown.forest.roots else ""
    shown, surplus = bounded(grown.relations or (), inside)
    _relate(shown, boxes, arrows, keys, hidden=inside - {*keys}, space=space)
    for one in surplus:
        _count(one, boxes, arrows, keys)
    return Diagram(verdict(grown)[0], boxes, arrows)


def _add(
    line: Line,
    above: str,
    grown: Grown,
    boxes: list[Box],
    arrows: list[Arrow],
    keys: dict[Ref, str],
    uids: dict[str, str],
) -> None:
    node, state = line.node, grown.state(line.node)
    key = f"n{len(boxes) + 1}"
    keys[node.entity.ref] = uids[node.entity.uid] = key
    name = _name(node.entity.ref, "" if not above else grown.forest.roots[0].entity.ref.namespace)
    boxes.append(Box(key, node.entity.ref.kind, name, state.status, state.word, node.asked))
    if above:
        weak = node.reference is not None and not node.reference.controller
        arrows.append(Arrow(above, key, say("tree.note.not_controller") if weak else None))
    for child in line.children:
        _add(child, key, grown, boxes, arrows, keys, uids)
    for rest in line.rests:
        more = f"n{len(boxes) + 1}"
        boxes.append(Box(more, rest.kind, f"… {rest.count}"))
        arrows.append(Arrow(key, more))


def _second_owners(grown: Grown, uids: dict[str, str]) -> list[Arrow]:
    """Owners beside the one above which an object stands."""
    return [
        Arrow(uids[owner.reference.uid], uids[node.entity.uid], say("tree.tie.also_owns"), bent=True)
        for node in grown.forest.walk()
        for owner in node.owners
        if owner.reference != node.reference and owner.reference.uid in uids and node.entity.uid in uids
    ]


def _relate(
    relations: Sequence[Relation],
    boxes: list[Box],
    arrows: list[Arrow],
    keys: dict[Ref, str],
    *,
    hidden: set[Ref],
    space: str,
) -> None:
    """Dashed arrows; the ends outside the tree get boxes of their own."""
    owned = {(arrow.source, arrow.target) for arrow in arrows}
    for edge in relations:
        if edge.source in hidden or edge.target in hidden:
            continue
        if (keys.get(edge.source), keys.get(edge.target)) in owned:  # that an owner selects its own goes without saying
            continue
        for ref in (edge.source, edge.target):
            if ref not in keys:
                keys[ref] = f"n{len(boxes) + 1}"
                missing = ref == edge.target and edge.exists is False
                status = Status.FAIL if missing else None
                boxes.append(
                    Box(keys[ref], ref.kind, _name(ref, space), status, "NotFound" if missing else "", outside=True)
                )
        label = say(f"tree.tie.{edge.tie.value}")
        arrows.append(Arrow(keys[edge.source], keys[edge.target], label, owns=False))


def _count(one: Surplus, boxes: list[Box], arrows: list[Arrow], keys: dict[Ref, str]) -> None:
    """A box for the ends that are not drawn."""
    here, there = (one.edge.target, one.edge.source) if one.at_source else (one.edge.source, one.edge.target)
    if here not in keys:
        return
    more = f"n{len(boxes) + 1}"
    boxes.append(Box(more, there.kind, f"… {one.count}", outside=True))
    ends = (more, keys[here]) if one.at_source else (keys[here], more)
    arrows.append(Arrow(*ends, say(f"tree.tie.{one.edge.tie.value}"), owns=False))


def _name(ref: Ref, space: str) -> str:
    """The name, with the namespace where that is another one than the picture's."""
    return ref.name if ref.namespace == space else ref.place
