"""TaintToleration and NodeUnschedulable, on the inputs of upstream's own tables (taint_toleration_test.go, 1.36)."""

from typing import Any

import pytest

from kcompanion.scheduling.taints import taint_text, tolerates
from tests.scheduling.build import fitting, kinds, node, pod

USER1 = {"key": "dedicated", "value": "user1", "effect": "NoSchedule"}
USER2 = {"key": "dedicated", "value": "user2", "effect": "NoSchedule"}
FOO = {"key": "foo", "value": "bar", "effect": "NoSchedule"}
SOFT = {"key": "dedicated", "value": "user1", "effect": "PreferNoSchedule"}


def sla(value: str) -> dict[str, str]:
    return {"key": "example.com/sla", "value": value, "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("tolerations", "taints", "fits"),
    [
        ([], [USER1], False),
        ([USER1], [USER1], True),
        ([{**USER2, "operator": "Equal"}], [USER1], False),
        ([{"key": "foo", "operator": "Exists", "effect": "NoSchedule"}], [FOO], True),
        ([{**USER2, "operator": "Equal"}, {"key": "foo", "operator": "Exists"}], [USER2, FOO], True),
        ([{**USER2, "operator": "Equal"}], [USER2, FOO], False),
        ([{**FOO, "effect": "PreferNoSchedule"}], [FOO], False),
        ([{"key": "foo", "operator": "Equal", "value": "bar"}], [FOO], True),
        ([USER2], [SOFT], True),
        ([], [SOFT], True),
        ([], [{"key": "x", "effect": "NoExecute"}], False),
        ([{"operator": "Exists"}], [USER1, FOO, {"key": "x", "effect": "NoExecute"}], True),
        ([{"operator": "Exists", "effect": "NoExecute"}], [USER1], False),
        ([{"key": "example.com/sla", "operator": "Gt", "value": "950"}], [sla("800")], False),
        ([{"key": "example.com/sla", "operator": "Gt", "value": "750"}], [sla("950")], True),
        ([{"key": "example.com/sla", "operator": "Lt", "value": "800"}], [sla("950")], False),
        ([{"key": "example.com/sla", "operator": "Lt", "value": "950"}], [sla("800")], True),
        ([{"key": "example.com/sla", "operator": "Gt", "value": "950"}], [sla("high")], False),
        ([{"key": "example.com/sla", "operator": "Odd", "value": "950"}], [sla("950")], False),
    ],
)
def test_taints(tolerations: list[dict[str, str]], taints: list[dict[str, str]], fits: bool) -> None:
    found = fitting(pod(tolerations=tolerations), node("a", taints=taints), predicate="TaintToleration")
    assert (found == {"a"}) is fits


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("node-role.kubernetes.io/control-plane", "reserved"),
        ("node.kubernetes.io/not-ready", "sick"),
        ("dedicated", "taint"),
    ],
)
def test_what_a_taint_means(key: str, kind: str) -> None:
    tainted = node("a", taints=[{"key": key, "effect": "NoSchedule"}])
    assert kinds(pod(), tainted, predicate="TaintToleration") == {"a": [kind]}


@pytest.mark.parametrize(
    ("tolerations", "fits"),
    [
        ([], False),
        ([{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}], True),
        ([{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoExecute"}], False),
        ([{"operator": "Exists"}], True),
    ],
)
def test_cordon(tolerations: list[dict[str, Any]], fits: bool) -> None:
    found = fitting(pod(tolerations=tolerations), node("a", unschedulable=True), predicate="NodeUnschedulable")
    assert (found == {"a"}) is fits


def test_taints_are_spelt_as_kubectl_does() -> None:
    assert taint_text(USER1) == "dedicated=user1:NoSchedule"
    assert taint_text({"key": "x", "effect": "NoExecute"}) == "x:NoExecute"


def test_no_operator_is_equal() -> None:
    assert tolerates({"key": "x"}, {"key": "x", "value": "", "effect": "NoSchedule"})
    assert not tolerates({"key": "x"}, {"key": "x", "value": "1", "effect": "NoSchedule"})
