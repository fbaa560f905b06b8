"""Labels are the tie: a pod set free, adopted again, one too many, and a selector that cannot be changed."""

from __future__ import annotations

from kcompanion.learn.conditions import all_ready, custom, event, events, gone, names
from kcompanion.learn.lesson import Claim, Lesson, Pick, Step
from kcompanion.learn.objects import pod, replicas
from kcompanion.learn.verbs import create, patch, read, wait, wait_all
from kcompanion.model.fields import dig, maps_at
from kcompanion.model.resources import EVENTS, PODS, REPLICASETS

_WEB = "app%3Dweb"


def _owned(_: int, body: object) -> bool:
    return any(one.get("controller") is True for one in maps_at(body, "metadata", "ownerReferences"))


def _free(status: int, body: object) -> bool:
    return status == 200 and not dig(body, "metadata", "ownerReferences")


LESSON = Lesson(
    "labels",
    2,
    (
        Step(
            "tie",
            (create("set", REPLICASETS, replicas("web", 2)), wait_all("before", PODS, _WEB, all_ready(2))),
            (
                Claim(
                    "selected",
                    lambda a: all(p["metadata"]["labels"]["app"] == "web" for p in a["before"]["items"]),
                    ("set.spec.selector.matchLabels", "before.items.0.metadata.labels.app"),
                ),
            ),
        ),
        Step(
            "release",
            (
                Pick("lost", lambda a: names(a["before"])[0]),
                patch("tampered", PODS, "{lost}", {"metadata": {"labels": {"app": "free"}}}),
                wait("released", PODS, "{lost}", custom("released", _free)),
                wait_all("refilled", PODS, _WEB, all_ready(2)),
            ),
            (
                Claim(
                    "no_owner",
                    lambda a: dig(a["released"], "metadata", "ownerReferences") is None,
                    ("before.items.0.metadata.ownerReferences.0.kind", "released.metadata.ownerReferences"),
                    lambda a: {"pod": a["lost"]},
                ),
                Claim(
                    "still_runs",
                    lambda a: a["released"]["status"]["phase"] == "Running",
                    ("released.status.phase",),
                ),
                Claim(
                    "replaced",
                    lambda a: a["lost"] not in names(a["refilled"]) and len(names(a["refilled"])) == 2,
                    ("refilled.items.0.metadata.name", "refilled.items.1.metadata.name"),
                ),
            ),
        ),
        Step(
            "adopt",
            (
                patch(
                    "returned",
                    PODS,
                    "{lost}",
                    {
                        "metadata": {
                            "labels": {"app": "web"},
                            # so that it is another one that has to go
                            "annotations": {"controller.kubernetes.io/pod-deletion-cost": "100"},
                        }
                    },
                ),
                wait("adopted", PODS, "{lost}", custom("adopted", _owned)),
                wait_all("trimmed", PODS, _WEB, all_ready(2)),
            ),
            (
                Claim(
                    "owner_again",
                    lambda a: a["adopted"]["metadata"]["ownerReferences"][0]["uid"] == a["set"]["metadata"]["uid"],
                    ("adopted.metadata.ownerReferences.0.name", "adopted.metadata.ownerReferences.0.controller"),
                ),
                Claim(
                    "one_had_to_go",
                    lambda a: a["lost"] in names(a["trimmed"]) and len(names(a["trimmed"])) == 2,
                    ("trimmed.items.0.metadata.name", "trimmed.items.1.metadata.name"),
                ),
            ),
        ),
        Step(
            "excess",
            (
                create("stray", PODS, pod("stray", {"app": "web"})),
                wait("strayed", PODS, "stray", gone()),
                read("count", REPLICASETS, "web"),
                wait_all("events", EVENTS, "", event("SuccessfulDelete", "stray")),
            ),
            (
                Claim(
                    "deleted_by_controller",
                    lambda a: any(events(a["events"], "SuccessfulDelete", "stray")),
                    ("count.spec.replicas", "count.status.replicas"),
                ),
            ),
        ),
        Step(
            "selector",
            (patch("refused", REPLICASETS, "web", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}, 422),),
            (
                Claim(
                    "immutable",
                    lambda a: "immutable" in a["refused"]["message"],
                    ("refused.reason", "refused.details.causes.0.field"),
                ),
            ),
        ),
    ),
    rows=("S21",),
)
