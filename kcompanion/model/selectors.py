"""Label selectors in kubectl's spelling: `app=web,tier!=db,env in (a,b),!legacy`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kcompanion.errors import UsageError

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^\s=!]+)\s*(?P<op>==|=|!=)\s*(?P<value>[\w.-]*)$")
_EXISTS = re.compile(r"^(?P<not>!?)\s*(?P<key>[^\s=!,()]+)$")
_COMMA = re.compile(r",(?![^(]*\))")


def matches(selector: str, labels: Mapping[str, Any]) -> bool:
    """Whether labels satisfy every requirement of a selector; the empty one matches everything.

    Raises:
        UsageError: the selector cannot be read.
    """
    # a list, so that a part that cannot be read is told even after one that does not hold
    return all([_holds(part.strip(), labels, selector) for part in _COMMA.split(selector) if part.strip()])


def check(selector: str) -> str:
    """The selector unchanged, or the UsageError that `matches` would raise."""
    matches(selector, {})
    return selector


def _holds(requirement: str, labels: Mapping[str, Any], whole: str) -> bool:
    if found := _SET.match(requirement):
        values = [value.strip() for value in found["values"].split(",")]
        inside = labels.get(found["key"]) in values
        return inside if found["op"] == "in" else not inside
    if found := _EQUAL.match(requirement):
        equal = labels.get(found["key"]) == found["value"]
        return not equal if found["op"] == "!=" else equal
    if found := _EXISTS.match(requirement):
        return (found["key"] in labels) != bool(found["not"])
    raise UsageError(f"the selector {whole!r} cannot be read", "write it as kubectl does: app=web,tier in (a,b)")
