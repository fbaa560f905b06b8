"""One ReplicaSet seen from outside: who does what to its pods, and the balance after it."""

from __future__ import annotations

from typing import Any

from kcompanion.trace.keeping import Balance, Keeping, last_writer
from kcompanion.trace.live import Happening

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": True}


def replicaset(desired: int = 2, **status: int) -> dict[str, Any]:
    writers = [
        {"manager": "kubectl-create", "time": "2026-11-28T08:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl-scale", "time": "2026-11-28T08:01:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
    ]
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "rs", "managedFields": writers},
        "spec": {"replicas": desired},
        "status": status,
    }


def pod(name: str, *, owned: bool = True, ready: bool = True, labels: str = "web", **meta: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"f:metadata": {"f:labels": {}}}
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {"app": labels},
            "ownerReferences": [OWNER] if owned else [],
            "managedFields": [{"manager": "kubectl-label", "time": "2026-11-28T08:02:00Z", "fieldsV1": fields}],
            **meta,
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def begun(desired: int = 2) -> Keeping:
    keeping = Keeping("ReplicaSet", "rs")
    keeping.see("ReplicaSet", "PRESENT", replicaset(desired), 0)
    for name in ("a", "b"):
        keeping.see("Pod", "PRESENT", pod(name), 0)
    keeping.see("Pod", "PRESENT", pod("stranger", owned=False), 0)
    return keeping


def ids(found: list[Happening]) -> list[str]:
    return [one.id for one in found]


def test_the_balance_to_begin_with() -> None:
    keeping = begun()
    assert keeping.start().told.id == "reconcile.watch.balance_ok"
    assert keeping.balance() == Balance(2, 2, 2)
    assert begun(5).start().told.id == "reconcile.watch.balance_few"
    assert begun(1).start().told.id == "reconcile.watch.balance_many"


def test_a_pod_that_is_being_deleted_counts_no_longer() -> None:
    keeping = begun()
    keeping.start()
    leaving = pod("a", deletionTimestamp="2026-11-28T08:03:00Z")
    assert ids(keeping.see("Pod", "MODIFIED", leaving, 5)) == ["deleting", "balance"]
    assert keeping.balance() == Balance(2, 1, 1)
    assert ids(keeping.see("Pod", "DELETED", leaving, 9)) == ["gone"]
    assert ids(keeping.see("Pod", "ADDED", pod("c", ready=False), 12)) == ["created", "balance"]


def test_a_label_that_was_tampered_with() -> None:
    keeping = begun()
    keeping.start()
    [labels] = keeping.see("Pod", "MODIFIED", pod("a", labels="bad"), 5)
    assert (labels.id, labels.actor) == ("labels", "kubectl label")
    assert dict(labels.told.values)["labels"] == "app=web → app=bad"
    found = keeping.see("Pod", "MODIFIED", pod("a", labels="bad", owned=False), 7)
    assert ids(found) == ["released", "balance"]
    assert found[0].actor == "replicaset-controller"
    assert keeping.balance() == Balance(2, 1, 1)


def test_an_orphan_that_is_adopted_was_not_created_now() -> None:
    keeping = begun(3)
    keeping.start()
    found = keeping.see("Pod", "MODIFIED", pod("stranger"), 5)
    assert ids(found) == ["adopted", "balance"]
    assert keeping.balance() == Balance(3, 3, 3)


def test_a_stranger_is_nobodys_business() -> None:
    keeping = begun()
    keeping.start()
    assert keeping.see("Pod", "MODIFIED", pod("stranger", owned=False, labels="x"), 5) == []


def test_who_scaled_and_what_was_written_in_answer() -> None:
    keeping = begun()
    keeping.start()
    found = keeping.see("ReplicaSet", "MODIFIED", replicaset(3), 5)
    assert [(one.id, one.actor) for one in found] == [("scaled", "kubectl scale"), ("balance", "")]
    [status] = keeping.see("ReplicaSet", "MODIFIED", replicaset(3, replicas=3), 9)
    assert dict(status.told.values)["changes"] == "replicas 0 → 3"


def test_odd_objects_do_no_harm() -> None:
    keeping = Keeping("CompanionReplicaSet", "rs")
    assert keeping.balance() == Balance(1, 0, 0)
    assert keeping.see("Pod", "MODIFIED", {"metadata": {"ownerReferences": 3}}, 1) == []
    assert last_writer({"metadata": {"managedFields": "x"}}, "f:spec") == ""
