"""Desired and current: a pod deleted, and a process ended. Who notices, and who repairs."""

from __future__ import annotations

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import all_ready, custom, gone, is_ready, names, reporter, told
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import container, replicas
from kcompanion.learn.verbs import NS, create, delete, listed, read, wait, wait_all
from kcompanion.model.fields import maps_at, text_at
from kcompanion.model.resources import DEPLOYMENTS, EVENTS, PODS, REPLICASETS

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


def _owners(items: object) -> set[str]:
    """The uids of the controllers of a list's objects; "" stands for one that has none."""
    return {_owner(item) for item in maps_at(items, "items")}


def _owner(item: object) -> str:
    references = maps_at(item, "metadata", "ownerReferences")
    return next((text_at(one, "uid") for one in references if one.get("controller") is True), "")


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
                listed("sets", REPLICASETS, _WEB),
            ),
            (
                Claim(
                    "chain",
                    lambda a: (
                        _owners(a["before"]) == {one["metadata"]["uid"] for one in a["sets"]["items"]}
                        and _owners(a["sets"]) == {a["deployment"]["metadata"]["uid"]}
                    ),
                    ("before.items.0.metadata.ownerReferences.0.name", "sets.items.0.metadata.ownerReferences.0.name"),
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
                Pick("made", lambda a: told(a["events"], "SuccessfulCreate", a["new"][0])),
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
                    lambda a: reporter(a["made"]) == "replicaset-controller",
                    ("made.reportingComponent", "made.message"),
                    lambda a: {"who": reporter(a["made"]), "pod": a["new"][0]},
                ),
                Claim(
                    "another_pod",
                    lambda a: a["victim"] not in names(a["after"]) and a["new"][0] in names(a["after"]),
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
