"""Selectors: kubectl's spelling (`app=web,tier!=db,env in (a,b),!legacy`), the objects' own (`matchLabels` and
`matchExpressions`), and field selectors (`spec.nodeName=worker-1`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kcompanion.errors import UsageError
from kcompanion.model.fields import dig, map_at, maps_at, text_at, texts_at

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


def selects(selector: object, labels: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector (`matchLabels`, `matchExpressions`) takes an object with these labels.

    As in apimachinery: no selector (null) takes nothing, an empty one everything, an unknown operator nothing; `NotIn`
    holds for an object that lacks the key.
    """
    if not isinstance(selector, Mapping):
        return False
    if any(labels.get(key) != value for key, value in map_at(selector, "matchLabels").items()):
        return False
    return all(_expression_holds(expression, labels) for expression in maps_at(selector, "matchExpressions"))


def _expression_holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, operator = text_at(expression, "key"), text_at(expression, "operator")
    inside = key in labels and labels[key] in texts_at(expression, "values")
    held = {"In": inside, "NotIn": not inside, "Exists": key in labels, "DoesNotExist": key not in labels}
    return held.get(operator, False)


def selector_text(selector: object) -> str:
    """A LabelSelector in kubectl's spelling, to be given to `-l`."""
    pairs = sorted(map_at(selector, "matchLabels").items(), key=lambda pair: str(pair[0]))
    words = [f"{key}={value}" for key, value in pairs]
    for expression in maps_at(selector, "matchExpressions"):
        key, values = text_at(expression, "key"), ",".join(texts_at(expression, "values"))
        words.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }.get(text_at(expression, "operator"), key)
        )
    return ",".join(words)


def fields_match(selector: str, item: object) -> bool:
    """Whether an object has the values a field selector of equalities asks for; a missing field counts as empty."""
    for part in filter(None, selector.split(",")):
        path, different, value = part.partition("!=")
        if not different:
            path, _, value = part.replace("==", "=").partition("=")
        found = dig(item, *path.split("."))
        if (("" if found is None else str(found)) == value) is bool(different):
            return False
    return True
