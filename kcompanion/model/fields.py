"""Reading a path out of JSON that may lack any part of it, or hold something odd in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def dig(obj: object, *path: str) -> Any:  # noqa: ANN401 - JSON
    """The value at a path of keys, None as soon as a part is missing or not a mapping."""
    for key in path:
        # JSON's mappings are dicts; asking for the abstract class first would take three times as long
        if type(obj) is not dict and not isinstance(obj, Mapping):
            return None
        obj = obj.get(key)
    return obj


def text_at(obj: object, *path: str) -> str:
    """The string at a path, empty when there is none."""
    value = dig(obj, *path)
    return value if isinstance(value, str) else ""


def map_at(obj: object, *path: str) -> Mapping[str, Any]:
    """The mapping at a path, empty when there is none."""
    value = dig(obj, *path)
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def maps_at(obj: object, *path: str) -> Iterator[Mapping[str, Any]]:
    """The mappings in the list at a path; odd entries are left out."""
    value = dig(obj, *path)
    if not isinstance(value, list):
        return iter(())
    return (entry for entry in value if type(entry) is dict or isinstance(entry, Mapping))


def texts_at(obj: object, *path: str) -> tuple[str, ...]:
    """The strings in the list at a path."""
    value = dig(obj, *path)
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def name_of(obj: object) -> str:
    return text_at(obj, "metadata", "name")


def namespace_of(obj: object) -> str:
    return text_at(obj, "metadata", "namespace")


def labels_of(obj: object) -> Mapping[str, Any]:
    return map_at(obj, "metadata", "labels")


def annotations_of(obj: object) -> Mapping[str, Any]:
    return map_at(obj, "metadata", "annotations")


def condition(obj: object, type_: str) -> Mapping[str, Any]:
    """The status condition of that type, empty when there is none."""
    return next((c for c in maps_at(obj, "status", "conditions") if c.get("type") == type_), {})
