"""InterPodAffinity after upstream's tables (interpodaffinity/filtering_test.go, 1.36)."""

from typing import Any

import pytest

from tests.scheduling.build import REQUIRED, fitting, kinds, node, pod

SCAN = {"service": "securityscan"}
S1 = {"security": "S1"}
ONE = node("n1", {"region": "r1", "zone": "z11"})


def label(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def term(key: str, *expressions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchExpressions": list(expressions)}, **more}


def beside(*terms: dict[str, Any], away: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    made = {"podAffinity": {REQUIRED: list(terms)}} if terms else {}
    return {**made, "podAntiAffinity": {REQUIRED: list(away)}} if away else made


def there(labels: dict[str, str], *away: dict[str, Any], **more: Any) -> dict[str, Any]:
    return pod("there", on="n1", labels=labels, affinity=beside(away=away), **more)


def missing(affinity: dict[str, Any], *pods: dict[str, Any], labels: Any = None, objects: Any = ()) -> list[str]:
    incoming = pod(labels=S1 if labels is None else labels, affinity=affinity)
    return kinds(incoming, ONE, *pods, *objects, predicate="InterPodAffinity")["n1"]


IN = label("service", "In", "securityscan", "value2")
OUT = label("service", "NotIn", "securityscan", "value2")
VIRUS = label("service", "In", "antivirusscan", "value2")


@pytest.mark.parametrize(
    ("affinity", "expected"),
    [
        (beside(), []),
        (beside(term("region", IN)), []),
        (beside(term("region", label("service", "NotIn", "securityscan3"))), []),
        (beside(term("region", VIRUS)), ["friend"]),
        (beside(term("rack", IN)), ["friend_label"]),
        (beside(term("region", label("service", "Exists"), label("wrong", "DoesNotExist")), term("region", IN)), []),
        (beside(term("region", label("service", "Exists")), term("region", label("service", "In", "x"))), ["friend"]),
        (beside(term("region", IN), away=(term("node", VIRUS),)), []),
        (beside(term("region", IN), away=(term("zone", IN),)), ["foe"]),
        (beside(away=(term("region", label("service", "Exists")),)), ["foe"]),
        (beside(away=(term("rack", IN),)), []),
    ],
)
def test_terms_of_the_pod(affinity: dict[str, Any], expected: list[str]) -> None:
    assert missing(affinity, there(SCAN)) == expected


def test_affinity_means_the_pods_own_namespace() -> None:
    assert missing(beside(term("region", IN)), there(SCAN, namespace="other")) == ["friend"]
    named = term("region", IN, namespaces=["other"])
    assert missing(beside(named), there(SCAN, namespace="other")) == []


@pytest.mark.parametrize(
    ("selector", "team", "expected"),
    [
        ({"matchLabels": {"team": "one"}}, "one", []),
        ({"matchLabels": {"team": "one"}}, "two", ["friend"]),
        ({}, "two", []),
    ],
)
def test_namespace_selector(selector: dict[str, Any], team: str, expected: list[str]) -> None:
    space = {"kind": "Namespace", "metadata": {"name": "other", "labels": {"team": team}}}
    chosen = term("region", IN, namespaceSelector=selector)
    assert missing(beside(chosen), there(SCAN, namespace="other"), objects=(space,)) == expected


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (term("zone", IN), ["guard"]),
        (term("zone", OUT), []),
        (term("rack", IN), []),
        (term("zone", IN, namespaces=["elsewhere"]), []),
    ],
)
def test_pods_there_keep_others_away(away: dict[str, Any], expected: list[str]) -> None:
    assert missing(beside(), there(SCAN, away), labels=SCAN) == expected


def test_both_ways_at_once() -> None:
    both = (term("zone", label("service", "Exists")), term("zone", label("security", "Exists")))
    assert missing(beside(away=both), there(S1, both[1]), labels=SCAN) == ["foe"]
    assert missing(beside(away=(both[1],)), there(SCAN, *both), labels=S1) == ["guard"]


def test_the_first_of_its_kind_may_go_anywhere_with_the_label() -> None:
    alike = pod(labels=SCAN, affinity=beside(term("zone", IN)))
    assert fitting(alike, ONE, node("n2"), predicate="InterPodAffinity") == {"n1"}
    other = pod("elsewhere", on="n2", labels=SCAN)
    two = node("n2", {"zone": "z22"})
    assert fitting(alike, ONE, two, other, predicate="InterPodAffinity") == {"n2"}


def test_all_terms_must_be_met_by_one_pod() -> None:
    terms = (term("zone", label("a", "Exists")), term("zone", label("b", "Exists")))
    one, two = pod("one", on="n1", labels={"a": ""}), pod("two", on="n1", labels={"b": ""})
    assert missing(beside(*terms), one, two) == ["friend"]
    assert missing(beside(*terms), pod("one", on="n1", labels={"a": "", "b": ""})) == []
