"""Node selectors: the pod's nodeSelector and required node affinity, and a volume's node affinity.

Facts from k8s.io/component-helpers/scheduling/corev1/nodeaffinity: terms are ORed, the requirements of a term are
ANDed, an empty term takes no node, and a term that cannot be read takes none either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kcompanion.model.fields import labels_of, map_at, maps_at, name_of, text_at, texts_at
from kcompanion.model.finding import Evidence
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.result import NOTHING_ASKED, Miss, Result, missed
from kcompanion.scheduling.state import REQUIRED, State

_VALUE = re.compile(r"(?=.{0,63}$)(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_WORDS = {"In": "in", "NotIn": "not in", "Gt": ">", "Lt": "<", "Exists": "", "DoesNotExist": ""}


def requirement_holds(requirement: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """One requirement on labels; an unknown operator or a number that is none never holds."""
    key, operator, values = text_at(requirement, "key"), text_at(requirement, "operator"), _values(requirement)
    present = key in labels
    if operator in ("Gt", "Lt"):
        found, bar = _integer(labels.get(key)), _integer(values[0]) if len(values) == 1 else None
        if found is None or bar is None:
            return False
        return found > bar if operator == "Gt" else found < bar
    if operator in ("In", "NotIn") and not (values and all(map(_VALUE.fullmatch, values))):
        return False  # a requirement that cannot be read takes no node
    inside = present and labels[key] in values
    return {"In": inside, "NotIn": not inside, "Exists": present, "DoesNotExist": not present}.get(operator, False)


def field_holds(requirement: Mapping[str, Any], node: Object) -> bool:
    """One requirement of matchFields: `metadata.name`, In or NotIn exactly one value."""
    values, operator = _values(requirement), text_at(requirement, "operator")
    if len(values) != 1 or operator not in ("In", "NotIn"):
        return False
    equal = text_at(requirement, "key") == "metadata.name" and name_of(node) == values[0]
    return equal if operator == "In" else not equal


def unmet(term: Mapping[str, Any], node: Object) -> list[Mapping[str, Any]]:
    """The requirements of a term that a node does not meet."""
    labels = labels_of(node)
    return [
        *(one for one in maps_at(term, "matchExpressions") if not requirement_holds(one, labels)),
        *(one for one in maps_at(term, "matchFields") if not field_holds(one, node)),
    ]


def takes(term: Mapping[str, Any], node: Object) -> bool:
    """Whether a term takes a node; an empty one takes none."""
    return bool(term.get("matchExpressions") or term.get("matchFields")) and not unmet(term, node)


def selector_takes(selector: Mapping[str, Any], node: Object) -> bool:
    """Whether any term of a NodeSelector takes a node."""
    return any(takes(term, node) for term in maps_at(selector, "nodeSelectorTerms"))


def pod_wants(pod: Object, node: Object) -> bool:
    """Whether the pod's nodeSelector and required node affinity take a node."""
    return not any(_misses(pod, node))


def requirement_text(requirement: Mapping[str, Any]) -> str:
    """`disk in (ssd,nvme)`, `!gpu`, `cores > 8`."""
    key, operator, values = text_at(requirement, "key"), text_at(requirement, "operator"), _values(requirement)
    if operator == "Exists":
        return key
    if operator == "DoesNotExist":
        return f"!{key}"
    told = ",".join(values)
    return f"{key} {_WORDS.get(operator, operator)} {told if operator in ('Gt', 'Lt') else f'({told})'}"


def term_text(selector: Mapping[str, Any]) -> str:
    """A NodeSelector in words, its terms divided by `or`."""
    terms = []
    for term in maps_at(selector, "nodeSelectorTerms"):
        both = [*maps_at(term, "matchExpressions"), *maps_at(term, "matchFields")]
        terms.append(", ".join(requirement_text(one) for one in both))
    return " or ".join(filter(None, terms))


def node_affinity(pod: Object, state: State) -> Callable[[Object], Result]:  # noqa: ARG001 - every predicate gets it
    """NodeAffinity: nodeSelector and required node affinity. What a scheduler's configuration adds is not visible."""
    asked = map_at(pod, "spec", "nodeSelector") or _required(pod)

    def on(node: Object) -> Result:
        return missed(*_misses(pod, node)) if asked else NOTHING_ASKED

    return on


def node_name(pod: Object, state: State) -> Callable[[Object], Result]:  # noqa: ARG001 - as above
    """NodeName: a pod that names its node, and is not there yet."""
    wanted = text_at(pod, "spec", "nodeName")
    bound = text_at(pod, "status", "startTime") or any(
        c.get("type") == "PodScheduled" and c.get("status") == "True" for c in maps_at(pod, "status", "conditions")
    )

    def on(node: Object) -> Result:
        if not wanted or bound:
            return NOTHING_ASKED  # it was bound there: the name is the scheduler's answer, not a wish
        return missed(*([] if wanted == name_of(node) else [Miss("node_name", 65, {"wanted": wanted})]))

    return on


def _misses(pod: Object, node: Object) -> Iterator[Miss]:
    labels = labels_of(node)
    for key, value in sorted(map_at(pod, "spec", "nodeSelector").items()):
        if labels.get(key) != value:
            yield _selector_miss(node, key, str(value), labels)
    selector = _required(pod)
    if selector and not selector_takes(selector, node):
        terms = [term for term in maps_at(selector, "nodeSelectorTerms") if term]
        nearest = min((unmet(term, node) for term in terms), key=len, default=[])
        first = nearest[0] if nearest else {}
        found = name_of(node) if text_at(first, "key") == "metadata.name" else labels.get(text_at(first, "key"))
        values = {
            "wanted": requirement_text(first) if first else "-",
            "found": found if found is not None else say("why.no_label"),
            "key": text_at(first, "key"),
        }
        path = f"metadata.labels[{values['key']}]"
        yield Miss("affinity", 63, values, (_seen(node, path, found),))


def _selector_miss(node: Object, key: str, value: str, labels: Mapping[str, Any]) -> Miss:
    found = labels.get(key)
    values = {
        "wanted": f"{key}={value}" if value else key,
        "found": found if found is not None else say("why.no_label"),
        "key": key,
    }
    return Miss("selector", 63, values, (_seen(node, f"metadata.labels[{key}]", found),))


def _seen(node: Object, path: str, value: object) -> Evidence:
    return Evidence(str(Ref("Node", name_of(node))), path, "-" if value is None else str(value))


def _required(pod: Object) -> Mapping[str, Any]:
    return map_at(pod, "spec", "affinity", "nodeAffinity", REQUIRED)


def _values(requirement: Mapping[str, Any]) -> tuple[str, ...]:
    return texts_at(requirement, "values")


def _integer(text: object) -> int | None:
    try:
        return int(str(text)) if text is not None and str(text).lstrip("+-").isascii() else None
    except ValueError:
        return None
