"""Orphans and why they are some; controllers in each other's way."""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, Reading
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.ownership.orphans import Orphan, Sort, examined, orphans
from kcompanion.ownership.overlaps import Clash, conflicts, events_asked
from kcompanion.ownership.owners import MIRROR
from kcompanion.report.orphans import why
from kcompanion.text.catalog import phrase
from tests.ownership.build import NOW, Json, controller, deployed, pod, reference, thing, world


def found(*objects: Json, every: bool = False, **more: Any) -> dict[str, Orphan]:
    here = world(*objects, **more)
    entities, _ = examined("shop", here, every=every)
    told, gaps = orphans(entities, here)
    assert gaps == ()
    return {orphan.entity.ref.name: orphan for orphan in told}


def sorts(*objects: Json, **more: Any) -> dict[str, str]:
    return {name: orphan.sort.value for name, orphan in found(*objects, **more).items()}


def freed(item: Json, **labels: str) -> Json:
    metadata = {key: value for key, value in item["metadata"].items() if key != "ownerReferences"}
    return {**item, "metadata": {**metadata, "labels": {**metadata["labels"], **labels}}}


def test_a_whole_deployment_has_none() -> None:
    assert sorts(*deployed(3)) == {}


def test_released_by_a_label_and_who_wrote_it() -> None:
    *rest, last = deployed(2)
    fields: Json = {"f:metadata": {"f:labels": {"f:app": {}}}}
    write = {"manager": "kubectl-label", "operation": "Update", "time": "2026-11-21T11:00:00Z", "fieldsV1": fields}
    free = freed(last, app="debug")
    free["metadata"]["managedFields"] = [write]
    again = pod("web-5d54dbcf5f-zzzzz", rest[1], labels=last["metadata"]["labels"], created="2026-11-21T11:00:01Z")
    one = found(*rest, free, again)[last["metadata"]["name"]]
    assert (one.sort, str(one.maker)) == (Sort.RELEASED, "ReplicaSet shop/web-5d54dbcf5f")
    assert one.differing == (("app", "web", "debug"),)
    assert one.write is not None
    assert (one.write.manager, one.write.field) == ("kubectl-label", "metadata.labels[app]")
    assert one.replacement is not None
    assert one.replacement.name == "web-5d54dbcf5f-zzzzz"


def test_a_missing_label_releases_too() -> None:
    *rest, last = deployed(1)
    free = freed(last)
    del free["metadata"]["labels"]["app"]
    assert found(*rest, free)[last["metadata"]["name"]].differing == (("app", "web", ""),)


def test_left_behind_by_an_orphaning_delete() -> None:
    deployment, made, item = deployed(1)
    left = freed(made)
    assert sorts(left, item) == {made["metadata"]["name"]: "left"}
    assert sorts(freed(item)) == {item["metadata"]["name"]: "left"}
    assert deployment["kind"] == "Deployment"


def test_left_behind_after_somebody_had_set_it_free() -> None:
    """The label may have set it free before its controller was deleted, and then no --cascade=orphan was needed."""
    *_, item = deployed(1)
    free = freed(item, app="debug")
    made: Json = {"f:metadata": {"f:labels": {"f:pod-template-hash": {}}}, "f:spec": {"f:containers": {}}}
    relabelled: Json = {"f:metadata": {"f:labels": {"f:app": {}}}}
    controllers = {"manager": "kube-controller-manager", "time": "2026-11-21T11:30:00Z", "fieldsV1": made}
    by_hand = {"manager": "kubectl-label", "time": "2026-11-21T11:00:00Z", "fieldsV1": relabelled}
    free["metadata"]["managedFields"] = [controllers, by_hand]
    (one,) = found(free).values()
    assert one.write is not None
    assert (one.sort, one.write.manager, one.write.field) == (Sort.LEFT, "kubectl-label", "metadata.labels[app]")
    told = phrase(why(one, world(free)), "en")
    assert "or after it had let this one go" in told
    assert "metadata.labels[app] was last written by kubectl-label" in told
    free["metadata"]["managedFields"] = [controllers]
    (one,) = found(free).values()
    assert one.write is None


def test_adoptable_bare_static_and_owned_without_controller() -> None:
    static = pod("etcd-n1", thing("Node", "n1"), metadata={"annotations": {MIRROR: "x"}})
    owned = pod("owned")
    owned["metadata"]["ownerReferences"] = [reference(thing("Widget", "w"), controller=False)]
    objects = [*deployed(1), thing("Node", "n1"), thing("Widget", "w"), static, owned, pod("bare")]
    stray = pod("stray", labels={"app": "web", "pod-template-hash": "5d54dbcf5f"})
    assert sorts(*objects, stray) == {
        "etcd-n1": "static",
        "owned": "uncontrolled",
        "bare": "bare",
        "stray": "adoptable",
    }


def test_a_finished_pod_that_fits_is_not_adopted() -> None:
    stray = pod("stray", phase="Succeeded", labels={"app": "web", "pod-template-hash": "5d54dbcf5f"})
    assert sorts(*deployed(1), stray) == {"stray": "bare"}


def test_owners_that_lead_nowhere() -> None:
    owner = controller("ReplicaSet", "gone", {"app": "x"})
    assert sorts(pod("p", owner)) == {"p": "gone"}
    stray = thing("Widget", "w", owner=thing("ConfigMap", "gone"))
    assert sorts(stray) == {}
    assert sorts(stray, every=True) == {"w": "gone"}


def test_a_job_made_by_hand_is_no_orphan_one_left_by_its_cronjob_is() -> None:
    scheduled = {"annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-21T11:00:00Z"}}
    assert sorts(thing("Job", "by-hand"), thing("Job", "tick-29395440", metadata=scheduled)) == {
        "tick-29395440": "left"
    }


def test_what_cannot_be_read_is_a_gap() -> None:
    here = world(pod("p"), missing={r.STATEFULSETS: Outcome.FORBIDDEN})
    told, gaps = orphans(examined("shop", here)[0], here)
    assert told == ()
    assert [gap.resource for gap in gaps] == ["statefulsets.apps"]


# ------------------------------------------------------------------------------------- conflicts


def clashes(*objects: Json, events: list[Json] | None = None) -> list[tuple[Clash, list[str]]]:
    held = dict(world(*objects).snapshot.readings)
    for ask in events_asked("shop"):
        those = [one for one in events or [] if f"reason={one['reason']}" == ask.fields]
        held[ask.key] = Reading(ask, Outcome.OK, 200, body=those)
    told, gaps = conflicts("shop", World(Snapshot(NOW, readings=held)))
    assert gaps == ()
    return [(one.clash, [ref.name for ref in one.parties]) for one in told]


def test_replicasets_of_one_deployment_do_not_overlap() -> None:
    deployment, made, *_ = deployed()
    other = controller("ReplicaSet", "web-old", {"app": "web", "pod-template-hash": "old"}, owner=deployment)
    assert clashes(deployment, made, other) == []


def test_selectors_that_fit_what_another_makes() -> None:
    one = controller("ReplicaSet", "one", {"app": "web"})
    two = controller("StatefulSet", "two", {"app": "web", "tier": "db"})
    three = controller("DaemonSet", "three", {"app": "other"})
    assert clashes(one, two, three) == [(Clash.OVERLAP, ["one", "two"])]


def test_two_deployments_of_one_selector() -> None:
    first, second = (controller("Deployment", name, {"app": "web"}) for name in ("a", "b"))
    assert clashes(first, second) == [(Clash.OVERLAP, ["a", "b"])]


def scaler(name: str) -> Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return thing("HorizontalPodAutoscaler", name, spec={"scaleTargetRef": target})


def test_two_autoscalers_of_one_target() -> None:
    assert clashes(*deployed(1), scaler("x"), scaler("y")) == [(Clash.SCALERS, ["x", "y", "web"])]


def replicaset_event(reason: str, count: int, first: str, last: str, kind: str = "ReplicaSet") -> Json:
    about = {"kind": kind, "name": "web-5d54dbcf5f", "namespace": "shop"}
    times = {"firstTimestamp": f"2026-11-21T{first}Z", "lastTimestamp": f"2026-11-21T{last}Z"}
    return {"involvedObject": about, "reason": reason, "count": count, "metadata": {}, **times}


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController", "CompanionReplicaSet"])
def test_making_and_deleting_by_turns(kind: str) -> None:
    made = replicaset_event("SuccessfulCreate", 4, "11:56:00", "11:58:00", kind)
    deleted = replicaset_event("SuccessfulDelete", 4, "11:56:10", "11:58:10", kind)
    assert clashes(*deployed(1), events=[made, deleted]) == [(Clash.BY_TURNS, ["web-5d54dbcf5f"])]
    assert clashes(*deployed(1), events=[made]) == []
    old = [{**one, "lastTimestamp": "2026-11-21T10:00:00Z"} for one in (made, deleted)]
    assert clashes(*deployed(1), events=old) == []


@pytest.mark.parametrize(
    "story",
    [
        [("SuccessfulCreate", "11:55"), ("SuccessfulDelete", "11:57")],  # rolled out, then replaced
        [("SuccessfulCreate", "11:53"), ("SuccessfulDelete", "11:55"), ("SuccessfulCreate", "11:57")],  # and back again
    ],
)
def test_a_rollout_is_no_fight(story: list[tuple[str, str]]) -> None:
    events = [
        replicaset_event(reason, 1, f"{minute}:{second:02}", f"{minute}:{second:02}")
        for reason, minute in story
        for second in (0, 5, 10, 15)
    ]
    assert clashes(*deployed(1), events=events) == []
