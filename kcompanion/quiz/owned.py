"""What several makers ask of an object: who controls it, and how many pods it wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompanion.model.fields import dig, maps_at
from kcompanion.model.snapshot import Object


def controller_reference(item: Object) -> Mapping[str, Any]:
    """The controller reference; empty without one."""
    return next((one for one in maps_at(item, "metadata", "ownerReferences") if one.get("controller") is True), {})


def replicas_of(item: Object) -> int | None:
    """How many pods it wants; None where it wants none or does not say."""
    found = dig(item, "spec", "replicas")
    return found if isinstance(found, int) and found > 0 else None
