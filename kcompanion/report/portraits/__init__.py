"""Portraits: what an object is, beside what is wrong with it; one module for each family of kinds."""

from __future__ import annotations

from collections.abc import Callable

from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report.document import Section

# kind: the sections that show such an object. `explain=True` adds lessons (--explain).
Portrait = Callable[[Object, World, bool], list[Section]]
PORTRAITS: dict[str, Portrait] = {}


def portrait(item: Object, kind: str, world: World, *, explain: bool) -> list[Section]:
    """The sections of a kind; none where what they need is not known (the wish is noted in the World)."""
    draw = PORTRAITS.get(kind)
    if draw is None:
        return []
    try:
        return draw(item, world, explain)
    except NotKnown:
        return []
