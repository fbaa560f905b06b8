"""A claim whose recorded answer is altered is not held: it checks what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kcompanion.learn.lessons import BY_ID
from kcompanion.learn.perform import perform
from kcompanion.learn.protocol import Judgement, Run, read
from kcompanion.learn.replay import Replay
from kcompanion.model.message import say
from tests.learn.casting import Silent, document

Change = Callable[[Any], Any]
GOING = "2026-01-01T00:00:00Z"


def second_keeps_both(body: dict[str, Any]) -> None:
    for one in body["items"]:
        annotations = one["spec"]["template"]["metadata"].get("annotations") or {}
        one["spec"]["replicas"] = 2 if annotations.get("version") == "2" else 0


def third_is_short(body: dict[str, Any]) -> None:
    for one in body["items"]:
        one["spec"]["replicas"] = min(one["spec"]["replicas"], 1)


def all_renamed(body: dict[str, Any]) -> None:
    for number, one in enumerate(body["items"]):
        one["metadata"]["name"] = f"other-{number}"


def cheap_ones_renamed(body: dict[str, Any]) -> None:
    """All but the pod with the deletion cost."""
    for one in body["items"]:
        one["metadata"]["name"] += "" if one["metadata"].get("annotations") else "-another"


def set_to(path: str, value: object) -> Change:
    """Puts a value at a dotted path."""

    def change(body: Any) -> None:
        *way, last = path.split(".")
        for word in way:
            body = body[int(word) if isinstance(body, list) else word]
        body[last] = value

    return change


def condition_to(type_: str, **fields: str) -> Change:
    """Gives a condition other fields."""

    def change(body: Any) -> None:
        next(one for one in body["status"]["conditions"] if one["type"] == type_).update(fields)

    return change


def condition_of_item_to(type_: str, **fields: str) -> Change:
    """Gives a condition of each item of a list other fields."""

    def change(body: Any) -> None:
        for one in body["items"]:
            condition_to(type_, **fields)(one)

    return change


def events_to(reason: str, path: str, value: object) -> Change:
    """Alters all events of a reason."""

    def change(body: Any) -> None:
        for one in body["items"]:
            if one["reason"] == reason:
                set_to(path, value)(one)

    return change


def jobs_of_nobody(body: Any) -> None:
    for one in body["items"]:
        one["metadata"]["ownerReferences"] = [{"kind": "CronJob", "uid": "another"}]


def with_one_more(body: Any) -> None:
    body["items"].append({"metadata": {"name": "bare"}, "spec": {"nodeName": "elsewhere"}})


A_POD = {"metadata": {"name": "fore-1", "deletionTimestamp": GOING}}
OWNED = [{"kind": "ReplicaSet", "controller": True, "uid": "another"}]
OTHER_USER = "* red c u ns\n blue c another ns-b"
ONE_NAMESPACE = "* red c u ns\n blue c u ns"
NO_CONFIG = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
NO_RIGHTS = "error: You must be logged in to the server (Unauthorized)"

ALTERED: tuple[tuple[str, str, str, Change], ...] = (
    ("rollout", "rolled_on", "three_sets", second_keeps_both),
    ("rollout", "rolled_on", "three_sets", third_is_short),
    ("rollout", "nothing_rolls", "waiting", lambda body: body["spec"]["template"]["metadata"].pop("annotations")),
    ("rollout", "nothing_rolls", "still", third_is_short),
    ("services", "only_one", "outside", set_to("status.phase", "Failed")),
    ("services", "only_one", "outside", set_to("metadata.deletionTimestamp", GOING)),
    ("services", "only_one", "outside", set_to("metadata.uid", "another")),
    ("desired-state", "chain", "sets", set_to("items.0.metadata.ownerReferences.0.uid", "another")),
    ("desired-state", "chain", "before", set_to("items.1.metadata.ownerReferences", OWNED)),
    ("desired-state", "controller_did_it", "events", events_to("SuccessfulCreate", "reportingComponent", "somebody")),
    ("desired-state", "another_pod", "after", all_renamed),
    ("garbage", "owner_first", "back_then", set_to("items", [])),
    ("garbage", "owner_last", "fore_then", set_to("items", [A_POD])),
    ("garbage", "lives_on", "left_after", set_to("items.0.metadata.ownerReferences", OWNED)),
    ("drain", "nothing_moved", "unmoved", set_to("items.1.metadata.name", "another")),
    ("drain", "nothing_moved", "unmoved", set_to("items.1.spec.nodeName", "another")),
    ("drain", "too_many", "strict", set_to("status.disruptionsAllowed", 1)),
    ("drain", "open_again", "afterwards", all_renamed),
    ("drain", "open_again", "afterwards", with_one_more),
    ("autoscaling", "no_number_no_change", "judged", set_to("status.desiredReplicas", 3)),
    ("autoscaling", "who_wrote", "raised", set_to("metadata.managedFields.0.fieldsV1", {})),
    ("etcd-quorum", "no_write", "write", set_to("err", NO_RIGHTS)),
    ("etcd-quorum", "no_read", "read", set_to("err", NO_CONFIG)),
    ("apply", "filled_in", "applied", lambda body: body["spec"].pop("revisionHistoryLimit")),
    ("apply", "who_did_what", "events", events_to("SuccessfulCreate", "message", "Created pod: another")),
    ("contexts", "two_contexts", "listed", set_to("out", OTHER_USER)),
    ("contexts", "two_contexts", "listed", set_to("out", ONE_NAMESPACE)),
    ("namespaces", "terminating", "late", set_to("details.causes", [])),
    ("namespaces", "terminating", "late", lambda body: body.update(code=404, details={"kind": "configmaps"})),
    ("jobs", "counted", "done", condition_to("Complete", status="False")),
    ("jobs", "made_a_job", "all_jobs", jobs_of_nobody),
    ("quota", "made_good", "three_pods", all_renamed),
    ("quota", "made_good", "three_pods", set_to("items.0.metadata.ownerReferences.0.uid", "another")),
    ("labels", "selected", "set", set_to("spec.selector.matchLabels.app", "another")),
    ("labels", "still_runs", "still", set_to("metadata.deletionTimestamp", GOING)),
    ("labels", "deleted_by_controller", "events", events_to("SuccessfulDelete", "reportingComponent", "somebody")),
    ("labels", "immutable", "refused", lambda body: body["details"]["causes"].pop()),
    ("labels", "one_had_to_go", "trimmed", all_renamed),
    ("labels", "one_had_to_go", "trimmed", cheap_ones_renamed),
    ("control-plane-loss", "whole", "member", condition_to("Ready", status="False")),
    ("apply-twice", "removed", "left_out", lambda body: body["metadata"]["managedFields"].pop()),
    ("node-failure", "ready_again", "returned", set_to("spec.taints", [{"key": "node.kubernetes.io/unreachable"}])),
    ("node-failure", "elsewhere", "replaced", condition_of_item_to("Ready", status="False")),
    ("scheduler", "pending", "waiting", set_to("spec.nodeName", "kind-worker")),
    ("static-pods", "owned_by_node", "before", lambda body: body["metadata"]["ownerReferences"].append(OWNED[0])),
    ("probes", "kubelet_killed_it", "killings", events_to("Killing", "involvedObject.name", "another")),
    ("defaults", "rest_added", "spoken", set_to("spec.tolerations", [])),
)


def altered(lesson: str, name: str, change: Change) -> Run:
    """The shipped run of a lesson, performed with the answer of one act changed."""
    shipped = document(BY_ID[lesson])
    [act] = [act for step in shipped["steps"] for act in step["acts"] if act["name"] == name]
    change(act["answer"]["body"])
    recorded = read(shipped)
    return perform(BY_ID[lesson], recorded.setting, Replay(recorded), Silent())


def judgements(run: Run) -> dict[str, Judgement]:
    assert run.failure is None
    return {one.id: one for step in run.steps for one in step.claims}


@pytest.mark.parametrize(
    ("lesson", "claim", "name", "change"), ALTERED, ids=[f"{n}-{one[0]}-{one[1]}" for n, one in enumerate(ALTERED)]
)
def test_an_altered_answer_is_told(lesson: str, claim: str, name: str, change: Change) -> None:
    assert not judgements(altered(lesson, name, change))[claim].held


@pytest.mark.parametrize(
    ("told", "change"),
    [
        ("unmeasured", lambda _: None),
        ("measured", condition_to("ScalingActive", status="True", reason="ValidMetricFound")),
    ],
)
def test_what_is_said_of_a_count_that_stays_is_what_the_autoscaler_knows(told: str, change: Change) -> None:
    judged = judgements(altered("autoscaling", "judged", change))["no_number_no_change"]
    assert judged.held
    assert dict(judged.told.values)["why"] == say(f"learn.count.{told}")


def test_a_namespace_that_is_gone_already_takes_nothing_either() -> None:
    gone = {"kind": "namespaces", "name": "b"}
    judged = judgements(altered("namespaces", "late", lambda body: body.update(code=404, details=gone)))
    assert judged["terminating"].held
