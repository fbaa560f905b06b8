"""Desired and current: a pod deleted, and a process ended. Who notices, and who repairs."""

from __future__ import annotations

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import all_ready, custom, events, gone, is_ready, names
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import container, replicas
from kcompanion.learn.verbs import NS, create, delete, listed, read, wait, wait_all
from kcompanion.model.fields import dig, maps_at, text_at
from kcompanion.model.resources import DEPLOYMENTS, EVENTS, PODS

_WEB = "app%3Dweb"
# It takes three seconds to end, so that there is time to see who does not wait for it.
_SERVER = container(
    "netexec", "--http-port=8080", lifecycle={"preStop": {"sleep": {"seconds": 3}}}, ports=[{"containerPort": 8080}]
)


def _new(a: Answers) -> list[str]:
    """The pods that were not there in the beginning."""
    return sorted(set(names(a["replaced"])) - set(names(a["before"])))


def _leaving(a: Answers, listing: str) -> list[str]:
    return [
        text_at(pod, "metadata", "name")
        for pod in maps_at(a[listing], "items")
        if text_at(pod, "metadata", "deletionTimestamp")
    ]


def _maker(a: Answers) -> str:
    """Who says that it made the new pod."""
    made = next(events(a["events"], "SuccessfulCreate", a["new"][0]))
    return text_at(made, "source", "component") or text_at(made, "reportingComponent")


def _restarted(_: int, pod: object) -> bool:
    return is_ready(pod) and any(one.get("restartCount") == 1 for one in maps_at(pod, "status", "containerStatuses"))


LESSON = Lesson(
    "desired-state",
    2,
    (
        Step(
            "desired",
            (
                create(
                    "deployment",
                    DEPLOYMENTS,
                    replicas(
                        "web",
                        2,
                        spec={
                            "template": {
                                "metadata": {"labels": {"app": "web"}},
                                "spec": {"terminationGracePeriodSeconds": 6, "containers": [_SERVER]},
                            }
                        },
                    ),
                ),
                wait_all("before", PODS, _WEB, all_ready(2)),
            ),
            (
                Claim(
                    "chain",
                    lambda a: all(
                        dig(p, "metadata", "ownerReferences")[0]["kind"] == "ReplicaSet" for p in a["before"]["items"]
                    ),
                    ("deployment.spec.replicas", "before.items.0.metadata.ownerReferences.0.kind"),
                ),
            ),
        ),
        Step(
            "delete",
            (
                Pick("victim", lambda a: names(a["before"])[0]),
                delete("deleted", PODS, "{victim}"),
                wait_all(
                    "replaced",
                    PODS,
                    _WEB,
                    custom("replacement", lambda _, body: len(list(maps_at(body, "items"))) > 2),
                ),
                wait("gone", PODS, "{victim}", gone()),
                wait_all("after", PODS, _WEB, all_ready(2)),
                Pick("new", _new),
                listed("events", EVENTS),
            ),
            (
                Claim(
                    "replaced_at_once",
                    lambda a: a["victim"] in _leaving(a, "replaced") and len(a["new"]) == 1,
                    ("victim", "new"),
                    lambda a: {"ms": a.ms("replaced") - a.ms("deleted"), "pod": a["new"][0], "old": a["victim"]},
                ),
                Claim(
                    "controller_did_it",
                    lambda a: _maker(a) == "replicaset-controller",
                    (),
                    lambda a: {"who": _maker(a), "pod": a["new"][0]},
                ),
                Claim(
                    "another_pod",
                    lambda a: a["victim"] not in names(a["after"]),
                    ("victim", "after.items.0.metadata.name", "after.items.1.metadata.name"),
                ),
            ),
        ),
        Step(
            "crash",
            (
                Pick("survivor", lambda a: names(a["after"])[0]),
                read("healthy", PODS, "{survivor}"),
                Send(
                    "exit",
                    "GET",
                    PODS.path(NS, "{survivor}:8080") + "/proxy/exit?code=3",
                    status=(200, 500, 502, 503),
                ),
                wait("restarted", PODS, "{survivor}", custom("restarted", _restarted)),
                listed("in_the_end", PODS, _WEB),
            ),
            (
                Claim(
                    "same_pod",
                    lambda a: a["restarted"]["metadata"]["uid"] == a["healthy"]["metadata"]["uid"],
                    ("healthy.metadata.uid", "restarted.metadata.uid"),
                ),
                Claim(
                    "kubelet_did_it",
                    lambda a: (
                        a["restarted"]["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 3
                        and names(a["in_the_end"]) == names(a["after"])
                    ),
                    (
                        "restarted.status.containerStatuses.0.restartCount",
                        "restarted.status.containerStatuses.0.lastState.terminated.exitCode",
                        "restarted.spec.nodeName",
                    ),
                    lambda a: {"node": a["restarted"]["spec"]["nodeName"]},
                ),
            ),
        ),
    ),
    rows=("S17", "S19", "S46"),
)
