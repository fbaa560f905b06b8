"""What `operator status` concludes from objects: who leads, what is missing, what would be left behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kcompanion.installation.readiness import progress
from kcompanion.installation.remains import CRD, OBJECTS, remains
from kcompanion.installation.remains import PODS as ALL_PODS
from kcompanion.installation.state import LEASES, PODS, WORKLOADS, absent, decisions_of, further_asks, state
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Reading
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Snapshot

NOW = datetime(2026, 11, 28, 8, 0, 30, tzinfo=UTC)
OURS = "companionreplicasets.kcompanion.dev"
DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "kcompanion-operator", "namespace": "kcompanion-system", "generation": 1},
    "spec": {
        "replicas": 2,
        "template": {"spec": {"containers": [{"image": "op:1", "args": ["operator", "run", f"--target={OURS}"]}]}},
    },
    "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2},
}
DAEMONSET: dict[str, Any] = {
    "metadata": {"name": "x", "generation": 2},
    "spec": {},
    "status": {
        "observedGeneration": 2,
        "currentNumberScheduled": 1,
        "desiredNumberScheduled": 1,
        "updatedNumberScheduled": 1,
        "numberReady": 1,
    },
}
POD = {
    "metadata": {"name": "op-1", "namespace": "kcompanion-system"},
    "spec": {"nodeName": "n1"},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"restartCount": 2, "lastState": {"terminated": {"message": "first\nthe lease was lost\n"}}},
        ],
    },
}
SERVED = {"metadata": {"name": OURS}, "status": {"conditions": [{"type": "Established", "status": "True"}]}}
CRS: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"replicas": 3},
    "status": {"readyReplicas": 2},
}


def lease(seconds: int = 3) -> dict[str, Any]:
    renewed = f"2026-11-28T08:00:{30 - seconds:02}.000000Z"
    return {
        "spec": {"holderIdentity": "op-1_7", "renewTime": renewed, "leaseDurationSeconds": 15, "leaseTransitions": 4}
    }


def snapshot(answers: dict[Ask, Any]) -> Snapshot:
    everything: dict[Ask, Any] = {CRD: None, OBJECTS: [], PODS: [], **{ask: [] for ask in WORKLOADS.values()}}
    everything |= dict.fromkeys(LEASES.values())
    everything |= answers
    readings = {
        ask.key: Reading(ask, Outcome.ABSENT if body is None else Outcome.OK, body=body)
        for ask, body in everything.items()
    }
    return Snapshot(NOW, readings=readings)


def whole(**changes: Any) -> Snapshot:
    answers: dict[Ask, Any] = {
        WORKLOADS[r.DEPLOYMENTS]: [changes.get("deployment", DEPLOYMENT)],
        PODS: [POD],
        LEASES[OURS]: changes.get("lease", lease()),
        CRD: SERVED,
        OBJECTS: [CRS],
        decisions_of(POD): changes.get("decisions", "[]"),
    }
    return snapshot(answers)


def test_nothing_is_there() -> None:
    assert absent(snapshot({}))
    assert not absent(snapshot({CRD: SERVED}))


def test_what_could_not_be_read_is_not_absent() -> None:
    seen = snapshot({})
    forbidden = Reading(CRD, Outcome.FORBIDDEN)
    assert not absent(Snapshot(NOW, readings={**seen.readings, CRD.key: forbidden}))


def test_all_is_well() -> None:
    found = state(whole())
    [operator] = found.operators
    assert (operator.status, operator.workload, operator.progress.ready) == (
        Status.OK,
        "deployment/kcompanion-operator",
        2,
    )
    assert operator.leader is not None
    assert (operator.leader.holder, operator.leader.age) == ("op-1_7", 3)
    assert [(pod.ready, pod.restarts, pod.last_words) for pod in operator.replicas] == [(True, 2, "the lease was lost")]
    assert found.kind is not None
    assert (found.kind.objects, found.kind.desired, found.kind.ready) == (1, 3, 2)


def test_a_lease_that_ran_out_is_nobody() -> None:
    assert state(whole(lease=lease(20))).status is Status.FAIL
    assert state(whole(lease=None)).status is Status.FAIL


def test_one_replica_less_is_a_flaw() -> None:
    lame = {**DEPLOYMENT, "status": {**DEPLOYMENT["status"], "readyReplicas": 1}}
    assert state(whole(deployment=lame)).status is Status.WARN


def test_an_operator_at_somebodys_desk_is_seen_by_its_lease() -> None:
    [operator] = state(snapshot({LEASES["replicasets.apps"]: lease()})).operators
    assert (operator.target.name, operator.workload, operator.status) == ("replicasets.apps", "", Status.OK)
    assert state(snapshot({LEASES["replicasets.apps"]: lease(25)})).operators == ()


def test_the_last_errors_come_from_its_decisions() -> None:
    told = [
        {"time": f"2026-11-28T08:00:0{n}Z", "decision": {"namespace": "shop", "name": "web", "error": error}}
        for n, error in enumerate([None, "quota"])
    ]
    found = state(whole(decisions=json.dumps(told)))
    assert [failure.to_json()["error"] for failure in found.operators[0].failures] == ["quota"]
    assert further_asks(whole()) == (decisions_of(POD),)


@pytest.mark.parametrize("text", ["not JSON", "{}", '[1, {"decision": 3}]'])
def test_odd_decisions_do_no_harm(text: str) -> None:
    assert state(whole(decisions=text)).operators[0].failures == ()


@pytest.mark.parametrize(
    ("change", "done"),
    [({}, True), ({"readyReplicas": 1}, False), ({"replicas": 3}, False), ({"observedGeneration": 0}, False)],
)
def test_a_rollout_is_over_when_only_new_pods_are_there_and_ready(change: dict[str, int], done: bool) -> None:
    item = {**DEPLOYMENT, "status": {**DEPLOYMENT["status"], **change}}
    assert progress(item).done is done


def test_a_daemonset_counts_nodes() -> None:
    assert progress(DAEMONSET).done
    assert not progress({**DAEMONSET, "status": {**DAEMONSET["status"], "numberReady": 0}}).done
    assert not progress({}).done


def test_remains_are_objects_and_pods_that_are_not_being_deleted() -> None:
    owner = {"apiVersion": "kcompanion.dev/v1alpha1", "kind": "CompanionReplicaSet", "name": "web", "controller": True}
    pods = [
        {"metadata": {"name": name, "namespace": "shop", "ownerReferences": [ref], **more}}
        for name, ref, more in (
            ("a", owner, {}),
            ("b", owner, {"deletionTimestamp": "2026-11-28T08:00:00Z"}),
            ("c", {**owner, "apiVersion": "apps/v1", "kind": "ReplicaSet"}, {}),
            ("d", {**owner, "controller": False}, {}),
        )
    ]
    left = remains(snapshot({ALL_PODS: pods}))
    assert (left.objects, left.pods, left.any) == ((), ("shop/a",), True)
    assert "shop/a" in left.told
    held = {"metadata": {**CRS["metadata"], "finalizers": ["example.com/x"]}}
    assert "shop/web (example.com/x)" in remains(snapshot({OBJECTS: [held], ALL_PODS: []})).told
