"""What happens at kubectl apply: the whole way from the request to the running container and back into the status."""

from __future__ import annotations

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import counted, custom, events, live, ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import replicas
from kcompanion.learn.verbs import apply, wait, wait_all
from kcompanion.model.fields import condition, dig, maps_at, name_of, text_at
from kcompanion.model.resources import DEPLOYMENTS, EVENTS, PODS, REPLICASETS

_WEB = "app%3Dweb"


def _apply(name: str, status: int) -> Send:
    return apply(name, DEPLOYMENTS, "web", replicas("web", 1), manager="lesson", status=status)


def _reporter(a: Answers, reason: str, about: str = "") -> str:
    one = next(events(a["events"], reason, about))
    return text_at(one, "source", "component") or text_at(one, "reportingComponent")


def _managers(item: object, sub: str) -> list[str]:
    return [
        text_at(e, "manager") for e in maps_at(item, "metadata", "managedFields") if e.get("subresource", "") == sub
    ]


LESSON = Lesson(
    "apply",
    2,
    (
        Step(
            "request",
            (_apply("applied", 201),),
            (
                Claim(
                    "field_owner",
                    lambda a: _managers(a["applied"], "") == ["lesson"],
                    ("applied.metadata.managedFields.0.manager", "applied.metadata.managedFields.0.operation"),
                ),
                Claim(
                    "filled_in",
                    lambda a: a["applied"]["spec"]["strategy"]["type"] == "RollingUpdate",
                    ("applied.spec.strategy", "applied.spec.revisionHistoryLimit"),
                ),
            ),
        ),
        Step(
            "controllers",
            (
                wait_all("sets", REPLICASETS, _WEB, counted(1)),
                wait_all("pods", PODS, _WEB, counted(1)),
                Pick("pod", lambda a: name_of(live(a["pods"])[0])),
            ),
            (
                Claim(
                    "chain",
                    lambda a: (
                        a["sets"]["items"][0]["metadata"]["ownerReferences"][0]["uid"]
                        == a["applied"]["metadata"]["uid"]
                        and a["pods"]["items"][0]["metadata"]["ownerReferences"][0]["uid"]
                        == a["sets"]["items"][0]["metadata"]["uid"]
                    ),
                    ("sets.items.0.metadata.ownerReferences.0.name", "pods.items.0.metadata.ownerReferences.0.name"),
                    lambda a: {"ms": a.ms("pods") - a.ms("applied")},
                ),
            ),
        ),
        Step(
            "scheduler",
            (wait("bound", PODS, "{pod}", custom("bound", lambda _, p: bool(text_at(p, "spec", "nodeName")))),),
            (
                Claim(
                    "node_chosen",
                    lambda a: condition(a["bound"], "PodScheduled")["status"] == "True",
                    ("bound.spec.schedulerName", "bound.spec.nodeName"),
                    lambda a: {"node": a["bound"]["spec"]["nodeName"]},
                ),
            ),
        ),
        Step(
            "kubelet",
            (
                wait("running", PODS, "{pod}", ready(), managed=True),
                wait_all(
                    "events",
                    EVENTS,
                    "",
                    custom("told", lambda _, b: any(events(b, "Started")) and any(events(b, "Scheduled"))),
                ),
            ),
            (
                Claim(
                    "who_did_what",
                    lambda a: (
                        _reporter(a, "Scheduled") == a["bound"]["spec"]["schedulerName"]
                        and _reporter(a, "Started") == "kubelet"
                        and _reporter(a, "SuccessfulCreate") == "replicaset-controller"
                    ),
                    (),
                    lambda a: {
                        "scheduled": _reporter(a, "Scheduled"),
                        "created": _reporter(a, "SuccessfulCreate"),
                        "started": _reporter(a, "Started"),
                    },
                ),
                Claim(
                    "runtime",
                    lambda a: (
                        "://" in a["running"]["status"]["containerStatuses"][0]["containerID"]
                        and "kubelet" in _managers(a["running"], "status")
                    ),
                    ("running.status.containerStatuses.0.containerID", "running.status.podIP"),
                    lambda a: {"ms": a.ms("running") - a.ms("applied")},
                ),
            ),
        ),
        Step(
            "status",
            (
                wait(
                    "available",
                    DEPLOYMENTS,
                    "web",
                    custom("available", lambda _, d: dig(d, "status", "availableReplicas") == 1),
                ),
                _apply("again", 200),
            ),
            (
                Claim(
                    "reported_back",
                    lambda a: a["available"]["status"]["availableReplicas"] == a["applied"]["spec"]["replicas"],
                    ("applied.spec.replicas", "available.status.availableReplicas"),
                ),
                Claim(
                    "nothing_to_do",
                    lambda a: a["again"]["metadata"]["generation"] == a["applied"]["metadata"]["generation"] == 1,
                    ("again.metadata.generation",),
                ),
            ),
        ),
    ),
    rows=("S16", "S24", "S25", "S42"),
)
