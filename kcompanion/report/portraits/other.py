"""PodDisruptionBudgets, and any other kind by its conditions."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.model.message import one_or_many, say
from kcompanion.report.portraits import common, events, owners
from kcompanion.report.portraits.common import count_at
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label


def allowed(sight: Sight) -> Iterator[Fact]:
    """How many pods may be taken away right now."""
    item = sight.item
    count = count_at(item, "status", "disruptionsAllowed")
    yield (
        label("budget"),
        say(
            one_or_many("portrait.pdb.counts", count),
            healthy=count_at(item, "status", "currentHealthy"),
            needed=count_at(item, "status", "desiredHealthy"),
            expected=count_at(item, "status", "expectedPods"),
            allowed=count,
        ),
    )


PDB: tuple[Part, ...] = (
    facts(allowed, common.selector, common.created, common.deletion),
    common.conditions,
)
ANY: tuple[Part, ...] = (
    facts(owners.belongs, common.created, common.deletion),
    common.conditions,
    events.recent,
)
