"""Namespaces with what lives in them, and claims with the volumes behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import name_of, namespace_of, text_at
from kcompanion.model.finding import Severity, Status
from kcompanion.model.message import say
from kcompanion.report.document import Block, Cell, Lines, Table, columns
from kcompanion.report.whole.gathered import Gathered, namespace_of_entry

ROWS = 100


@dataclass(frozen=True)
class Space:
    """A namespace; counts are None where the objects could not be read."""

    name: str
    phase: str
    pods: int | None
    workloads: int | None
    services: int | None
    claims: int | None
    causes: int
    status: Status

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "phase": self.phase or None,
            "pods": self.pods,
            "workloads": self.workloads,
            "services": self.services,
            "claims": self.claims,
            "causes": self.causes,
            "status": self.status.value,
        }


def spaces(found: Gathered) -> list[Space]:
    """The namespaces in scope by name; those that only show in their objects too."""
    phases = {name_of(item): text_at(item, "status", "phase") for item in found.world.seen(r.NAMESPACES)}
    roots = (root.entity for root in found.grown.forest.roots)
    workloads = Counter(one.ref.namespace for one in roots if one.resource not in (r.PODS, r.NODES))
    counts = {resource: _counted(found, resource) for resource in (r.PODS, r.SERVICES, r.PERSISTENTVOLUMECLAIMS)}
    causes: Counter[str] = Counter()
    critical: Counter[str] = Counter()
    for entry in found.entries:
        if entry.finding.severity is not Severity.INFO:
            space = namespace_of_entry(entry)
            causes[space] += 1
            critical[space] += entry.finding.severity is Severity.CRITICAL
    names = {*phases, *(space for one in counts.values() if one for space in one)}
    if found.scope.namespace:
        names = {found.scope.namespace}
    return [
        Space(
            name,
            phases.get(name, ""),
            _of(counts[r.PODS], name),
            workloads[name],
            _of(counts[r.SERVICES], name),
            _of(counts[r.PERSISTENTVOLUMECLAIMS], name),
            causes[name],
            _status(causes[name], critical[name]),
        )
        for name in sorted(names)
    ]


def _counted(found: Gathered, resource: Any) -> Mapping[str, int] | None:  # noqa: ANN401 - Resource
    if not found.read(resource):
        return None
    return Counter(namespace_of(item) for item in found.objects(resource))


def _of(counts: Mapping[str, int] | None, name: str) -> int | None:
    return None if counts is None else counts.get(name, 0)


def _status(causes: int, critical: int) -> Status:
    return Status.FAIL if critical else Status.WARN if causes else Status.OK


def blocks(found: Sequence[Space]) -> list[Block]:
    """The table; of very many namespaces those with causes first, then the fullest."""
    ranked = sorted(found, key=lambda one: (one.status is Status.OK, -(one.pods or 0), one.name))[:ROWS]
    kept = {one.name for one in ranked}
    rows: list[list[Cell]] = [
        [one.name, one.status, one.phase, one.pods, one.workloads, one.services, one.claims, one.causes or None]
        for one in found
        if one.name in kept
    ]
    made: list[Block] = [Table(columns("NAMESPACE HEALTH PHASE PODS OWNERS SERVICES CLAIMS CAUSES"), rows)]
    if len(found) > len(rows):
        made.append(Lines([say("report.more_rows", count=len(found) - len(rows), total=len(found))]))
    return made


# ------------------------------------------------------------------------------------------------ claims


def claims(found: Gathered) -> list[dict[str, Any]]:
    """The claims in scope with volume, size and class, by namespace and name."""
    items = sorted(found.objects(r.PERSISTENTVOLUMECLAIMS), key=lambda one: (namespace_of(one), name_of(one)))
    return [
        {
            "namespace": namespace_of(item),
            "name": name_of(item),
            "phase": text_at(item, "status", "phase") or None,
            "volume": text_at(item, "spec", "volumeName") or None,
            "size": text_at(item, "status", "capacity", "storage")
            or text_at(item, "spec", "resources", "requests", "storage")
            or None,
            "class": text_at(item, "spec", "storageClassName") or None,
        }
        for item in items
    ]


def claim_blocks(rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The table of claims."""
    if not rows:
        return [Lines([say("report.no_claims")])]
    ranked = sorted(rows, key=lambda row: row["phase"] == "Bound")[:ROWS]
    kept = [[row[key] for key in ("namespace", "name", "phase", "volume", "size", "class")] for row in ranked]
    made: list[Block] = [Table(columns("NAMESPACE CLAIM PHASE VOLUME SIZE CLASS"), kept)]
    if len(rows) > len(kept):
        made.append(Lines([say("report.more_rows", count=len(rows) - len(kept), total=len(rows))]))
    return made
