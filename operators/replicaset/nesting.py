"""JSON that is nested deeper than Python follows: the object that holds it is left out, all others are read.

The API server takes ten thousand levels where a schema lets unknown fields through, as in the template of our own kind;
`json` gives up near a thousand. So whoever may write one such object would blind the operator for all. To it the object
is as one that does not exist: nothing is made for it, and its pods are left alone.

This is the slow way, taken only when `json` has given up.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kcompanion.model.fields import name_of, namespace_of
from operators.replicaset.logs import Log

DEEPEST = 500  # levels; what is still written must be followed too, from deeper within Python
_MARK = "kcompanion: nested too deeply"  # whoever writes this himself is left out himself, and nobody else
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]', re.DOTALL)
_LOG = Log("nesting")


def items_of(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """A list without its too deep items; nothing of any other object, for a part of it would be worse.

    Raises:
        ValueError: it is no JSON.
    """
    found = json.loads(_cut(data))
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        return {}
    return {**found, "items": [item for item in found["items"] if not _too_deep(item)]}


def event_of(line: bytes) -> Any:  # noqa: ANN401 - JSON
    """An event; that of a too deep object tells that it is gone.

    Raises:
        ValueError: it is no JSON.
    """
    found = json.loads(_cut(line))
    if isinstance(found, dict) and _too_deep(found.get("object")):
        return {**found, "type": "DELETED"}
    return found


def _too_deep(item: object) -> bool:
    if _MARK not in json.dumps(item):
        return False
    which = f"{namespace_of(item)}/{name_of(item)}" if isinstance(item, dict) else "?"
    _LOG.warning("an object is nested too deeply to be read: it counts as not there", object=which)
    return True


def _cut(data: bytes) -> bytes:
    """The same with a mark in place of all that lies too deep."""
    kept: list[bytes] = []
    level = begin = 0
    for token in _TOKEN.finditer(data):
        first = data[token.start()]
        if first in b"[{":
            level += 1
            if level == DEEPEST + 1:
                kept.append(data[begin : token.start()])
        elif first in b"]}":
            if level == DEEPEST + 1:
                kept.append(json.dumps(_MARK).encode())
                begin = token.end()
            level -= 1
    if level <= DEEPEST:  # else it ends within what is cut out, and is no JSON anyway
        kept.append(data[begin:])
    return b"".join(kept)
