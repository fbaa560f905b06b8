"""What an attentive reader of the shipped recordings would call wrong: sums, states and next steps that do not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Command, complained

Told = Callable[..., str]


@pytest.fixture
def told(inside: Command) -> Told:
    """What a command prints of a shipped recording, on one line."""

    def text(name: str, *words: str) -> str:
        return " ".join(inside(*words, "--from", f"demo:{name}").out.split())

    return text


def test_workloads_with_fewer_pods_than_they_want_are_not_counted_as_well(told: Told) -> None:
    assert "0/2 DaemonSet" in told("shop-node-lost", "overview", "-n", "kube-system")
    assert "3 Deployment, 1 StatefulSet, 0/3 DaemonSet" in told("shop-node-lost", "overview")


def test_a_workload_of_a_failing_add_on_is_not_well_and_its_command_finds_the_cause(told: Told) -> None:
    assert "0/2 Deployment" in told("ha-one-down", "overview")
    place = "deployment/local-path-provisioner -n local-path-storage"
    assert f"kcompanion explain {place}" in told("ha-one-down", "health")
    assert "The kubelet of node kcompanion-ha-control-plane" in told("ha-one-down", "explain", *place.split())


def test_orphans_names_the_namespace_that_holds_nothing(told: Told) -> None:
    assert "Namespace default holds nothing" in told("shop", "orphans")
    assert "다른 네임스페이스는 보지 않았습니다" in told("shop", "orphans", "--lang", "ko")


@pytest.mark.parametrize(("language", "words"), [("en", "the 50 s after which it is called Unknown are over"),
                                                 ("ko", "50초가 이미 지났습니다")])  # fmt: skip
def test_a_grace_period_that_is_over_is_not_told_as_to_come(told: Told, language: str, words: str) -> None:
    assert words in told("ha-one-down", "nodes", "--lang", language)


def test_a_pod_that_began_to_end_later_is_no_predecessor(told: Told) -> None:
    page = told("shop-node-lost", "trace", "pod", "web-6c75d4b95d-dgcgm", "-n", "shop")
    assert "gone or going (2): web-6c75d4b95d-rlgcx, web-6c75d4b95d-7t62s." in page


def test_revisions_count_the_pods_that_are_there(told: Told) -> None:
    page = told("faulty", "explain", "deployment/web", "-n", "demo-kc5148")
    assert "2 desired, 1 of the newest revision, 1 in all, 1 ready" in page
    assert "REVISION REPLICASET PODS READY AGE IMAGES 1 web-" in page
    [row] = [part.split()[1:3] for part in page.split("AGE IMAGES 1 ")[1:]]
    assert row == ["1", "1"]


def test_an_autoscaler_without_numbers_does_not_want_none(told: Told) -> None:
    page = told("shop", "explain", "hpa", "web", "-n", "shop")
    assert "3 now, between 2 and 5; how many are desired could not be computed" in page
    assert "0 desired" not in page


def test_the_age_of_kubelets_is_that_of_the_one_heard_longest_ago(told: Told) -> None:
    assert "kubelet (4/4) ──▶ kube-apiserver 55s ago" in told("ha-one-down", "controlplane", "traffic")


def test_what_the_glossary_shows_can_be_explained_as_it_says(told: Told) -> None:
    page = told("shop", "glossary")
    assert "kcompanion explain persistentvolumeclaim/data-db-0 -n shop" in page
    assert "What it is" in told("shop", "explain", "persistentvolumeclaim/data-db-0", "-n", "shop")


def test_an_empty_name_of_a_recording_is_not_the_live_cluster(inside: Command) -> None:
    complained(inside("overview", "--from", ""), 2, "--from has no file")
