"""What differs between two pod templates, field by field. Values of environment variables are never told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HASH = "pod-template-hash"
_KEYS = ("name", "mountPath", "containerPort", "key", "topologyKey", "ip", "conditionType")
_HIDDEN = frozenset({"env", "httpHeaders"})
LONG = 60  # characters of a value that are shown


@dataclass(frozen=True)
class Change:
    """One field: its value before and after; None where it was not set. `hidden`: the values are not for showing."""

    path: str
    before: str | None
    after: str | None
    hidden: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "before": self.before, "after": self.after, "valuesHidden": self.hidden}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The differences of two pod templates (`spec.template`), by path."""
    return tuple(_compare("", _without_hash(before), _without_hash(after), hidden=False))


def _without_hash(template: Mapping[str, Any]) -> dict[str, Any]:
    meta = template.get("metadata")
    if not isinstance(meta, Mapping):
        return dict(template)
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    kept = {key: value for key, value in meta.items() if key != "creationTimestamp"}
    return {**template, "metadata": {**kept, "labels": labels}}


def _compare(path: str, before: Any, after: Any, *, hidden: bool) -> Iterator[Change]:  # noqa: ANN401 - JSON
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            inner = hidden or (key == "value" and _in_hidden(path))
            yield from _compare(_joined(path, key), before.get(key), after.get(key), hidden=inner)
        return
    if isinstance(before, list) and isinstance(after, list) and (keyed := _keyed(before, after)):
        old, new = keyed
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _compare(f"{path}[{key}]", old.get(key), new.get(key), hidden=hidden)
        return
    yield Change(path, _shown(before, hidden=hidden), _shown(after, hidden=hidden), hidden)


def _in_hidden(path: str) -> bool:
    return path.rpartition("[")[0].rpartition(".")[2] in _HIDDEN


def _joined(path: str, key: str) -> str:
    if "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _keyed(before: list[Any], after: list[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both lists by the key their entries have, None when they have none (words of a command)."""
    for key in _KEYS:
        entries = [*before, *after]
        if entries and all(isinstance(entry, Mapping) and key in entry for entry in entries):
            return {str(e[key]): e for e in before}, {str(e[key]): e for e in after}
    return None


def _shown(value: Any, *, hidden: bool) -> str | None:  # noqa: ANN401 - JSON
    if value is None:
        return None
    if hidden:
        return "…"
    if isinstance(value, Mapping):
        return _cut("{" + ", ".join(sorted(map(str, value))) + "}")  # a whole part: its fields' names are enough
    if isinstance(value, list):
        whole = [v for v in value if isinstance(v, Mapping)]
        words = [str(v.get("name", "…")) for v in whole] if whole else [str(v) for v in value]
        return _cut("[" + " ".join(words) + "]")
    return _cut(str(value).lower() if isinstance(value, bool) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 1] + "…"
