"""Watch notices made into happenings."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from kcompanion.errors import NotFound, UsageError
from kcompanion.model import resources as r
from kcompanion.text.catalog import phrase
from kcompanion.trace.goal import Goal, goal_of
from kcompanion.trace.live import Tracker
from kcompanion.trace.manifest import TRACE, labelled, objects, resource_of
from tests.trace.build import NOW, at, condition, event, meta, owner, pod, world


def told(found: list[Any]) -> list[str]:
    return [one.id for one in found]


def test_a_pod_from_nothing_to_ready() -> None:
    tracker = Tracker(everything=True)
    bare = pod(up=False, spec={"nodeName": ""})
    assert told(tracker.see("Pod", "ADDED", bare, 5)) == ["created"]
    assert told(tracker.see("Pod", "MODIFIED", pod(up=False), 9)) == ["bound"]
    assert told(tracker.see("Pod", "MODIFIED", pod(), 20)) == ["noticed", "sandbox", "running", "is_ready"]
    assert tracker.see("Pod", "MODIFIED", pod(), 30) == []
    assert told(tracker.see("Pod", "DELETED", pod(), 40)) == ["gone"]
    assert tracker.pods() == []


def test_what_was_there_before_is_not_told() -> None:
    tracker = Tracker(everything=True)
    assert tracker.see("Pod", "PRESENT", pod(), 0) == []
    assert tracker.see("Event", "PRESENT", event("web-1", "Pulled", 3), 0) == []
    assert len(tracker.pods()) == 1


def test_a_crash_and_its_restart() -> None:
    tracker = Tracker(everything=True)
    tracker.see("Pod", "PRESENT", pod(), 0)
    crashed = deepcopy(pod())
    crashed["status"]["containerStatuses"][0] |= {"state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
    assert told(tracker.see("Pod", "MODIFIED", crashed, 1)) == ["ended"]
    waits = deepcopy(crashed)
    waits["status"]["containerStatuses"][0] |= {"restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    assert told(tracker.see("Pod", "MODIFIED", waits, 2)) == ["restarted", "waiting"]


def test_an_event_is_told_again_only_when_it_counts_up() -> None:
    tracker = Tracker(everything=True)
    one = event("web-1", "BackOff", 3)
    one["metadata"]["uid"] = "e1"
    assert told(tracker.see("Event", "ADDED", one, 1)) == ["event.BackOff"]
    assert tracker.see("Event", "MODIFIED", one, 2) == []
    assert told(tracker.see("Event", "MODIFIED", {**one, "count": 2}, 3)) == ["event.BackOff"]
    assert tracker.see("Event", "ADDED", event("web-1", "Scheduled", 3), 4) == []


def test_a_pod_that_came_before_its_replicaset_is_told_when_that_comes() -> None:
    tracker = Tracker()
    mine = pod(metadata={"ownerReferences": owner("ReplicaSet", "web-a")})
    assert tracker.see("Pod", "ADDED", mine, 1) == []
    keeper = {"metadata": meta("web-a") | {"ownerReferences": owner("Deployment", "web")}, "spec": {"replicas": 1}}
    assert tracker.see("ReplicaSet", "ADDED", keeper, 2) == []
    found = tracker.follow("uid-web")
    assert [(one.ms, one.subject, one.id) for one in found][:2] == [
        (2, "replicaset/web-a", "created"),
        (1, "pod/web-1", "created"),
    ]
    assert tracker.see("Pod", "ADDED", pod("stranger"), 3) == []


def test_endpoints_come_turn_ready_and_go() -> None:
    tracker = Tracker(everything=True)
    tracker.see("Pod", "PRESENT", pod(), 0)

    def piece(*endpoints: dict[str, Any]) -> dict[str, Any]:
        return {"metadata": meta("web-x"), "endpoints": list(endpoints)}

    target = {"uid": "uid-web-1", "name": "web-1"}
    assert told(
        tracker.see("EndpointSlice", "ADDED", piece({"conditions": {"ready": False}, "targetRef": target}), 1)
    ) == ["endpoint_unready"]
    assert not tracker.serving
    assert told(
        tracker.see("EndpointSlice", "MODIFIED", piece({"conditions": {"ready": True}, "targetRef": target}), 2)
    ) == ["endpoint"]
    assert tracker.serving
    assert told(tracker.see("EndpointSlice", "MODIFIED", piece(), 3)) == ["endpoint_gone"]


@pytest.mark.parametrize(
    ("kind", "item", "goal"),
    [
        ("Pod", pod(), Goal.READY),
        ("Pod", pod(up=False), Goal.PENDING),
        ("Pod", {"status": {"phase": "Failed"}}, Goal.FAILED),
        ("Pod", {"status": {"phase": "Succeeded"}}, Goal.DONE),
        ("Job", {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}, Goal.DONE),
        ("Job", {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}, Goal.FAILED),
        ("Deployment", {"metadata": {"generation": 1}, "spec": {}, "status": {}}, Goal.PENDING),
        (
            "Deployment",
            {
                "metadata": {"generation": 1},
                "spec": {"replicas": 2},
                "status": {"observedGeneration": 1, "availableReplicas": 2},
            },
            Goal.READY,
        ),
        (
            "Deployment",
            {"metadata": {"generation": 2}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}},
            Goal.PENDING,
        ),
        (
            "DaemonSet",
            {
                "metadata": {"generation": 1},
                "status": {"observedGeneration": 1, "desiredNumberScheduled": 2, "numberReady": 2},
            },
            Goal.READY,
        ),
        ("ConfigMap", {}, Goal.READY),
    ],
)
def test_goals(kind: str, item: dict[str, Any], goal: Goal) -> None:
    assert goal_of(kind, item) is goal


def test_manifests() -> None:
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {"a": "b"}}}
    assert objects([None, item, {"kind": "List", "items": [item]}]) == [item, item]
    made = labelled(item, "shop", "m")
    assert made["metadata"]["namespace"] == "shop"
    assert made["metadata"]["labels"] == {"a": "b", TRACE: "m", "app.kubernetes.io/managed-by": "kcompanion"}
    assert "namespace" not in item["metadata"]
    for odd in ([], ["x"], [{"kind": "Pod"}], [{"apiVersion": "v1", "kind": "Pod"}]):
        with pytest.raises(UsageError):
            objects(odd)


def test_a_kind_that_is_known_by_heart_needs_no_discovery() -> None:
    assert resource_of({"apiVersion": "apps/v1", "kind": "Deployment"}, world()) is r.DEPLOYMENTS


def test_a_kind_that_nobody_serves() -> None:
    from kcompanion.model import discovery
    from kcompanion.model.ask import Outcome, Reading
    from kcompanion.model.snapshot import Snapshot
    from kcompanion.model.world import World

    asked = world()
    empty = {ask.key: Reading(ask, Outcome.OK, 200, body="{}") for ask in discovery.ROOTS}
    with pytest.raises(NotFound):
        resource_of({"apiVersion": "a.b/v1", "kind": "Nothing"}, World(Snapshot(asked.now, readings=empty)))


def test_a_new_leader_is_told_and_a_renewal_is_not() -> None:
    def lease(holder: str) -> dict[str, Any]:
        return {
            "metadata": {"name": "kube-scheduler", "namespace": "kube-system", "uid": "l"},
            "spec": {"holderIdentity": holder},
        }

    tracker = Tracker(everything=True, spaces=True)
    assert tracker.see("Lease", "PRESENT", lease("a"), 0) == []
    assert tracker.see("Lease", "MODIFIED", lease("a"), 2) == []
    [one] = tracker.see("Lease", "MODIFIED", lease("b"), 9)
    assert (one.id, one.actor, one.subject) == ("elected", "b", "kube-system: lease/kube-scheduler")
    assert tracker.see("Lease", "MODIFIED", lease(""), 12) == []


def managed(manager: str, time: str, *, subresource: str = "", field: str = "f:replicas") -> dict[str, Any]:
    scale = {"subresource": subresource} if subresource else {}
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": {"f:spec": {field: {}}}, **scale}


@pytest.mark.parametrize(
    ("managers", "owners", "actor"),
    [
        ([managed("helm", at(1)), managed("kubectl", at(9), subresource="scale")], [], "kubectl"),
        ([managed("helm", at(1), field="f:template"), managed("kubectl-edit", at(9))], [], "kubectl edit"),
        ([managed("kube-controller-manager", at(9), subresource="scale")], [], "kube-controller-manager"),
        ([managed("helm", at(1), field="f:template")], [], "?"),
        ([managed("kube-controller-manager", at(9))], owner("Deployment", "web"), "deployment-controller"),
        ([managed("kubectl", at(9), subresource="scale")], owner("Deployment", "web"), "kubectl"),
        ([], owner("Deployment", "web"), "deployment-controller"),
    ],
)
def test_who_scales_is_who_set_the_number(managers: list[Any], owners: list[Any], actor: str) -> None:
    def keeper(count: int) -> dict[str, Any]:
        made = meta("web") | {"managedFields": managers, "ownerReferences": owners}
        return {"metadata": made, "spec": {"replicas": count}}

    tracker = Tracker(everything=True)
    tracker.see("Deployment", "PRESENT", keeper(1), 0)
    [one] = tracker.see("Deployment", "MODIFIED", keeper(3), 5)
    assert (one.id, one.actor) == ("scaled", actor)


@pytest.mark.parametrize(
    ("reason", "actor"),
    [
        ("EvictionByEvictionAPI", "kube-apiserver"),
        ("DeletionByTaintManager", "taint-eviction-controller"),
        ("PreemptionByScheduler", "default-scheduler"),
        ("TerminationByKubelet", "kubelet"),
        ("OfTheirOwn", "?"),
    ],
)
def test_an_eviction_is_told_with_its_reason_once(reason: str, actor: str) -> None:
    tracker = Tracker(everything=True)
    tracker.see("Pod", "PRESENT", pod(), 0)
    doomed = deepcopy(pod())
    doomed["status"]["conditions"].append(condition("DisruptionTarget", 20, reason=reason))
    doomed["metadata"] |= {"deletionTimestamp": NOW, "deletionGracePeriodSeconds": 30}
    evicted, deleting = tracker.see("Pod", "MODIFIED", doomed, 5)
    assert (evicted.id, evicted.actor, dict(evicted.told.values)) == ("evicted", actor, {"reason": reason})
    assert deleting.id == "deleting"
    assert tracker.see("Pod", "MODIFIED", doomed, 6) == []


def test_a_pod_that_the_kubelet_ended_tells_why() -> None:
    tracker = Tracker(everything=True)
    tracker.see("Pod", "PRESENT", pod(), 0)
    ended = deepcopy(pod())
    ended["status"] |= {"phase": "Failed", "reason": "Evicted"}
    [one] = tracker.see("Pod", "MODIFIED", ended, 5)
    assert [phrase(one.told, language) for language in ("en", "ko")] == [
        "phase Failed (Evicted)",
        "단계 Failed(Evicted)",
    ]


def test_subjects_tell_their_namespace_where_there_are_several() -> None:
    [one] = Tracker(everything=True, spaces=True).see("Pod", "ADDED", pod(up=False, spec={"nodeName": ""}), 1)
    assert one.subject == "shop: pod/web-1"
