"""Placeholders in requests: `{ns}`, `{image}`, or `{pods.items.0.metadata.name}`, a field of an earlier answer.

A lesson is data, and what a request needs to know is often told by an answer before it. A text that is nothing but a
placeholder takes the value as it is (a number stays a number); inside a longer text it is put in as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_MARK = re.compile(r"\{([a-z][\w.-]*)\}")


class NotThere(LookupError):
    """A request names a field that the answers do not have."""


def at(values: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    """The value at a dotted path whose first word is the name of an answer.

    Raises:
        NotThere: some part of the path is missing.
    """
    found: Any = values
    for word in path.split("."):
        if isinstance(found, Mapping) and word in found:
            found = found[word]
        elif isinstance(found, Sequence) and word.isdecimal() and int(word) < len(found):
            found = found[int(word)]
        else:
            raise NotThere(path)
    return found


def fill(value: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """`value` with every placeholder replaced.

    Raises:
        NotThere: a placeholder names nothing that is known.
    """
    return _mapped(value, lambda path: at(values, path))


def shown(value: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """`value` for a dry run: what will be known only then stands as `<pods.items.0.metadata.name>`."""

    def lookup(path: str) -> Any:  # noqa: ANN401 - JSON
        try:
            return at(values, path)
        except NotThere:
            return f"<{path}>"

    return _mapped(value, lookup)


def _mapped(value: Any, lookup: Callable[[str], Any]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        whole = _MARK.fullmatch(value)
        return lookup(whole[1]) if whole else _MARK.sub(lambda mark: str(lookup(mark[1])), value)
    if isinstance(value, Mapping):
        return {key: _mapped(one, lookup) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(one, lookup) for one in value]
    return value
