"""What happens at kubectl apply: the whole way from the request to the running container and back into the status."""

from __future__ import annotations

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import counted, custom, events, live, ready, reporter, told
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import replicas
from kcompanion.learn.verbs import apply, wait, wait_all
from kcompanion.model.fields import condition, dig, maps_at, name_of, text_at
from kcompanion.model.resources import DEPLOYMENTS, EVENTS, PODS, REPLICASETS

_WEB = "app%3Dweb"


def _apply(name: str, status: int) -> Send:
    return apply(name, DEPLOYMENTS, "web", replicas("web", 1), manager="lesson", status=status)


def _only_stored(a: Answers, *fields: str) -> bool:
    """Whether the stored spec has fields that were not sent."""
    exchange = a.exchange("applied")
    sent = exchange.request.body["spec"] if exchange else {}
    return all(field in a["applied"]["spec"] and field not in sent for field in fields)


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
                    lambda a: _only_stored(a, "strategy", "revisionHistoryLimit"),
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
                Pick("made", lambda a: told(a["events"], "SuccessfulCreate", a["pod"])),
                Pick("placed", lambda a: told(a["events"], "Scheduled", a["pod"])),
                Pick("started", lambda a: told(a["events"], "Started")),
            ),
            (
                Claim(
                    "who_did_what",
                    lambda a: (
                        reporter(a["placed"]) == a["bound"]["spec"]["schedulerName"]
                        and reporter(a["started"]) == "kubelet"
                        and reporter(a["made"]) == "replicaset-controller"
                    ),
                    ("made.reportingComponent", "placed.reportingComponent", "started.reportingComponent"),
                    lambda a: {
                        "scheduled": reporter(a["placed"]),
                        "created": reporter(a["made"]),
                        "started": reporter(a["started"]),
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
