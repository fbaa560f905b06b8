"""Relations beside a tree: like ties of like objects in one row, of very many ends outside the tree the first ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.ownership.ties import Relation
from kcompanion.report.document import Block, Cell, Lines, Table, columns

ENDS = 10  # objects of one kind outside the tree to which one object has the same tie; more are counted


@dataclass(frozen=True)
class Surplus:
    """Ends that are counted, not shown; `edge` is the first of those left out."""

    edge: Relation
    count: int
    at_source: bool  # whether they are what the ties come from


def bounded(relations: Iterable[Relation], inside: Collection[Ref]) -> tuple[list[Relation], list[Surplus]]:
    """The ties to show, and what was left out; an end that is missing is always shown."""
    bundles: dict[tuple[str, Ref, str, bool], list[Relation]] = {}
    kept: dict[Relation, None] = {}
    for edge in relations:
        at_source = edge.target in inside
        if (at_source and edge.source in inside) or edge.exists is False:
            kept.setdefault(edge)
            continue
        here, there = (edge.target, edge.source) if at_source else (edge.source, edge.target)
        bundles.setdefault((edge.tie.value, here, there.kind, at_source), []).append(edge)
    surplus: list[Surplus] = []
    for (*_, at_source), edges in bundles.items():
        ends = list(dict.fromkeys(edge.source if at_source else edge.target for edge in edges))
        # one more end is no longer than the line that would count it
        shown = {*ends} if len(ends) <= ENDS + 1 else {*ends[:ENDS]}
        left = [edge for edge in edges if (edge.source if at_source else edge.target) not in shown]
        kept.update(dict.fromkeys(edge for edge in edges if edge not in left))
        if left:
            surplus.append(Surplus(left[0], len(ends) - ENDS, at_source))
    return list(kept), surplus


def blocks(relations: Sequence[Relation], inside: Collection[Ref], *, every: bool) -> list[Block]:
    """The table of relations, or the word that there are none."""
    if not relations:
        return [Lines((say("tree.no_relations"),))]
    shown, surplus = (list(relations), []) if every else bounded(relations, inside)
    groups: dict[tuple[Ref | str, str, Ref | str, bool | None], list[Relation]] = {}
    for edge in shown:
        groups.setdefault(_alike(edge, inside), []).append(edge)
    rows: list[list[Cell]] = [
        [
            _those([edge.source for edge in edges]),
            say(f"tree.tie.{tie}"),
            _those([edge.target for edge in edges]),
            _detail(edges),
        ]
        for (_, tie, _, _), edges in groups.items()
    ]
    rows += [_counted(one) for one in surplus]
    return [Table(columns("FROM RELATION TO +DETAIL"), rows)]


def _alike(edge: Relation, inside: Collection[Ref]) -> tuple[Ref | str, str, Ref | str, bool | None]:
    """What makes one row: a Service that serves forty pods of the tree is one line."""
    source: Ref | str = edge.source.kind if edge.source in inside and edge.target not in inside else edge.source
    target: Ref | str = edge.target.kind if edge.target in inside else edge.target
    return source, edge.tie.value, target, edge.exists


def _those(refs: Sequence[Ref]) -> Message | str:
    distinct = list(dict.fromkeys(refs))
    if len(distinct) == 1:
        return str(distinct[0])
    return say("tree.those", count=len(distinct), kind=distinct[0].kind)


def _detail(edges: Sequence[Relation]) -> Message | str:
    if edges[0].exists is False:
        return say("tree.missing")
    if edges[0].gap is not None:
        return say("tree.unseen", reason=say(f"common.outcome.{edges[0].gap.outcome.value}"))
    return ", ".join(sorted({edge.detail for edge in edges})[:3])


def _counted(one: Surplus) -> list[Cell]:
    rest = (one.edge.source if one.at_source else one.edge.target).kind
    counted = say("tree.rest.ends", count=one.count, kind=rest)
    other = str(one.edge.target if one.at_source else one.edge.source)
    tie = say(f"tree.tie.{one.edge.tie.value}")
    return [counted, tie, other, ""] if one.at_source else [other, tie, counted, ""]
