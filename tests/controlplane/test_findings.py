"""Each finding with a cluster that has it and one that does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kcompanion.controlplane import asks
from kcompanion.controlplane import findings as module
from kcompanion.controlplane.etcd import DEFAULT_QUOTA
from kcompanion.controlplane.findings import findings
from kcompanion.controlplane.inspect import inspect
from kcompanion.model.finding import Finding, Severity
from kcompanion.text.catalog import has, phrase
from tests.controlplane.build import (
    NOW,
    checks,
    cluster,
    heartbeat,
    identity,
    lease,
    node,
    pod,
    recorded,
    serving,
    snap,
    version,
)

Answers = dict[Any, Any]
CODES = sorted(set(re.findall(r'"(KC1\d{3})"', Path(module.__file__).read_text())))


def found(made: Answers, **more: Any) -> list[Finding]:
    return list(findings(inspect(snap(made, **more))))


def of(made: Answers, code: str, **more: Any) -> list[Finding]:
    return [finding for finding in found(made, **more) if finding.code == code]


def pods_of(made: Answers, component: str) -> list[dict[str, Any]]:
    return [p for p in made[asks.PODS] if p["spec"]["containers"][0]["name"] == component]


def healthy(made: Answers) -> None:
    pass


def not_ready(made: Answers) -> None:
    pods_of(made, "kube-scheduler")[0]["status"]["conditions"][0]["status"] = "False"


def ready_state_unknown(made: Answers) -> None:
    pods_of(made, "kube-scheduler")[0]["status"]["conditions"] = []


def leader_gone(made: Answers) -> None:
    made[asks.LEASES][0] = lease("kube-scheduler", "a_1", 16)


def leader_nearly_gone(made: Answers) -> None:
    made[asks.LEASES][0] = lease("kube-scheduler", "a_1", 15)


def check_fails(made: Answers) -> None:
    made[asks.READYZ] = checks(("ping",), ("poststarthook/x",))


def etcd_check_fails(made: Answers) -> None:
    made[asks.READYZ] = checks(("ping",), ("etcd-readiness",))


def no_checks_listed(made: Answers) -> None:
    made[asks.READYZ] = "ok"


def one_scheduler(made: Answers) -> None:
    made[asks.PODS] = [p for p in made[asks.PODS] if p not in pods_of(made, "kube-scheduler")[1:]]


def two_down(made: Answers) -> None:
    made[asks.HEARTBEATS] = [heartbeat("a"), heartbeat("b", 99), heartbeat("c", 99)]


def one_down(made: Answers) -> None:
    made[asks.HEARTBEATS] = [heartbeat("a"), heartbeat("b"), heartbeat("c", 99)]


def never_renewed(made: Answers) -> None:
    made[asks.HEARTBEATS] = [heartbeat("a"), heartbeat("b"), heartbeat("c", None)]


def one_unsure(made: Answers) -> None:
    made[asks.HEARTBEATS] = [heartbeat("a"), heartbeat("b")]


def store(made: Answers, share: float) -> None:
    made[asks.METRICS] = f"apiserver_storage_size_bytes {share * DEFAULT_QUOTA}"


def nearly_full(made: Answers) -> None:
    store(made, 0.801)


def half_full(made: Answers) -> None:
    store(made, 0.79)


def no_limit(made: Answers) -> None:
    store(made, 0.99)
    for made_pod in pods_of(made, "etcd"):
        made_pod["spec"]["containers"][0]["command"].append("--quota-backend-bytes=-1")


def differs(made: Answers) -> None:
    pods_of(made, "kube-scheduler")[0]["spec"]["containers"][0]["command"].append("--profiling=false")


def own_values(made: Answers) -> None:
    pods_of(made, "kube-apiserver")[0]["spec"]["containers"][0]["command"].append("--bind-address=10.0.0.1")


def old_kubelet(made: Answers) -> None:
    made[asks.NODES][0] = node("a", address="10.0.0.1", version="v1.32.9")


def oldest_kubelet(made: Answers) -> None:
    made[asks.NODES][0] = node("a", address="10.0.0.1", version="v1.33.9")


def odd_kubelet(made: Answers) -> None:
    made[asks.NODES][0] = node("a", address="10.0.0.1", version="")


def own_certificate(made: Answers, days: float) -> None:
    made[asks.OWN_CERTIFICATE] = serving("me", not_after=NOW + timedelta(days=days))


def restarted(made: Answers, count: int) -> None:
    pods_of(made, "etcd")[0]["status"]["containerStatuses"][0]["restartCount"] = count


def node_not_ready(made: Answers) -> None:
    made[asks.NODES][2] = node("c", address="10.0.0.3", ready="False")


def dns_down(made: Answers) -> None:
    pods_of(made, "kube-dns")[0]["status"]["conditions"][0]["status"] = "False"


# code: (what has it, what does not, though it is near)
CASES: dict[str, tuple[list[Callable[[Answers], None]], list[Callable[[Answers], None]]]] = {
    "KC1000": ([one_down, two_down, never_renewed], [healthy, not_ready, one_unsure]),
    "KC1001": ([not_ready], [healthy, ready_state_unknown, one_unsure, one_down]),
    "KC1002": ([leader_gone], [healthy, leader_nearly_gone]),
    "KC1003": ([check_fails], [healthy, no_checks_listed]),
    "KC1011": ([one_scheduler], [healthy]),
    "KC1020": ([two_down], [healthy, one_down, one_unsure]),
    "KC1021": ([one_down], [healthy, two_down, one_unsure]),
    "KC1023": ([nearly_full], [healthy, half_full, no_limit]),
    "KC1024": ([etcd_check_fails], [healthy, check_fails]),
    "KC1030": ([differs], [healthy, own_values]),
    "KC1031": ([old_kubelet], [healthy, oldest_kubelet, odd_kubelet]),
    "KC1040": ([lambda m: own_certificate(m, -1)], [healthy, lambda m: own_certificate(m, 1)]),
    "KC1041": ([lambda m: own_certificate(m, 29)], [healthy, lambda m: own_certificate(m, 31)]),
    "KC1050": ([lambda m: restarted(m, 5)], [healthy, lambda m: restarted(m, 4)]),
    "KC1060": ([dns_down, node_not_ready], [healthy, one_unsure, one_down]),
}
NOT_OF_THREE = {"KC1010", "KC1022"}  # these depend on how many there are; their cases are below


@pytest.mark.parametrize(
    ("code", "change"), [(code, change) for code, (has_it, _) in CASES.items() for change in has_it]
)
def test_a_cluster_that_has_it(code: str, change: Callable[[Answers], None]) -> None:
    made = cluster("a", "b", "c")
    change(made)
    assert of(made, code)
    assert all(finding.next_command for finding in of(made, code)), "health offers it as the next step"


@pytest.mark.parametrize(("code", "change"), [(code, change) for code, (_, not_) in CASES.items() for change in not_])
def test_a_cluster_that_has_it_not(code: str, change: Callable[[Answers], None]) -> None:
    made = cluster("a", "b", "c")
    change(made)
    assert not of(made, code)


def test_every_code_has_its_cases() -> None:
    assert set(CASES) | NOT_OF_THREE == set(CODES)


def test_a_healthy_cluster_of_three_has_none() -> None:
    assert found(cluster("a", "b", "c", workers=("w",))) == []


@pytest.mark.parametrize(
    ("masters", "codes"),
    [("a", ["KC1010"]), ("ab", ["KC1022"]), ("abc", []), ("abcd", ["KC1022"]), ("abcde", [])],
)
def test_single_points_and_even_numbers(masters: str, codes: list[str]) -> None:
    assert [finding.code for finding in found(cluster(*masters))] == codes


def test_what_is_hidden_is_no_single_point() -> None:
    made = cluster("a", workers=("w",))
    made[asks.PODS] = [p for p in made[asks.PODS] if "k8s-app" in p["metadata"]["labels"]]
    made[asks.LEASES] = [identity("a")]
    assert not {"KC1010", "KC1011"} & {finding.code for finding in found(made)}


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        (not_ready, "KC1001", Severity.WARNING),  # two others work
        (leader_gone, "KC1002", Severity.CRITICAL),
        (two_down, "KC1020", Severity.CRITICAL),
        (one_down, "KC1021", Severity.WARNING),
        (one_down, "KC1000", Severity.CRITICAL),  # DNS runs there and nowhere else
        (node_not_ready, "KC1060", Severity.WARNING),
        (dns_down, "KC1060", Severity.CRITICAL),  # its only pod
        (lambda m: own_certificate(m, -1), "KC1040", Severity.CRITICAL),
    ],
)
def test_how_bad_it_is(change: Callable[[Answers], None], code: str, severity: Severity) -> None:
    made = cluster("a", "b", "c")
    change(made)
    assert {finding.severity for finding in of(made, code)} == {severity}


def test_the_last_one_down_is_critical() -> None:
    made = cluster("a")
    not_ready(made)
    assert of(made, "KC1001")[0].severity is Severity.CRITICAL


def test_many_nodes_down_are_one_finding() -> None:
    made = cluster("a", "b", "c", workers=tuple(f"w{i}" for i in range(9)))
    made[asks.HEARTBEATS] = [heartbeat(n) for n in "abc"] + [heartbeat(f"w{i}", 99) for i in range(9)]
    (finding,) = [f for f in found(made) if f.severity is not Severity.INFO]
    assert (finding.code, finding.severity) == ("KC1000", Severity.CRITICAL)
    assert "(+4)" in phrase(finding.message, "en")


def test_what_a_silent_node_takes_along_is_told_once() -> None:
    made = cluster("a", "b", "c", workers=("w",))
    made[asks.HEARTBEATS] = [heartbeat("a"), heartbeat("b"), heartbeat("c", 99), heartbeat("w")]
    assert [(f.code, f.severity) for f in found(made)] == [("KC1000", Severity.WARNING), ("KC1021", Severity.WARNING)]


def test_worst_first_and_always_in_the_same_order() -> None:
    made = cluster("a", "b", "c")
    for change in (not_ready, leader_gone, differs, old_kubelet):
        change(made)
    told = [(f.severity, f.code, f.subject) for f in found(made)]
    assert [severity for severity, _, _ in told] == sorted((s for s, _, _ in told), key=list(Severity)[::-1].index)
    made[asks.PODS].reverse()
    made[asks.NODES].reverse()
    assert [(f.severity, f.code, f.subject) for f in found(made)] == told


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_code_speaks_both_languages(code: str, language: str) -> None:
    assert has(language, f"controlplane.finding.{code.lower()}")


def test_no_two_findings_are_the_same_and_each_has_evidence() -> None:
    made = cluster("a", "b", "c", workers=("w",))
    for change in (not_ready, two_down, leader_gone, check_fails, nearly_full, differs, old_kubelet):
        change(made)
    own_certificate(made, -1)
    restarted(made, 9)
    made[asks.VERSION] = version()
    told = found(made)
    assert len({(f.code, f.subject, f.message) for f in told}) == len(told)
    for finding in told:
        assert finding.code in CODES
        assert finding.evidence
        assert all(item.source for item in finding.evidence)
        assert phrase(finding.message, "en")


def test_recordings_of_healthy_clusters_have_no_warning() -> None:
    for name in ("minikube", "eks", "k3s"):
        assert [f.code for f in findings(inspect(recorded(name))) if f.severity is not Severity.INFO] == []


def test_a_pod_without_a_node_raises_nothing() -> None:
    made = cluster("a")
    made[asks.PODS].append(pod("kube-scheduler", ""))
    assert found(made)
