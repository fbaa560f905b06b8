from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.flags import DEFAULT_ADMISSION, admission, all_flags, drifts, feature_gates, flags_of
from tests.controlplane.build import cluster, pod, snap


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["--a=b"], {"a": "b"}),
        (["--a", "b"], {"a": "b"}),
        (["--a"], {"a": "true"}),
        (["--a", "--b"], {"a": "true", "b": "true"}),
        (["--a="], {"a": ""}),
        (["--a=b=c,d=e"], {"a": "b=c,d=e"}),
        (["--a=1", "--a=2"], {"a": "1,2"}),
        (["--a", "-v", "2"], {"a": "true"}),
        (["--", "--a=1"], {"a": "1"}),
        (["serve", "a=b", "-x"], {}),
        ([], {}),
    ],
)
def test_flags_are_read_as_programs_take_them(words: list[str], flags: dict[str, str]) -> None:
    assert flags_of(pod("etcd", "a", *words), "etcd") == flags


def test_command_and_arguments_are_one_line() -> None:
    made = pod("etcd", "a", "--one=1")
    made["spec"]["containers"][0]["args"] = ["--two", "2"]
    assert flags_of(made, "etcd") == {"one": "1", "two": "2"}


def test_only_the_components_own_container_counts() -> None:
    made = pod("kube-apiserver", "a", "--one=1")
    made["spec"]["containers"].insert(0, {"name": "sidecar", "args": ["--other=1"]})
    assert flags_of(made, "kube-apiserver") == {"one": "1"}


@pytest.mark.parametrize(
    "spec", [{}, {"containers": None}, {"containers": ["odd"]}, {"containers": [{"command": "x"}]}]
)
def test_odd_pods_have_no_flags(spec: dict[str, Any]) -> None:
    assert flags_of({"spec": spec}, "etcd") == {}


@pytest.mark.parametrize(
    ("by_node", "found"),
    [
        ({"a": {"x": "1"}, "b": {"x": "1"}}, []),
        ({"a": {"x": "1"}, "b": {"x": "2"}}, [("x", (("a", "1"), ("b", "2")))]),
        ({"a": {"x": "1"}, "b": {}}, [("x", (("a", "1"), ("b", None)))]),
        ({"a": {"x": "1"}}, []),
        ({}, []),
        ({"a": {"advertise-address": "10.0.0.1"}, "b": {"advertise-address": "10.0.0.2"}}, []),
    ],
)
def test_drift(by_node: dict[str, dict[str, str]], found: list[Any]) -> None:
    assert [(d.flag, d.values) for d in drifts({"kube-apiserver": by_node})] == found


def test_flags_that_name_the_instance_are_no_drift_for_that_component_only() -> None:
    assert drifts({"etcd": {"a": {"name": "a"}, "b": {"name": "b"}}}) == ()
    assert [d.flag for d in drifts({"kube-scheduler": {"a": {"name": "a"}, "b": {"name": "b"}}})] == ["name"]


def test_a_healthy_cluster_of_three_has_no_drift() -> None:
    flags = all_flags(snap(cluster("a", "b", "c")))
    assert sorted(flags["etcd"]) == ["a", "b", "c"]
    assert drifts(flags) == ()


@pytest.mark.parametrize(
    ("flags", "enabled", "disabled", "known"),
    [
        ({"a": {}}, (), (), True),
        ({"a": {"enable-admission-plugins": "NodeRestriction"}}, ("NodeRestriction",), (), True),
        (
            {
                "a": {"enable-admission-plugins": "B,A", "disable-admission-plugins": "PodSecurity"},
                "b": {"enable-admission-plugins": "A,"},
            },
            ("A", "B"),
            ("PodSecurity",),
            True,
        ),
        ({}, (), (), False),
    ],
)
def test_admission(flags: Any, enabled: tuple[str, ...], disabled: tuple[str, ...], known: bool) -> None:
    found = admission({"kube-apiserver": flags})
    assert (found.enabled, found.disabled, found.known) == (enabled, disabled, known)
    assert "PodSecurity" in found.to_json()["default"]


def test_the_table_of_defaults_is_sorted_and_without_those_that_are_off() -> None:
    assert list(DEFAULT_ADMISSION) == sorted(set(DEFAULT_ADMISSION))
    assert not {"AlwaysPullImages", "NodeRestriction", "ImagePolicyWebhook"} & set(DEFAULT_ADMISSION)


def test_feature_gates_of_the_answering_server() -> None:
    page = "\n".join(
        [
            'kubernetes_feature_enabled{name="AlphaThing",stage="ALPHA"} 0',
            'kubernetes_feature_enabled{name="BetaThing",stage="BETA"} 1',
            'apiserver_storage_size_bytes{name="x"} 1',
            "kubernetes_feature_enabled{odd} 1",
        ]
    )
    assert feature_gates(snap({asks.METRICS: page})) == {"AlphaThing": False, "BetaThing": True}
    assert feature_gates(snap()) == {}
