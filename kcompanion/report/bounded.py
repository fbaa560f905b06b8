"""What of a big cluster is shown in a table: what is bad, what is full, and how much was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kcompanion.controlplane.nodes import Node
from kcompanion.model.finding import Finding, Status
from kcompanion.model.message import say
from kcompanion.report.document import Lines, Section

SHOWN = 25  # rows of a table; beyond, groups and the bad ones (all with -o wide)
FULLEST = 10  # rows of the table of room
PER_CODE = 5  # findings of one code


def selected(nodes: Sequence[Node]) -> list[Node]:
    """Every node that is not well, then the control plane's, real and fake ones as far as there is room; by name."""
    if len(nodes) <= SHOWN:
        return list(nodes)
    bad = [node for node in nodes if node.status is not Status.OK]
    good = sorted(
        (node for node in nodes if node.status is Status.OK),
        key=lambda node: (not node.roles, node.fake, node.name),
    )
    kept = {node.name for node in [*bad, *good[: max(0, SHOWN - len(bad))]]}
    return [node for node in nodes if node.name in kept]


def fullest(nodes: Sequence[Node]) -> list[Node]:
    """The nodes with the largest share requested of any resource, the fullest first."""
    return sorted(nodes, key=lambda n: (-max(n.room.used("cpu") or 0, n.room.used("memory") or 0), n.name))[:FULLEST]


def first_of_each(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """At most PER_CODE findings of one code: a hundred nodes with one trouble are one story."""
    seen: Counter[str] = Counter()
    kept = []
    for finding in findings:
        seen[finding.code] += 1
        if seen[finding.code] <= PER_CODE:
            kept.append(finding)
    return tuple(kept)


def more_findings(count: int) -> Section:
    """That findings were left out, and where they are."""
    return Section(say("nodes.section.more"), [Lines((say("nodes.more_findings", count=count),))])
