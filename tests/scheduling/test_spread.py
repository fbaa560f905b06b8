"""PodTopologySpread on the inputs of upstream's own tables (podtopologyspread/filtering_test.go, 1.36)."""

from typing import Any

import pytest

from tests.scheduling.build import REQUIRED, fitting, kinds, node, pod

FOO = {"matchExpressions": [{"key": "foo", "operator": "Exists"}]}
BAR = {"matchExpressions": [{"key": "bar", "operator": "Exists"}]}
MINE = {"foo": ""}
FOUR = (
    node("a", {"zone": "zone1", "node": "a"}),
    node("b", {"zone": "zone1", "node": "b"}),
    node("x", {"zone": "zone2", "node": "x"}),
    node("y", {"zone": "zone2", "node": "y"}),
)


def spread(key: str, selector: dict[str, Any] | None = FOO, skew: int = 1, **more: Any) -> dict[str, Any]:
    asked = {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", **more}
    return {**asked, "labelSelector": selector} if selector is not None else asked


def there(**counts: int) -> list[dict[str, Any]]:
    return [pod(f"{name}{n}", on=name, labels=MINE) for name, count in counts.items() for n in range(count)]


def taken(constraint: dict[str, Any], *objects: dict[str, Any], labels: Any = None, **spec: Any) -> set[str]:
    incoming = pod(labels=MINE if labels is None else labels, topologySpreadConstraints=[constraint], **spec)
    return fitting(incoming, *objects, predicate="PodTopologySpread")


@pytest.mark.parametrize(
    ("constraint", "counts", "fits"),
    [
        (spread("zone"), {}, "abxy"),
        (spread("zone", BAR), {}, "abxy"),
        (spread("zone", None), {"x": 1, "y": 1}, "abxy"),
        (spread("zone"), {"a": 2, "b": 1, "y": 3}, "abxy"),
        (spread("node"), {"a": 2, "b": 1, "y": 3}, "x"),
        (spread("node", skew=2), {"a": 2, "b": 1, "y": 3}, "bx"),
        (spread("zone"), {"x": 1, "y": 1}, "ab"),
        (spread("rack"), {}, ""),
        (spread("zone", {}), {"x": 5}, "abxy"),  # an empty selector counts no pod
        ({**spread("node"), "whenUnsatisfiable": "ScheduleAnyway"}, {"a": 9}, "abxy"),
    ],
)
def test_one_constraint(constraint: dict[str, Any], counts: dict[str, int], fits: str) -> None:
    assert taken(constraint, *FOUR, *there(**counts)) == set(fits)


def test_pods_of_other_namespaces_do_not_count() -> None:
    others = [pod(f"o{n}", on="a", labels=MINE, namespace=f"ns{n}") for n in range(2)]
    assert taken(spread("zone"), *FOUR, *others, *there(x=1, y=1)) == {"a", "b"}


def test_a_node_without_the_label_is_out() -> None:
    odd = (FOUR[0], node("b", {"zon": "zone1", "node": "b"}), *FOUR[2:])
    pods = there(a=1, b=1, x=1, y=1)
    assert taken(spread("zone"), *odd, *pods) == {"a"}
    found = kinds(
        pod(labels=MINE, topologySpreadConstraints=[spread("zone")]), *odd, *pods, predicate="PodTopologySpread"
    )
    assert found == {"a": [], "b": ["spread_label"], "x": ["spread"], "y": ["spread"]}


def test_a_pod_that_does_not_match_itself() -> None:
    assert taken(spread("node"), *FOUR, *there(a=2, b=1, y=3), labels={"bar": ""}) == {"b", "x"}


def test_nodes_that_the_pod_does_not_want_are_no_domains() -> None:
    wants = [{"matchExpressions": [{"key": "node", "operator": "In", "values": ["a", "y"]}]}]
    affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": wants}}}
    pods = there(a=2, b=1, y=3)
    assert taken(spread("node"), *FOUR, *pods, affinity=affinity) == {"a", "b", "x"}
    ignoring = spread("node", nodeAffinityPolicy="Ignore")
    assert taken(ignoring, *FOUR, *pods, affinity=affinity) == {"x"}


def test_tainted_nodes_are_domains_unless_honoured() -> None:
    tainted = node("c", {"node": "c"}, taints=[{"key": "k", "effect": "NoSchedule"}])
    nodes = (*FOUR[:2], tainted)
    assert taken(spread("node"), *nodes, *there(a=1, b=1)) == {"c"}
    assert taken(spread("node", nodeTaintsPolicy="Honor"), *nodes, *there(a=1, b=1)) == {"a", "b", "c"}


def test_pods_being_deleted_do_not_count() -> None:
    leaving = pod("leaving", on="a", labels=MINE, leaving=True)
    assert taken(spread("node"), *FOUR[:2], leaving, *there(b=1)) == {"a"}


@pytest.mark.parametrize(("domains", "fits"), [(4, "c"), (3, "abc"), (2, "abc")])
def test_fewer_domains_than_asked_for(domains: int, fits: str) -> None:
    three = [node(name, {"node": name}) for name in "abc"]
    constraint = spread("node", skew=2, minDomains=domains)
    assert taken(constraint, *three, *there(a=2, b=2, c=1)) == set(fits)


def test_match_label_keys_narrow_the_selector() -> None:
    old = [pod(f"old{n}", on="a", labels={**MINE, "hash": "1"}) for n in range(2)]
    constraint = spread("node", matchLabelKeys=["hash", "absent"])
    assert taken(constraint, *FOUR[:2], *old, labels={**MINE, "hash": "2"}) == {"a", "b"}
    assert taken(spread("node"), *FOUR[:2], *old, labels={**MINE, "hash": "2"}) == {"b"}
