"""Labels are the tie: a pod set free, adopted again, one too many, and a selector that cannot be changed."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.conditions import all_ready, custom, event, gone, live, names, reporter, told
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


def _of_selector(refusal: object) -> Any:  # noqa: ANN401 - JSON
    """What the refusal says of the selector itself; that it does not fit the template either is another cause."""
    causes = maps_at(refusal, "details", "causes")
    return next((one for one in causes if one.get("field") == "spec.selector"), {})


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
                    lambda a: (
                        [p["metadata"]["labels"]["app"] for p in live(a["before"])]
                        == [a["set"]["spec"]["selector"]["matchLabels"]["app"]] * 2
                    ),
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
                read("still", PODS, "{lost}"),
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
                    lambda a: (
                        a["still"]["status"]["phase"] == "Running"
                        and not dig(a["still"], "metadata", "deletionTimestamp")
                        and a["still"]["metadata"]["uid"] == a["tampered"]["metadata"]["uid"]
                    ),
                    ("still.status.phase", "still.metadata.deletionTimestamp"),
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
                Pick("remaining", lambda a: names(a["trimmed"])),
            ),
            (
                Claim(
                    "owner_again",
                    lambda a: a["adopted"]["metadata"]["ownerReferences"][0]["uid"] == a["set"]["metadata"]["uid"],
                    ("adopted.metadata.ownerReferences.0.name", "adopted.metadata.ownerReferences.0.controller"),
                ),
                Claim(
                    "one_had_to_go",
                    lambda a: (
                        a["lost"] in a["remaining"]
                        and len(a["remaining"]) == 2
                        and set(a["remaining"]) < {a["lost"], *names(a["refilled"])}
                    ),
                    ("lost", "remaining"),
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
                Pick("deleted", lambda a: told(a["events"], "SuccessfulDelete", "stray")),
            ),
            (
                Claim(
                    "deleted_by_controller",
                    lambda a: reporter(a["deleted"]) == "replicaset-controller",
                    ("deleted.reportingComponent", "deleted.message", "count.spec.replicas"),
                ),
            ),
        ),
        Step(
            "selector",
            (
                patch("refused", REPLICASETS, "web", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}, 422),
                Pick("cause", lambda a: _of_selector(a["refused"])),
            ),
            (
                Claim(
                    "immutable",
                    lambda a: "immutable" in a["cause"]["message"],
                    ("refused.reason", "cause.field", "cause.message"),
                ),
            ),
        ),
    ),
    rows=("S21",),
)
