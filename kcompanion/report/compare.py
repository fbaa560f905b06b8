"""What changed between two reports: a pure function of their JSON, so that files of last year can be compared too.

A report is taken apart into things (a node, an instance, an owner, a cause), each with its aspects. Ages, times and
counts that are never the same twice are no aspects. What one of the two could not see is not compared, and said so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kcompanion.model.finding import Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.report.document import Cell, Lines, Section, Table, columns

Body = Mapping[str, Any]
Aspects = Mapping[str, str | None]
Things = Mapping[str, Aspects]
ROWS = 200  # of one area


class How(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One aspect of one thing that changed, or a whole thing that came or went."""

    area: str
    subject: str
    how: How
    aspect: str = ""
    before: str | None = None
    after: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "area": self.area,
            "subject": self.subject,
            "change": self.how.value,
            "aspect": self.aspect or None,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True)
class Comparison:
    """All changes by area, and the areas that could not be compared."""

    changes: tuple[Change, ...]
    not_compared: tuple[str, ...]


def compare(before: Body, after: Body) -> Comparison:
    """Everything that changed from one report to the other."""
    changes: list[Change] = []
    missing: list[str] = []
    for area, read in AREAS.items():
        old, new = read(before), read(after)
        if old is None and new is None:
            continue
        if old is None or new is None:
            missing.append(area)
            continue
        changes += _changes(area, old, new)
    return Comparison(tuple(changes), tuple(missing))


def _changes(area: str, old: Things, new: Things) -> Iterator[Change]:
    for subject in sorted({*old, *new}):
        if subject not in old:
            yield Change(area, subject, How.ADDED, after=_told(new[subject]))
        elif subject not in new:
            yield Change(area, subject, How.REMOVED, before=_told(old[subject]))
        else:
            was, now = old[subject], new[subject]
            for aspect in sorted({*was, *now}):
                if was.get(aspect) != now.get(aspect):
                    yield Change(area, subject, How.CHANGED, aspect, was.get(aspect), now.get(aspect))


def _told(aspects: Aspects) -> str:
    return ", ".join(str(value) for value in aspects.values() if value)


# ------------------------------------------------------------------------------------------------- areas


def _plane(body: Body) -> Mapping[str, Any] | None:
    found = body.get("controlPlane")
    return found if isinstance(found, Mapping) else None


def _cluster(body: Body) -> Things | None:
    plane = _plane(body)
    if plane is None:
        return None
    quorum = plane["etcd"].get("quorum") or {}
    return {
        "Kubernetes": {"version": plane.get("version")},
        "etcd": {
            "topology": plane["etcd"].get("topology"),
            "members": _text(quorum.get("members")),
            "alive": _text(quorum.get("alive")),
        },
    }


def _components(body: Body) -> Things | None:
    plane = _plane(body)
    if plane is None:
        return None
    return {
        f"{component['name']} ({instance['node'] or instance['pod'] or '?'})": {
            "version": instance["version"],
            "image": instance["image"],
            "health": instance["health"]["status"],
        }
        for component in plane["components"]
        for instance in component["instances"]
    }


def _leaders(body: Body) -> Things | None:
    plane = _plane(body)
    if plane is None:
        return None
    return {
        component["name"]: {"leader": component["leader"]["node"] or component["leader"]["holder"]}
        for component in plane["components"]
        if component.get("leader")
    }


def _flags(body: Body) -> Things | None:
    plane = _plane(body)
    if plane is None:
        return None
    return {
        f"{component} ({node})": {f"--{flag}": _text(value) for flag, value in given.items()}
        for component, by_node in plane["flags"].items()
        for node, given in by_node.items()
    }


def _nodes(body: Body) -> Things | None:
    rows = body.get("nodes")
    if rows is None:
        return None
    return {
        row["name"]: {
            "state": row["state"],
            "health": row["status"],
            "roles": ",".join(row["roles"]) or "worker",
            "kubelet": row["kubeletVersion"],
            "runtime": row.get("containerRuntime"),
            "kernel": row.get("kernel"),
            "taints": ",".join(row.get("taints", [])) or None,
        }
        for row in rows
    }


def _addons(body: Body) -> Things | None:
    found = body.get("addons")
    if not isinstance(found, Mapping):
        return None
    rows = {row["product"]: row for row in found["addons"] if row["present"]}
    things: dict[str, Aspects] = {
        name: {"version": row["version"], "health": row["status"]} for name, row in rows.items()
    }
    dns = found["dns"]
    if dns.get("product"):
        things[str(dns["product"])] = {"version": dns.get("version"), "health": dns.get("status")}
    return things


def _namespaces(body: Body) -> Things:
    return {row["name"]: {"phase": row["phase"]} for row in body["namespaces"]}


def _owners(body: Body) -> Things:
    return {
        "/".join(part for part in (row["kind"], row["namespace"], row["name"]) if part): {
            "state": row["state"],
            "health": row["status"],
            "images": ", ".join(row["images"]) or None,
            "pods": str(row["pods"]),
        }
        for row in body["owners"]
    }


def _services(body: Body) -> Things:
    return {
        f"{row['namespace']}/{row['name']}": {
            "type": row["type"],
            "ports": ", ".join(row["ports"]),
            "selector": row["selector"],
            "ready": None if row["readyEndpoints"] is None else f"{row['readyEndpoints']}/{row['endpoints']}",
        }
        for row in body["services"]
    }


def _findings(body: Body) -> Things:
    """By code and root. Their sentences hold ages; what counts is that they are there, and how bad they are."""
    return {f"{row['code']} {row['root']}": {"severity": row["severity"]} for row in body["health"]["entries"]}


AREAS: Mapping[str, Callable[[Body], Things | None]] = {
    "cluster": _cluster,
    "components": _components,
    "leaders": _leaders,
    "flags": _flags,
    "nodes": _nodes,
    "addons": _addons,
    "namespaces": _namespaces,
    "owners": _owners,
    "services": _services,
    "findings": _findings,
}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


# ------------------------------------------------------------------------------------------------ in words


def verdict(found: Comparison) -> Message:
    """How many changes there are, and where."""
    if not found.changes:
        return say("diff.verdict.missing" if found.not_compared else "diff.verdict.same")
    count = len(found.changes)
    return say(one_or_many("diff.verdict.changed", count), count=count, areas=len(_by_area(found)))


def status(found: Comparison) -> Status:
    """A change is a warning, whatever it is; what was not compared is unknown."""
    if found.not_compared:
        return Status.UNKNOWN
    return Status.WARN if found.changes else Status.OK


def sections(found: Comparison) -> list[Section]:
    """A table for each area with changes, then what was not compared."""
    made = []
    for area, changes in _by_area(found).items():
        rows: list[Sequence[Cell]] = [
            (say(f"diff.how.{one.how.value}"), one.subject, one.aspect or None, one.before, one.after)
            for one in changes[:ROWS]
        ]
        table = Table(columns("CHANGE WHAT ASPECT BEFORE AFTER"), rows)
        left = len(changes) - len(rows)
        more = [Lines([say("diff.more", count=left)])] if left else []
        made.append(Section(say(f"diff.area.{area}", count=len(changes)), [table, *more]))
    if found.not_compared:
        lines = Lines([say("diff.not_compared", area=say(f"diff.area_name.{area}")) for area in found.not_compared])
        made.append(Section(say("diff.section.missing"), [lines]))
    return made


def _by_area(found: Comparison) -> dict[str, list[Change]]:
    areas: dict[str, list[Change]] = {}
    for change in found.changes:
        areas.setdefault(change.area, []).append(change)
    return areas


def to_json(found: Comparison) -> dict[str, Any]:
    """The body: every change, counted by area."""
    return {
        "changed": bool(found.changes),
        "changes": [change.to_json() for change in found.changes],
        "byArea": dict(sorted(Counter(change.area for change in found.changes).items())),
        "notCompared": list(found.not_compared),
    }
