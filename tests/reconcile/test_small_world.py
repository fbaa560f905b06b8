"""A small world looked at in every way it can go: see explorer.py for what may happen in it."""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.reconcile.expectations import Expectations, Versions
from kcompanion.reconcile.simulate.cluster import Cluster
from kcompanion.reconcile.simulate.store import Store
from kcompanion.reconcile.target import BUILT_IN
from tests.reconcile.build import NOW, spec
from tests.reconcile.explorer import KEY, LABELS, Broken, Meddling, World, explore

ANOTHERS = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rival", "uid": "rival-uid", "controller": True}


def foreign(cluster: Cluster, name: str, *references: Any) -> None:
    metadata = {"namespace": "shop", "name": name, "labels": LABELS, "ownerReferences": list(references)}
    cluster.server.add_pod({"metadata": metadata, "spec": {}})


def small_world(
    replicas: int,
    orphans: int = 0,
    anothers: int = 0,
    meddling: Meddling | None = None,
    crashes: int = 1,
    failures: int = 1,
) -> World:
    cluster = Cluster.of(BUILT_IN, NOW)
    cluster.server.add_owner(KEY, spec(replicas, LABELS))
    if meddling:
        cluster.settle()  # there is something to meddle with
    for i in range(orphans):
        foreign(cluster, f"orphan-{i}")
    for i in range(anothers):
        foreign(cluster, f"rivals-{i}", ANOTHERS)
    return World(cluster, crashes, failures, meddling)


def kill(cluster: Cluster) -> None:
    cluster.server.delete_pod(next(iter(cluster.server.pods)))


def relabel(cluster: Cluster) -> None:
    cluster.server.change_pod(next(iter(cluster.server.pods)), lambda pod: pod["metadata"].update(labels={"app": "x"}))


def scale_to_0(cluster: Cluster) -> None:
    cluster.server.change_spec(KEY, replicas=0)


def scale_to_1(cluster: Cluster) -> None:
    cluster.server.change_spec(KEY, replicas=1)


def scale_to_3(cluster: Cluster) -> None:
    cluster.server.change_spec(KEY, replicas=3)


QUICK = {
    *((replicas, 0, 0) for replicas in range(4)),
    *((1, 1, 0), (2, 1, 1), (3, 0, 1), (3, 0, 2)),
}
FOREIGN = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2)]
ALL = [(replicas, orphans, anothers) for replicas in range(4) for orphans, anothers in FOREIGN]


def marked(cases: list[Any], quick: set[Any]) -> list[Any]:
    return [pytest.param(*case, marks=() if case in quick else pytest.mark.full) for case in cases]


@pytest.mark.parametrize(("replicas", "orphans", "anothers"), marked(ALL, QUICK))
def test_it_comes_to_rest_as_asked_for(replicas: int, orphans: int, anothers: int) -> None:
    found = explore(small_world(replicas, orphans, anothers))
    assert found.worlds > found.ends > 0


MEDDLING = [(m, r, o) for m in (kill, relabel, scale_to_0, scale_to_1, scale_to_3) for r in (1, 2, 3) for o in (0, 1)]


@pytest.mark.parametrize(("meddling", "replicas", "orphans"), marked(MEDDLING, {m for m in MEDDLING if not m[2]}))
def test_it_comes_to_rest_though_somebody_meddles(meddling: Meddling, replicas: int, orphans: int) -> None:
    assert explore(small_world(replicas, orphans, meddling=meddling)).ends


# ------------------------------------------------------------- what is found when the core is worse than it is


def test_without_expectations_there_are_pods_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expectations, "expect", lambda *_: None)
    monkeypatch.setattr(Versions, "stale", lambda *_: None)  # else the versions would stand in
    with pytest.raises(Broken, match="2 pods where 1 were asked for"):
        explore(small_world(1, crashes=0, failures=0))


def test_without_doubt_a_lost_answer_makes_a_pod_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expectations, "doubtful", lambda *_: False)
    with pytest.raises(Broken, match="2 pods where 1 were asked for"):
        explore(small_world(1, crashes=0))


def test_expectations_that_are_never_met_let_nothing_come_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expectations, "creation_observed", lambda *_: None)
    with pytest.raises(Broken, match="at rest with 0 pods of 1"):
        explore(small_world(1, meddling=kill, crashes=0, failures=0))


def test_a_view_that_goes_by_labels_takes_pods_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "pods_of", lambda store, owner: store.pods(owner.namespace))
    with pytest.raises(Broken, match="is not its own"):
        explore(small_world(0, anothers=1, crashes=0, failures=0))


def test_a_status_that_is_not_written_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kcompanion.reconcile.status.changes", lambda *_: ())
    with pytest.raises(Broken, match="with a status of"):
        explore(small_world(1, crashes=0, failures=0))
