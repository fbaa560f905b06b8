"""NodeAffinity on the inputs of upstream's own table (node_affinity_test.go, 1.36)."""

from typing import Any

import pytest

from kcompanion.scheduling.affinity import term_text
from tests.scheduling.build import REQUIRED, fitting, node, pod, results

GPU = {"GPU": "NVIDIA-GRID-K1"}


def wants(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)} if values else {"key": key, "operator": operator}


def labels(*requirements: dict[str, Any]) -> dict[str, Any]:
    return {"matchExpressions": list(requirements)}


def called(*names: str, operator: str = "In") -> dict[str, Any]:
    return {"matchFields": [wants("metadata.name", operator, name) for name in names]}


@pytest.mark.parametrize(
    ("selector", "of_node", "fits"),
    [
        ({"foo": "bar"}, {}, False),
        ({"foo": "bar"}, {"foo": "bar"}, True),
        ({"foo": "bar"}, {"foo": "bar", "baz": "blah"}, True),
        ({"foo": "bar", "baz": "blah"}, {"foo": "bar"}, False),
        ({}, {"foo": "bar"}, True),
    ],
)
def test_node_selector(selector: dict[str, str], of_node: dict[str, str], fits: bool) -> None:
    found = fitting(pod(nodeSelector=selector), node("a", of_node), predicate="NodeAffinity")
    assert (found == {"a"}) is fits


@pytest.mark.parametrize(
    ("terms", "of_node", "fits"),
    [
        ([labels(wants("foo", "In", "bar", "value2"))], {"foo": "bar"}, True),
        ([labels(wants("foo", "In", "value1", "value2"))], {"foo": "bar"}, False),
        ([labels(wants("kernel-version", "Gt", "0204"))], {"kernel-version": "0206"}, True),
        ([labels(wants("kernel-version", "Lt", "0204"))], {"kernel-version": "0206"}, False),
        ([labels(wants("kernel-version", "Gt", "0204"))], {"kernel-version": "new"}, False),
        ([labels(wants("kernel-version", "Gt", "0204"))], {}, False),
        ([labels(wants("mem-type", "NotIn", "DDR", "DDR2"))], {"mem-type": "DDR3"}, True),
        ([labels(wants("mem-type", "NotIn", "DDR", "DDR2"))], {}, True),
        ([labels(wants("GPU", "Exists"))], GPU, True),
        ([labels(wants("GPU", "DoesNotExist"))], GPU, False),
        ([labels()], {"foo": "bar"}, False),
        ([], {"foo": "bar"}, False),
        ([labels(wants("GPU", "Exists"), wants("GPU", "NotIn", "AMD", "INTER"))], GPU, True),
        ([labels(wants("GPU", "Exists"), wants("GPU", "In", "AMD", "INTER"))], GPU, False),
        ([labels(wants("foo", "In", "bar")), labels(wants("diff", "In", "wrong"))], {"foo": "bar"}, True),
        ([labels(wants("foo", "NotIn", "invalid value: ___@#$%^"))], {"foo": "bar"}, False),
        ([labels(wants("foo", "Odd", "bar"))], {"foo": "bar"}, False),
        ([called("a")], {}, True),
        ([called("b")], {}, False),
        ([called("b", operator="NotIn")], {}, True),
        ([called("b"), labels(wants("foo", "In", "bar"))], {"foo": "bar"}, True),
        ([{**called("b"), **labels(wants("foo", "In", "bar"))}], {"foo": "bar"}, False),
        ([{**called("a"), **labels(wants("foo", "In", "bar"))}], {"foo": "bar"}, True),
        ([called("b"), labels(wants("foo", "In", "not-match"))], {"foo": "bar"}, False),
        ([called("a"), called("b")], {}, True),
        ([called("a", "b")], {}, False),
    ],
)
def test_required_affinity(terms: list[dict[str, Any]], of_node: dict[str, str], fits: bool) -> None:
    asked = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}
    assert (fitting(pod(affinity=asked), node("a", of_node), predicate="NodeAffinity") == {"a"}) is fits


@pytest.mark.parametrize(("label", "fits"), [("bar", True), ("barrrrrr", False)])
def test_selector_and_affinity_must_both_hold(label: str, fits: bool) -> None:
    asked = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [labels(wants("foo", "Exists"))]}}}
    both = pod(nodeSelector={"foo": "bar"}, affinity=asked)
    assert (fitting(both, node("a", {"foo": label}), predicate="NodeAffinity") == {"a"}) is fits


def test_the_miss_names_what_is_asked_and_what_is_there() -> None:
    found = results(pod(nodeSelector={"disk": "ssd"}), node("a", {"disk": "hdd"}), predicate="NodeAffinity")
    (miss,) = found["a"].misses
    assert (miss.values["wanted"], miss.values["found"]) == ("disk=ssd", "hdd")


def test_a_selector_in_words() -> None:
    terms = [
        labels(wants("cores", "Gt", "8"), wants("gpu", "DoesNotExist")),
        labels(wants("disk", "In", "ssd", "nvme")),
    ]
    assert term_text({"nodeSelectorTerms": terms}) == "cores > 8, !gpu or disk in (ssd,nvme)"
