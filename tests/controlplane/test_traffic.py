from __future__ import annotations

from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane.traffic import LATELY, Line, lines
from kcompanion.model.ask import Outcome
from tests.controlplane.build import ago, checks, cluster, heartbeat, identity, lease, serving, snap


def drawn(made: dict[Any, Any], **more: Any) -> dict[tuple[str, str], Line]:
    found = lines(snap(made, **more))
    assert len({(line.source, line.target) for line in found}) == len(found)
    return {(line.source, line.target): line for line in found}


@pytest.mark.parametrize(
    ("age", "measured"), [(0, True), (LATELY - 1, True), (LATELY, True), (LATELY + 1, False), (None, False)]
)
def test_solid_within_five_minutes(age: int | None, measured: bool) -> None:
    made = {
        asks.LEASES: [lease("kube-scheduler", "a_1", age), identity("a", age)],
        asks.HEARTBEATS: [heartbeat("a", age)],
    }
    found = drawn(made)
    assert found["kube-scheduler (a_1)", "kube-apiserver"].measured is measured
    assert found["kube-apiserver (a)", "etcd"].measured is measured
    kubelets = [line for line in found.values() if line.source.startswith("kubelet")]
    assert [line.measured for line in kubelets] == ([] if age is None else [measured])
    assert "None" not in str([line.evidence for line in found.values()])


def test_a_healthy_cluster() -> None:
    found = drawn(cluster("a", "b", "c", workers=("w",)), peers={asks.READYZ: serving("a")})
    solid = {ends for ends, line in found.items() if line.measured}
    assert solid == {
        ("kube-apiserver (a)", "etcd"),
        ("kube-apiserver (b)", "etcd"),
        ("kube-apiserver (c)", "etcd"),
        ("kube-scheduler (a)", "kube-apiserver"),
        ("kube-controller-manager (a)", "kube-apiserver"),
        ("kubelet (4/4)", "kube-apiserver"),
        ("etcd member", "etcd member (:2380)"),
    }
    assert not found["kube-apiserver", "kubelet (:10250)"].measured  # a flag configures it, nothing proves it


def test_components_draw_no_line_to_etcd_but_the_api_servers() -> None:
    found = drawn(cluster("a", "b", "c", workers=("w",)))
    to_etcd = {source for source, target in found if target.startswith("etcd")}
    assert all(source.startswith(("kube-apiserver", "etcd member")) for source in to_etcd)


def test_a_failing_etcd_check_proves_nothing() -> None:
    made = cluster("a", "b", "c")
    made[asks.READYZ] = checks(("ping",), ("etcd",))
    made[asks.LEASES] = []
    found = drawn(made, peers={asks.READYZ: serving("a")})
    assert not found["etcd member", "etcd member (:2380)"].measured
    assert ("kube-apiserver (a)", "etcd") not in found


def test_a_lease_nobody_holds_draws_no_line() -> None:
    assert drawn({asks.LEASES: [lease("kube-scheduler", "")]}) == {}


def aggregated(status: str, age: float) -> dict[str, Any]:
    condition = {"type": "Available", "status": status, "lastTransitionTime": ago(age)}
    service = {"namespace": "kube-system", "name": "metrics-server"}
    return {
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"service": service},
        "status": {"conditions": [condition]},
    }


@pytest.mark.parametrize(
    ("status", "age", "measured"), [("True", 10, True), ("True", 4000, False), ("False", 10, False), ("", 10, False)]
)
def test_aggregated_servers(status: str, age: float, measured: bool) -> None:
    found = drawn({asks.API_SERVICES: [aggregated(status, age), {"metadata": {"name": "v1."}, "spec": {}}]})
    assert [(ends[1], line.measured) for ends, line in found.items()] == [
        ("aggregated API kube-system/metrics-server", measured)
    ]


def test_webhooks_are_configured_only() -> None:
    hooks = [
        {"name": "x", "clientConfig": {"service": {"namespace": "a", "name": "b"}}},
        {"clientConfig": {"url": "https://x"}},
    ]
    found = drawn({asks.VALIDATING: [{"metadata": {"name": "w"}, "webhooks": hooks}]})
    assert {ends[1]: line.measured for ends, line in found.items()} == {"webhook a/b": False, "webhook a URL": False}


def test_nothing_read_draws_nothing() -> None:
    everything = {ask: Outcome.FORBIDDEN for ask in (*asks.OVERVIEW, *asks.CERTIFICATES)}
    assert lines(snap(outcomes=everything)) == ()
