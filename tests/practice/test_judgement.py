"""When an exercise is solved: goals by kind, the cause, what is critical, and what could not be read."""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.practice.cases import PRACTICE, case
from kcompanion.practice.exercises import BY_ID
from kcompanion.practice.goals import GOALS, Goal, unmet
from kcompanion.practice.judgement import cause, judged, lacking, owns, pods, shows
from tests.explain.casebook import CASES, NOW, world_from, world_of

READY = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T11:59:00Z"}]}
YOUNG = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T11:59:58Z"}]}
FULL = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
NODES = {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 2}


def thing(kind: str, status: dict[str, Any], name: str = "web", **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "generation": 2, "labels": {"app": "web"}}
    return {"kind": kind, "metadata": meta, "spec": spec, "status": status}


def workload(kind: str, status: dict[str, Any], replicas: int = 2) -> dict[str, Any]:
    return thing(kind, status, replicas=replicas, selector={"matchLabels": {"app": "web"}})


def endpoints(*, ready: bool) -> dict[str, Any]:
    slice_ = thing("EndpointSlice", {}, "web-1")
    slice_["metadata"]["labels"] = {"kubernetes.io/service-name": "web"}
    return {**slice_, "endpoints": [{"addresses": ["192.0.2.1"], "conditions": {"ready": ready}}]}


CASE = pytest.param
GOALS_BY_STATE = [
    CASE("Deployment", [workload("Deployment", FULL), thing("Pod", READY)], "", id="deployment"),
    CASE("Deployment", [workload("Deployment", FULL, 0)], "scaled", id="deployment-scaled-down"),
    CASE("Deployment", [workload("Deployment", FULL | {"readyReplicas": 1})], "replicas", id="deployment-half"),
    CASE("Deployment", [workload("Deployment", FULL | {"observedGeneration": 1})], "replicas", id="deployment-unseen"),
    CASE("Deployment", [workload("Deployment", FULL | {"replicas": 3})], "replicas", id="deployment-old-pods"),
    CASE("Deployment", [workload("Deployment", FULL), thing("Pod", YOUNG)], "young", id="deployment-young"),
    CASE("StatefulSet", [workload("StatefulSet", FULL), thing("Pod", READY)], "", id="statefulset"),
    CASE("StatefulSet", [workload("StatefulSet", FULL | {"updatedReplicas": 1})], "replicas", id="statefulset-old"),
    CASE("DaemonSet", [workload("DaemonSet", NODES), thing("Pod", READY)], "", id="daemonset"),
    CASE("DaemonSet", [workload("DaemonSet", NODES | {"desiredNumberScheduled": 0})], "daemons", id="nowhere"),
    CASE("Pod", [thing("Pod", READY)], "", id="pod"),
    CASE("Pod", [thing("Pod", {"phase": "Succeeded"})], "", id="pod-done"),
    CASE("Pod", [thing("Pod", {"phase": "Pending"})], "pod", id="pod-pending"),
    CASE("Pod", [thing("Pod", YOUNG)], "young", id="pod-young"),
    CASE("Job", [thing("Job", {"conditions": [{"type": "Complete", "status": "True"}]})], "", id="job"),
    CASE("Job", [thing("Job", {"active": 1})], "job", id="job-active"),
    CASE("CronJob", [thing("CronJob", {"lastSuccessfulTime": "2026-11-21T11:59:00Z"})], "", id="cronjob"),
    CASE("CronJob", [thing("CronJob", {"active": [{"name": "x"}]}, suspend=True)], "suspended", id="cronjob-suspended"),
    CASE("CronJob", [thing("CronJob", {})], "cronjob", id="cronjob-idle"),
    CASE("Service", [thing("Service", {}), endpoints(ready=True)], "", id="service"),
    CASE("Service", [thing("Service", {}), endpoints(ready=False)], "service", id="service-unready"),
    CASE("Service", [thing("Service", {})], "service", id="service-nothing"),
    CASE("PersistentVolumeClaim", [thing("PersistentVolumeClaim", {"phase": "Bound"})], "", id="claim"),
    CASE("PersistentVolumeClaim", [thing("PersistentVolumeClaim", {"phase": "Pending"})], "claim", id="claim-pending"),
    CASE("PodDisruptionBudget", [thing("PodDisruptionBudget", {"observedGeneration": 2, "disruptionsAllowed": 1})], "",
         id="budget"),
    CASE("PodDisruptionBudget", [thing("PodDisruptionBudget", {"observedGeneration": 1, "disruptionsAllowed": 1})],
         "budget", id="budget-unseen"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "objects", "missing"), GOALS_BY_STATE)
def test_goals_by_kind(kind: str, objects: list[dict[str, Any]], missing: str) -> None:
    told = unmet(Goal(Ref(kind, "web", "shop"), 2 if "Set" in kind or kind == "Deployment" else 1), world_from(objects))
    assert (told.id if told else "") == (f"practice.unmet.{missing}" if missing else "")


@pytest.mark.parametrize("kind", GOALS)
def test_what_was_deleted_meets_no_goal(kind: str) -> None:
    goal = Goal(Ref(kind, "web", "shop"))
    assert unmet(goal, world_from([])) is not None
    leaving = thing(kind, READY | FULL)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-21T11:59:00Z"
    told = unmet(goal, world_from([leaving]))
    assert told is not None
    assert told.id == "practice.unmet.deleted"


def test_the_recorded_demo_shows_its_fault_and_is_not_solved() -> None:
    world = world_of(CASES / "KC5169" / "positive.kcr")
    about = case(BY_ID["service-1"], "demo-kc5169", "i")
    assert shows(about, world)
    found = judged(about, world)
    assert not found.solved
    assert "KC5169" in {one.code for one in found.remaining}
    one = cause(about, world)
    assert one is not None
    assert one.code == "KC5169"


def test_what_could_not_be_read_decides_nothing() -> None:
    found = judged(case(BY_ID["config-1"], "shop", "i"), World(Snapshot(NOW, readings={})))
    assert found.undecided
    assert not found.solved


def test_with_the_cause_gone_and_the_goal_met_it_is_solved() -> None:
    deployment = workload("Deployment", {**FULL, **{key: 1 for key in FULL if key.endswith("eplicas")}}, 1)
    found = judged(case(BY_ID["config-1"], "shop", "i"), world_from([deployment, thing("Pod", READY)]))
    assert (found.unmet, found.gaps) == ((), ())
    assert found.solved


def test_the_readiness_of_pods_is_kubectls() -> None:
    pod = thing("Pod", {"phase": "Running", "containerStatuses": [{"name": "app", "ready": True}]}, containers=[{}, {}])
    assert pods(case(BY_ID["config-1"], "shop", "i"), world_from([pod])) == [("web", "1/2", "Running")]


@pytest.mark.parametrize(("annotation", "told"), [("true", []), ("false", ["storage_class"])])
def test_needs_are_looked_up(annotation: str, told: list[str]) -> None:
    key = "storageclass.kubernetes.io/is-default-class"
    kind = {"kind": "StorageClass", "metadata": {"name": "s", "annotations": {key: annotation}}}
    assert lacking(case(BY_ID["storage-1"], "shop", "i"), world_from([kind])) == told


def test_old_nodes_lack_sidecars() -> None:
    node = {"kind": "Node", "metadata": {"name": "a"}, "status": {"nodeInfo": {"kubeletVersion": "v1.28.3"}}}
    assert lacking(case(BY_ID["start-10"], "shop", "i"), world_from([node])) == ["sidecars"]


def test_a_namespace_of_another_run_is_not_ours() -> None:
    space = {"kind": "Namespace", "metadata": {"name": "shop", "labels": {PRACTICE: "abc"}}}
    about = case(BY_ID["config-1"], "shop", "i", "abc")
    assert owns(about, "abc", world_from([space]))
    assert not owns(about, "def", world_from([space]))
    assert not owns(about, "abc", world_from([]))
