"""A quota: a Deployment that was accepted and is short of pods."""

from __future__ import annotations

from kcompanion.learn.conditions import all_ready, custom, has_condition, live, names
from kcompanion.learn.lesson import Claim, Lesson, Pick, Step
from kcompanion.learn.objects import pod, replicas
from kcompanion.learn.verbs import create, patch, wait, wait_all
from kcompanion.model.fields import condition, maps_at, text_at
from kcompanion.model.resources import DEPLOYMENTS, PODS, RESOURCEQUOTAS


def _owners(body: object) -> set[str]:
    """Who owns the pods of a list, by uid."""
    return {text_at(one, "uid") for pod in live(body) for one in maps_at(pod, "metadata", "ownerReferences")}


LESSON = Lesson(
    "quota",
    2,
    (
        Step(
            "limit",
            (
                create("quota", RESOURCEQUOTAS, {"metadata": {"name": "two"}, "spec": {"hard": {"pods": "2"}}}),
                wait(
                    "counted",
                    RESOURCEQUOTAS,
                    "two",
                    custom("quota_counted", lambda _, q: text_at(q, "status", "hard", "pods") == "2"),
                ),
            ),
            (
                Claim(
                    "limited",
                    lambda a: a["counted"]["status"]["hard"]["pods"] == "2",
                    ("counted.status.hard.pods", "counted.status.used.pods"),
                ),
            ),
        ),
        Step(
            "deploy",
            (
                create("deployment", DEPLOYMENTS, replicas("web", 3)),
                wait_all("two_pods", PODS, "app%3Dweb", all_ready(2)),
                wait("short", DEPLOYMENTS, "web", has_condition("ReplicaFailure", "True", "FailedCreate")),
            ),
            (
                Claim(
                    "accepted",
                    lambda a: a["deployment"]["spec"]["replicas"] == 3,
                    ("deployment.spec.replicas",),
                ),
                Claim(
                    "one_short",
                    lambda a: "exceeded quota" in condition(a["short"], "ReplicaFailure")["message"],
                    ("short.spec.replicas", "short.status.replicas"),
                    lambda a: {"message": condition(a["short"], "ReplicaFailure")["message"]},
                ),
            ),
        ),
        Step(
            "pod",
            (create("refused", PODS, pod("extra"), 403),),
            (Claim("at_once", lambda a: "exceeded quota" in a["refused"]["message"], ("refused.message",)),),
        ),
        Step(
            "raise",
            (
                patch("raised", RESOURCEQUOTAS, "two", {"spec": {"hard": {"pods": "5"}}}),
                wait_all("three_pods", PODS, "app%3Dweb", all_ready(3), 120.0),
                Pick("new", lambda a: sorted(set(names(a["three_pods"])) - set(names(a["two_pods"])))),
            ),
            (
                Claim(
                    "made_good",
                    lambda a: (
                        len(names(a["three_pods"])) == 3
                        and set(names(a["two_pods"])) < set(names(a["three_pods"]))
                        and _owners(a["three_pods"]) == _owners(a["two_pods"])
                        and len(_owners(a["two_pods"])) == 1
                    ),
                    ("raised.spec.hard.pods", "new", "three_pods.items.0.metadata.ownerReferences.0.name"),
                    lambda a: {"ms": a.ms("three_pods") - a.ms("raised")},
                ),
            ),
        ),
    ),
    rows=("S14",),
    needs=("own_namespace",),
)
