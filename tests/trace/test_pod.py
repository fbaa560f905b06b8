"""The life of a pod: every step, its actor, its duration; what is waited for; what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kcompanion.model.ask import Outcome, Reading, getting, listing
from kcompanion.model.fields import maps_at
from kcompanion.model.message import say
from kcompanion.model.refs import ref_of
from kcompanion.model.resources import EVENTS, NODES, PODS
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report import trace as report
from kcompanion.report.document import Document
from kcompanion.trace.pod import life
from kcompanion.trace.steps import State, Story
from tests.explain.casebook import subjects, world_of
from tests.trace.build import at, condition, event, meta, owner, pod, world

FOLDER = Path(__file__).parents[1] / "explain" / "cases"
# All that were written by hand, and some of the recorded ones, which are whole clusters.
CASES = [*sorted(FOLDER.glob("*/positive*.yaml")), *sorted(FOLDER.glob("*/positive*.kcr"))[::15]]
IMAGE = "spec.containers{web}"


def rows(story: Story) -> list[tuple[str, str, float | None]]:
    return [(step.id, step.actor, step.took) for step in story.steps]


def story(item: dict[str, Any], *others: dict[str, Any]) -> Story:
    return life(item, world(item, *others))


def ids(told: Story) -> list[str]:
    return [step.id for step in (*told.steps, *told.later)]


def test_every_step_with_its_actor_and_duration() -> None:
    item = pod(metadata={"ownerReferences": owner("Job", "web")})
    pulled = 'Successfully pulled image "web:1" in 1.5s (2.25s including waiting). Image size: 9 bytes.'
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": meta("web"), "spec": {"selector": {"app": "web"}},
    }  # fmt: skip
    piece = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta("web-x")
        | {
            "labels": {"kubernetes.io/service-name": "web"},
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": at(9)},
        },
        "endpoints": [{"conditions": {"ready": True}, "targetRef": {"uid": "uid-web-1", "name": "web-1"}}],
    }
    told = story(
        item,
        event("web-1", "Scheduled", 1, reportingComponent="default-scheduler"),
        event("web-1", "Pulling", 4, path=IMAGE),
        event("web-1", "Pulled", 6, pulled, path=IMAGE),
        service,
        piece,
    )
    assert rows(told) == [
        ("created", "job-controller", None),
        ("stored", "kube-apiserver", None),
        ("bound", "default-scheduler", 1),
        ("noticed", "kubelet", 1),
        ("sandbox", "kubelet", 2),
        ("image", "kubelet", 2.25),
        ("started", "kubelet", 1),
        ("ready", "kubelet", 2),
        ("endpoints", "endpointslice-controller", 0),
    ]
    assert told.waiting is None
    assert dict(told.steps[1].told.values)["key"] == "/registry/pods/shop/web-1"


def test_what_nothing_tells_any_more_is_missing_not_guessed() -> None:
    told = story(pod())
    image = next(step for step in told.steps if step.id == "image")
    assert (image.state, image.took) == (State.MISSING, None)


def test_events_that_could_not_be_read_prove_nothing() -> None:
    item = pod()
    asked = listing(EVENTS, "shop", fields="involvedObject.kind=Pod,involvedObject.name=web-1")
    refused = Reading(asked, Outcome.FORBIDDEN, 403)
    held = Reading(listing(PODS), Outcome.OK, 200, body=[item])
    now = world(item).now
    told = life(item, World(Snapshot(now, readings={r.ask.key: r for r in (refused, held)})))
    image = next(step for step in told.steps if step.id == "image")
    assert image.state is State.NOT_KNOWN
    assert "forbidden" in [gap.outcome.value for gap in told.gaps]


def test_an_event_of_an_image_that_was_there_is_no_pull() -> None:
    text = 'Container image "web:1" already present on machine and can be accessed by the pod'
    told = story(pod(), event("web-1", "Pulled", 5, text, path=IMAGE))
    assert next(step for step in told.steps if step.id == "image").told.id == "trace.image.present"


@pytest.mark.parametrize(
    ("spec", "status", "waits"),
    [
        ({"nodeName": "", "schedulingGates": [{"name": "wait"}]}, {}, "trace.waits.gates"),
        ({"nodeName": "", "schedulerName": "mine"}, {}, "trace.waits.scheduler"),
        (
            {"nodeName": ""},
            {"conditions": [condition("PodScheduled", 1, "False", message="0/3 nodes")]},
            "trace.waits.node",
        ),
        ({}, {"conditions": [condition("PodScheduled", 1)]}, "trace.waits.kubelet"),
        ({}, {"startTime": at(2)}, "trace.waits.sandbox"),
    ],
)
def test_the_open_end(spec: dict[str, Any], status: dict[str, Any], waits: str) -> None:
    told = story(pod(up=False, spec=spec, status=status))
    assert told.waiting is not None
    assert told.waiting.told.id == waits
    assert told.steps[-1] is told.waiting
    assert told.waiting.took


def test_a_container_that_cannot_start_is_waited_for_with_its_reason() -> None:
    item = pod()
    item["status"]["containerStatuses"][0] |= {"ready": False, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    told = story(item)
    assert told.waiting is not None
    assert told.waiting.told.id == "trace.waits.reason"
    assert "ready" not in ids(told)


def test_a_running_init_container_holds_up_the_rest() -> None:
    item = pod(spec={"initContainers": [{"name": "prep", "image": "prep:1"}]})
    item["status"]["initContainerStatuses"] = [{"name": "prep", "state": {"running": {"startedAt": at(5)}}}]
    item["status"]["containerStatuses"][0] |= {"state": {"waiting": {"reason": "PodInitializing"}}}
    told = story(item)
    assert told.waiting is not None
    assert (told.waiting.id, told.waiting.part, told.waiting.took) == ("init", "prep", 55)


def test_a_probe_that_fails_is_waited_for() -> None:
    item = pod()
    item["status"]["conditions"][2]["status"] = "False"
    item["status"]["containerStatuses"][0]["ready"] = False
    told = story(item, event("web-1", "Unhealthy", 30, "Readiness probe failed: x", path=IMAGE, count=4))
    assert told.waiting is not None
    assert told.waiting.told.id == "trace.waits.probe_failing"


def test_a_restart_is_the_kubelets() -> None:
    item = pod()
    item["status"]["containerStatuses"][0] |= {
        "restartCount": 1,
        "state": {"running": {"startedAt": at(20)}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": at(7), "finishedAt": at(15)}},
    }
    told = story(item)
    assert [(s.id, s.actor, s.at) for s in told.later] == [("ended", "web", at(15)), ("restarted", "kubelet", at(20))]
    assert next(s for s in told.steps if s.id == "started").at == at(7)


def test_a_deleted_pod_waits_for_its_kubelet_and_nothing_else() -> None:
    item = pod(metadata={"deletionTimestamp": "2026-11-21T10:00:10Z", "deletionGracePeriodSeconds": 30})
    told = story(item)
    assert [(s.id, s.at or s.since) for s in told.later] == [("deleted", at(40)), ("gone", at(40))]
    assert told.waiting is not None
    assert told.waiting.id == "gone"


def test_a_static_pod_has_no_scheduler() -> None:
    notes = {"kubernetes.io/config.mirror": "x", "kubernetes.io/config.seen": "2026-11-21T09:58:50.5Z"}
    item = pod(metadata={"annotations": notes, "ownerReferences": owner("Node", "worker")})
    item["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = "2026-11-21T09:58:52Z"
    told = story(item)
    # the order of what happened: its containers run before the API server hears of it
    assert ids(told)[:7] == ["seen", "bound", "sandbox", "image", "started", "created", "stored"]
    times = [s.at for s in told.steps if s.at]
    assert times == sorted(times)
    assert {s.actor for s in told.steps if s.id == "bound"} == {"-"}
    assert "noticed" not in ids(told)
    # its condition was told after the fact, so it is no time of the sandbox
    assert next(s for s in told.steps if s.id == "sandbox").state is State.MISSING


def test_one_replica_was_made_instead_of_the_one_before() -> None:
    keeper = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta("web"), "spec": {"replicas": 1},
    }  # fmt: skip
    new = pod("web-b", metadata={"ownerReferences": owner("ReplicaSet", "web"), "creationTimestamp": at(30)})
    made = event("web", "SuccessfulCreate", 0, "Created pod: web-a", kind="ReplicaSet")
    told = story(new, keeper, made)
    assert told.steps[0].id == "instead"
    assert dict(told.steps[0].told.values) == {"name": "web-a"}


def test_of_several_lost_ones_none_is_called_the_predecessor() -> None:
    keeper = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta("web"), "spec": {"replicas": 2},
    }  # fmt: skip
    new = pod("web-c", metadata={"ownerReferences": owner("ReplicaSet", "web"), "creationTimestamp": at(30)})
    made = [event("web", "SuccessfulCreate", 0, f"Created pod: web-{x}", kind="ReplicaSet") for x in "ab"]
    told = story(new, keeper, *made)
    assert told.steps[0].id == "before"


def test_a_pod_that_was_too_many_is_no_predecessor() -> None:
    keeper = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta("web"), "spec": {"replicas": 1},
    }  # fmt: skip
    new = pod("web-b", metadata={"ownerReferences": owner("ReplicaSet", "web"), "creationTimestamp": at(30)})
    made = event("web", "SuccessfulCreate", 0, "Created pod: web-a", kind="ReplicaSet")
    gone = event("web", "SuccessfulDelete", 5, "Deleted pod: web-a", kind="ReplicaSet")
    assert "instead" not in ids(story(new, keeper, made, gone))


def test_a_statefulsets_pod_took_over_its_name() -> None:
    item = pod("db-0", metadata={"ownerReferences": owner("StatefulSet", "db")})
    told = story(item, event("db-0", "Killing", 1, "Stopping", uid="uid-old"))
    assert told.steps[0].id == "same_name"


def test_a_lost_pod_knows_its_successor() -> None:
    keeper = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta("web"), "spec": {"replicas": 1},
    }  # fmt: skip
    ties = {"ownerReferences": owner("ReplicaSet", "web")}
    old = pod("web-a", metadata=ties | {"deletionTimestamp": "2026-11-21T10:00:10Z", "deletionGracePeriodSeconds": 30})
    new = pod("web-b", metadata=ties | {"creationTimestamp": at(41)})
    told = story(old, keeper, new)
    assert ("successor", at(41)) in [(s.id, s.at) for s in told.later]


@pytest.mark.parametrize("file", CASES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_pod_of_every_case_can_be_told_in_both_languages(file: Path) -> None:
    seen = world_of(file)
    for item, kind in subjects(seen):
        if kind != "Pod":
            continue
        told = life(item, seen)
        ref = ref_of(item, "Pod")
        document = Document(
            verdict=report.verdict(told, item, ref, seen.now), sections=report.sections(told, item, ref, explain=True)
        )
        for language in ("en", "ko"):
            assert render(document, Screen(language=language))
        assert all(step.took is None or step.took >= 0 for step in (*told.steps, *told.later))
        assert not (list(maps_at(item, "status", "conditions")) and not told.steps)


KEEPER = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "metadata": meta("web"),
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {}},
}


def let_go(**labels: str) -> dict[str, Any]:
    """A pod that a ReplicaSet web made and does not own any more."""
    label: dict[str, Any] = {"f:metadata": {"f:labels": {"f:app": {}}}}
    written = {"manager": "kubectl-label", "operation": "Update", "time": at(20), "fieldsV1": label}
    return pod("web-a", metadata={"generateName": "web-", "labels": labels, "managedFields": [written]})


def read_whole(item: dict[str, Any], *others: dict[str, Any]) -> Story:
    """The story of a pod that was read with its managedFields, as `trace` does."""
    seen = world(item, *others).snapshot
    whole = Reading(
        getting(PODS, item["metadata"]["name"], "shop", keep_managed_fields=True), Outcome.OK, 200, body=item
    )
    return life(item, World(replace(seen, readings={**seen.readings, whole.ask.key: whole})))


def test_a_pod_that_was_let_go_knows_who_made_it_who_labelled_it_and_what_came_since() -> None:
    newer = pod("web-b", metadata={"ownerReferences": owner("ReplicaSet", "web"), "creationTimestamp": at(21)})
    told = read_whole(let_go(app="taken"), KEEPER, newer)
    first = told.steps[0]
    assert (first.actor, first.told.id) == ("replicaset-controller", "trace.created.let_go")
    released, since = told.later
    assert (released.id, released.actor, released.at) == ("released", "replicaset-controller", at(20))
    assert dict(released.told.values)["manager"] == "kubectl label"
    assert (since.id, since.at, dict(since.told.values)) == ("successor", at(21), {"name": "web-b"})
    assert not told.gaps


def test_a_pod_whose_maker_is_gone_is_not_called_made_by_hand() -> None:
    told = read_whole(let_go(**{"app": "web", "pod-template-hash": "x"}))
    assert told.steps[0].told.id == "trace.created.left"
    assert "released" not in ids(told)


def test_of_a_pod_made_by_hand_no_controllers_are_read() -> None:
    item = pod()
    seen = world(item)
    bare = World(Snapshot(seen.now, readings={listing(PODS).key: Reading(listing(PODS), Outcome.OK, 200, body=[item])}))
    life(item, bare)
    assert {ask.resource.plural for ask in bare.wanted.values() if ask.resource} == {
        "events", "endpointslices",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ready", "word"),
    [
        (condition("Ready", 12), "node_well"),
        (condition("Ready", 8, "False", reason="KubeletNotReady"), "node_still"),
        (condition("Ready", 8, "Unknown"), "node_lost"),
        (condition("Ready", 1), "node_unready"),
        (None, "node_gone"),
    ],
)
def test_a_node_is_called_silent_only_while_it_is(ready: dict[str, Any] | None, word: str) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker"}, "status": {"conditions": [ready]}}
    down = event("web-1", "NodeNotReady", 10, reportingComponent="node-controller")
    told = story(pod(), down, *([node] if ready else []))
    assert [(s.id, s.actor, s.told.id) for s in told.later] == [("node_lost", "node-controller", f"trace.{word}")]


def test_a_node_that_cannot_be_read_leaves_a_gap_and_what_the_event_tells() -> None:
    item, down = pod(), event("web-1", "NodeNotReady", 10)
    refused = Reading(getting(NODES, "worker"), Outcome.FORBIDDEN, 403)
    readings = {**world(item, down).snapshot.readings, refused.ask.key: refused}
    readings.pop(listing(NODES).key, None)
    told = life(item, World(Snapshot(world(item).now, readings=readings)))
    assert [s.told.id for s in told.later] == ["trace.node_unready"]
    assert [gap.resource for gap in told.gaps] == ["nodes"]


def test_a_node_named_by_hand_had_no_scheduler() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:nodeName": {}}}
    made = {"manager": "kubectl-create", "operation": "Update", "time": at(0), "fieldsV1": fields}
    step = next(s for s in story(pod(metadata={"managedFields": [made]})).steps if s.id == "bound")
    assert (step.actor, step.told.id) == ("kubectl create", "trace.bound_by_hand")


def test_a_node_that_nothing_tells_of_is_nobodys_doing() -> None:
    item = pod(up=False, spec={"nodeName": "ghost"})
    step = next(s for s in story(item).steps if s.id == "bound")
    assert (step.actor, step.source, step.state) == ("-", "spec.nodeName", State.MISSING)
    seen = event("web-1", "Scheduled", 1, reportingComponent="mine")
    step = next(s for s in story(item, seen).steps if s.id == "bound")
    assert (step.actor, step.source) == ("mine", "event Scheduled")


def ended() -> dict[str, Any]:
    item = pod()
    item["status"]["phase"] = "Succeeded"
    item["status"]["conditions"][1] = condition("PodReadyToStartContainers", 20, "False")
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": at(7), "finishedAt": at(19)}}
    item["status"]["containerStatuses"][0]["state"] = done
    return item


def test_a_sandbox_that_is_gone_was_not_left_unreported_and_its_time_is_not_the_images() -> None:
    text = 'Container image "web:1" already present on machine'
    told = story(ended(), event("web-1", "Pulled", 6, text, path=IMAGE))
    sandbox, image, started = (next(s for s in told.steps if s.id == x) for x in ("sandbox", "image", "started"))
    assert (sandbox.told.id, sandbox.state) == ("trace.sandbox.ended", State.MISSING)
    assert (image.took, image.at_most) == (4, True)
    assert (started.took, started.at_most) == (1, False)
    assert report.took(image) == "≤4 s"
    assert "trace.note.at_most" in [note.id for note in told.notes]
    shown = [row for s in report.sections(told, ended(), ref_of(ended(), "Pod"))[1:2] for row in s.blocks]
    assert "image" not in repr(shown)


def test_what_ended_before_the_step_above_it_has_no_duration() -> None:
    item = pod()
    item["status"]["startTime"] = at(40)
    sandbox = next(s for s in story(item).steps if s.id == "sandbox")
    assert (sandbox.at, sandbox.took) == (at(4), None)
    item["status"]["startTime"] = at(5)  # clocks differ by a little
    assert next(s for s in story(item).steps if s.id == "sandbox").took == 0


@pytest.mark.parametrize(("count", "word"), [(1, "failing_one"), (3, "failing")])
def test_pulls_that_fail_are_counted(count: int, word: str) -> None:
    item = pod()
    item["status"]["containerStatuses"][0] |= {"ready": False, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    told = story(item, event("web-1", "Pulling", 5, path=IMAGE, count=count))
    assert told.waiting is not None
    assert (told.waiting.id, told.waiting.told.id) == ("image", f"trace.image.{word}")
    assert told.waiting.took == 55


@pytest.mark.parametrize(("language", "word"), [("en", "Ready for 40 s"), ("ko", "40초 전부터")])
def test_durations_in_sentences_are_of_their_language(language: str, word: str) -> None:
    item = pod()
    item["status"]["containerStatuses"][0] |= {
        "restartCount": 1, "lastState": {"terminated": {"exitCode": 1, "startedAt": at(7), "finishedAt": at(8)}},
    }  # fmt: skip
    item["status"]["conditions"][2] = condition("Ready", 20)
    told = story(item)
    verdict = report.verdict(told, item, ref_of(item, "Pod"), world(item).now)
    assert word in render(Document(verdict=verdict), Screen(language=language))
    waits = story(pod(up=False, status={"startTime": at(2)}))
    assert report.took(waits.steps[-1]) == say("trace.so_far", age=say("common.age.seconds", count=58))
