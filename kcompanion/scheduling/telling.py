"""Of all that keeps a pod off all nodes, what tells the story.

Nodes are sorted out step by step: those that the pod itself does not want, those kept for the control plane, those its
volumes cannot be reached from, cordoned and tainted ones. What keeps the pod off the nodes that are left last is
the telling reason; a step that leaves no node is it itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kcompanion.model.message import Message
from kcompanion.scheduling.messages import Reason, Told
from kcompanion.scheduling.placement import Placement, Verdict
from kcompanion.scheduling.result import Miss

# (numbers, kinds) of each step; no kinds means all.
STEPS: tuple[tuple[frozenset[int], frozenset[str]], ...] = tuple(
    (frozenset(numbers), frozenset(kinds))
    for numbers, kinds in (
        ({65}, ()),
        ({63, 64}, ()),
        ({62}, ("reserved",)),
        ({74, 80}, ()),
        ({83}, ()),
        ({67}, ()),
        ({62}, ("sick",)),
        ({62}, ()),
        ({61}, ("no_resource",)),
    )
)
# Of the reasons that come last, which is told first when they hold for equally many nodes.
LAST = (61, 66, 81, 75, 76, 73, 72, 69, 70, 71, 82)


@dataclass(frozen=True)
class Telling:
    """The telling misses, each with its node, and what keeps the pod off the other nodes."""

    number: int
    misses: tuple[tuple[str, Miss], ...]
    others: tuple[tuple[int, Miss], ...] = ()  # how many nodes, and one of the misses

    @property
    def miss(self) -> Miss:
        return self.misses[0][1]


def telling(placement: Placement) -> Telling | None:
    """The telling reason; None when some node may fit."""
    if not placement.verdicts or len(placement.refusing) < len(placement.verdicts):
        return None
    first = placement.verdicts[0]
    whole = next((miss for miss in first.misses if miss.whole), None)
    if whole is not None:
        return Telling(whole.number, ((first.node, whole),))
    # nodes of the control plane last: what is said of a worker tells more
    left = sorted(placement.verdicts, key=lambda v: any(miss.kind == "reserved" for miss in v.misses))
    for numbers, kinds in STEPS:
        failing = [v for v in left if _of(v, numbers, kinds)]
        if len(failing) == len(left):
            return _made(failing, [(v.node, m) for v in failing for m in _of(v, numbers, kinds)], placement)
        left = [v for v in left if v not in failing]
    number = _commonest(left)
    return _made(left, [(v.node, m) for v in left for m in v.misses if m.number == number], placement)


def grouped(verdicts: Iterable[Verdict]) -> list[tuple[Miss, list[str]]]:
    """Nodes by the first thing that keeps the pod off them, the most common first; a bounded view of many nodes."""
    groups: dict[tuple[str, ...], tuple[Miss, list[str]]] = {}
    for verdict in verdicts:
        if verdict.misses:
            miss = _foremost(verdict)
            groups.setdefault(_kind(miss), (miss, []))[1].append(verdict.node)
    return sorted(groups.values(), key=lambda group: (-len(group[1]), group[1][0]))


def by_miss(verdicts: Iterable[Verdict]) -> list[tuple[Miss, list[str]]]:
    """Everything that keeps the pod off any node, each with its nodes, the most common first."""
    groups: dict[tuple[str, ...], tuple[Miss, list[str]]] = {}
    for verdict in verdicts:
        for key, miss in {_kind(miss): miss for miss in reversed(verdict.misses)}.items():
            groups.setdefault(key, (miss, []))[1].append(verdict.node)
    return sorted(groups.values(), key=lambda group: (-len(group[1]), group[1][0]))


def told_reason(told: Told) -> Reason | None:
    """The telling reason of a message, when nothing can be recomputed: not the control plane's taint if another is."""
    known = [reason for reason in told.reasons if reason.number]
    worth = [r for r in known if "control-plane" not in r.text and "role.kubernetes.io/master" not in r.text]
    return max(worth or known, key=lambda r: (not r.count, r.count), default=None)


def _of(verdict: Verdict, numbers: frozenset[int], kinds: frozenset[str]) -> list[Miss]:
    return [m for m in verdict.misses if m.number in numbers and (not kinds or m.kind in kinds)]


def _commonest(left: Sequence[Verdict]) -> int:
    counts = Counter(number for v in left for number in {m.number for m in v.misses})
    order = {number: place for place, number in enumerate(LAST)}
    return min(counts, key=lambda n: (-counts[n], order.get(n, len(LAST))))


def _made(nodes: Sequence[Verdict], misses: list[tuple[str, Miss]], placement: Placement) -> Telling:
    mine = {verdict.node for verdict in nodes if any(node == verdict.node for node, _ in misses)}
    rest = [verdict for verdict in placement.verdicts if verdict.node not in mine]
    others = tuple((len(names), miss) for miss, names in grouped(rest))
    return Telling(misses[0][1].number, tuple(misses), others)


def _foremost(verdict: Verdict) -> Miss:
    """What to say first of a node: what comes first in the steps."""
    for numbers, kinds in STEPS:
        if found := _of(verdict, numbers, kinds):
            return found[0]
    return verdict.misses[0]


def by_reason(verdicts: Iterable[Verdict]) -> list[tuple[list[Message], list[str]]]:
    """Nodes by everything that keeps the pod off them, in short, the most common first: a bounded view of many."""
    groups: dict[tuple[str, ...], tuple[list[Message], list[str]]] = {}
    for verdict in verdicts:
        shorts = {_kind(miss): miss.short for miss in verdict.misses}
        key = tuple(sorted(map(str, shorts)))
        groups.setdefault(key, (list(shorts.values())[:3], []))[1].append(verdict.node)
    return sorted(groups.values(), key=lambda group: (-len(group[1]), group[1][0]))


def _kind(miss: Miss) -> tuple[str, ...]:
    return (miss.kind, *(str(miss.values.get(key, "")) for key in ("taint", "resource", "key", "wanted")))
