"""Garbage collection: an owner deleted in the background, in the foreground, and leaving orphans."""

from __future__ import annotations

from kcompanion.learn.conditions import all_ready, counted, custom, gone, live
from kcompanion.learn.lesson import Claim, Lesson, Step
from kcompanion.learn.objects import container, replicas
from kcompanion.learn.verbs import create, delete, hold_all, read, wait, wait_all
from kcompanion.model.fields import dig, texts_at
from kcompanion.model.resources import PODS, REPLICASETS

# Two seconds to end, so that the order can be seen.
_SLOW = container(lifecycle={"preStop": {"sleep": {"seconds": 2}}})


def _set(name: str) -> dict[str, object]:
    made = replicas(name, 1, _SLOW)
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
    return made


def _all_free(_: int, body: object) -> bool:
    return len(live(body)) == 1 and all(not dig(one, "metadata", "ownerReferences") for one in live(body))


LESSON = Lesson(
    "garbage",
    2,
    (
        Step(
            "background",
            (
                create("made_back", REPLICASETS, _set("back")),
                wait_all("back_pods", PODS, "app%3Dback", all_ready(1)),
                delete("back_deleted", REPLICASETS, "back"),
                wait("back_gone", REPLICASETS, "back", gone()),
                wait_all("back_after", PODS, "app%3Dback", counted(0)),
            ),
            (
                Claim(
                    "owner_first",
                    lambda a: a["back_gone"]["code"] == 404 and not live(a["back_after"]),
                    ("back_pods.items.0.metadata.ownerReferences.0.kind", "back_gone.reason"),
                ),
            ),
        ),
        Step(
            "foreground",
            (
                create("made_fore", REPLICASETS, _set("fore")),
                wait_all("fore_pods", PODS, "app%3Dfore", all_ready(1)),
                delete("fore_deleted", REPLICASETS, "fore", policy="Foreground"),
                read("fore_waiting", REPLICASETS, "fore"),
                wait("fore_gone", REPLICASETS, "fore", gone()),
                wait_all("fore_after", PODS, "app%3Dfore", custom("no_items", lambda _, b: not b["items"])),
            ),
            (
                Claim(
                    "waits_for_dependents",
                    lambda a: (
                        "foregroundDeletion" in texts_at(a["fore_waiting"], "metadata", "finalizers")
                        and bool(dig(a["fore_waiting"], "metadata", "deletionTimestamp"))
                    ),
                    ("fore_waiting.metadata.deletionTimestamp", "fore_waiting.metadata.finalizers"),
                ),
                Claim("owner_last", lambda a: a["fore_gone"]["code"] == 404, ("fore_gone.reason",)),
            ),
        ),
        Step(
            "orphan",
            (
                create("made_left", REPLICASETS, _set("left")),
                wait_all("left_pods", PODS, "app%3Dleft", all_ready(1)),
                delete("left_deleted", REPLICASETS, "left", policy="Orphan"),
                wait("left_gone", REPLICASETS, "left", gone()),
                hold_all("left_after", PODS, "app%3Dleft", custom("free", _all_free)),
            ),
            (
                Claim(
                    "lives_on",
                    lambda a: (
                        a["left_gone"]["code"] == 404
                        and a["left_after"]["items"][0]["metadata"]["uid"]
                        == a["left_pods"]["items"][0]["metadata"]["uid"]
                    ),
                    ("left_after.items.0.metadata.name", "left_after.items.0.metadata.ownerReferences"),
                ),
            ),
        ),
    ),
    rows=("S20",),
)
