"""An earlier reading to compare with: what it held already, and what it cannot say because it was not read then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kcompanion.explain.judge import NotEvaluated
from kcompanion.explain.sweep import Entry, Sweep, resources
from kcompanion.model.fields import text_at
from kcompanion.model.resources import NAMESPACES
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.model.times import format_time
from kcompanion.model.world import NotKnown, World

_KINDS = {resource.plural: resource.kind for resource in resources("")}


@dataclass(frozen=True)
class Baseline:
    """The earlier reading and what a sweep saw in it."""

    snapshot: Snapshot
    sweep: Sweep

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What was not read then, each once."""
        found = {one.gap.what: one.gap for one in self.sweep.not_evaluated}
        return tuple(found[key] for key in sorted(found))

    def doubts(self, counted: Iterable[Entry]) -> tuple[Gap, ...]:
        """Gaps for which causes that seem new may be old ones."""
        missed = {gap.what: gap for entry in counted for gap in self._silent_on(entry)}
        return tuple(missed[key] for key in sorted(missed))

    def _silent_on(self, entry: Entry) -> Iterator[Gap]:
        names = (entry.root, entry.finding.subject, *entry.affected)
        kinds = {name.partition("/")[0] for name in names}
        for one in self.sweep.not_evaluated:
            if one.code == entry.finding.code or _KINDS.get(_unlisted(one)) in kinds:
                yield one.gap

    def is_of(self, snapshot: Snapshot) -> bool:
        """Whether both are of one cluster: told by a namespace that is never made anew, else by the name."""
        uids = [_uid(one) for one in (self.snapshot, snapshot)]
        names = [one.origin.cluster for one in (self.snapshot, snapshot)]
        first, second = uids if all(uids) else names
        return first == second or not (first and second)

    def to_json(self) -> dict[str, Any]:
        return {
            "cluster": self.snapshot.origin.cluster,
            "capturedAt": format_time(self.snapshot.now),
            "gaps": [gap.to_json() for gap in self.gaps],
        }


def _unlisted(one: NotEvaluated) -> str:
    """The objects that were not all listed, in the plural; empty where only a rule lacked something."""
    return one.subject if one.code == "*" else ""


def _uid(snapshot: Snapshot) -> str:
    try:
        return text_at(World(snapshot).get(NAMESPACES, "kube-system") or {}, "metadata", "uid")
    except NotKnown:
        return ""
