"""The label that everything a lesson makes carries, so that it can be found and removed whatever happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LESSON = "kcompanion.dev/lesson"
BREAKS = "kcompanion.dev/lesson-breaks-nodes"  # on the namespace of a lesson that does, with the lesson's name
# The way back of a cordon. A node that a lesson has cordoned carries our label, and is found without its journal too.
UNCORDON: dict[str, Any] = {"metadata": {"labels": {LESSON: None}}, "spec": {"unschedulable": None}}
# Where an object holds the metadata of what its controller makes from it.
_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate"), ("spec", "jobTemplate", "spec", "template"))


def marked(item: Mapping[str, Any], run: str) -> dict[str, Any]:
    """The object with our label, on itself and on its templates; selectors stay as they are."""
    made = _labelled(item, run)
    for path in _TEMPLATES:
        made = _at(made, path, run)
    return made


def _at(item: dict[str, Any], path: tuple[str, ...], run: str) -> dict[str, Any]:
    if not path:
        return _labelled(item, run)
    inner = item.get(path[0])
    return {**item, path[0]: _at(inner, path[1:], run)} if isinstance(inner, dict) else item


def _labelled(item: Mapping[str, Any], run: str) -> dict[str, Any]:
    meta = dict(item.get("metadata") or {})
    return {**item, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), LESSON: run}}}
