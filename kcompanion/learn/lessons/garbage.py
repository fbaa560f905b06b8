"""Garbage collection: an owner deleted in the background, in the foreground, and leaving orphans."""

from __future__ import annotations

from kcompanion.learn.conditions import all_ready, counted, custom, gone, live
from kcompanion.learn.lesson import Claim, Lesson, Step
from kcompanion.learn.objects import container, replicas
from kcompanion.learn.verbs import create, delete, hold_all, listed, read, wait, wait_all
from kcompanion.model.fields import dig, maps_at, text_at, texts_at
from kcompanion.model.resources import PODS, REPLICASETS


def _set(name: str, seconds: int) -> dict[str, object]:
    """A ReplicaSet of a pod that takes some seconds to end, so that the order can be seen."""
    made = replicas(name, 1, container(lifecycle={"preStop": {"sleep": {"seconds": seconds}}}))
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = seconds + 3
    return made


def _all_free(_: int, body: object) -> bool:
    return len(live(body)) == 1 and all(not dig(one, "metadata", "ownerReferences") for one in live(body))


def _uids(body: object) -> list[str]:
    return [text_at(one, "metadata", "uid") for one in maps_at(body, "items")]


LESSON = Lesson(
    "garbage",
    2,
    (
        Step(
            "background",
            (
                create("made_back", REPLICASETS, _set("back", 10)),
                wait_all("back_pods", PODS, "app%3Dback", all_ready(1)),
                delete("back_deleted", REPLICASETS, "back"),
                wait("back_gone", REPLICASETS, "back", gone()),
                listed("back_then", PODS, "app%3Dback"),
                wait_all("back_after", PODS, "app%3Dback", counted(0)),
            ),
            (
                Claim(
                    "owner_first",
                    lambda a: (
                        a["back_gone"]["code"] == 404
                        and _uids(a["back_then"]) == _uids(a["back_pods"]) != []
                        and not live(a["back_after"])
                    ),
                    (
                        "back_gone.reason",
                        "back_then.items.0.metadata.name",
                        "back_after.items.0.metadata.deletionTimestamp",
                    ),
                ),
            ),
        ),
        Step(
            "foreground",
            (
                create("made_fore", REPLICASETS, _set("fore", 2)),
                wait_all("fore_pods", PODS, "app%3Dfore", all_ready(1)),
                delete("fore_deleted", REPLICASETS, "fore", policy="Foreground"),
                read("fore_waiting", REPLICASETS, "fore"),
                wait("fore_gone", REPLICASETS, "fore", gone()),
                listed("fore_then", PODS, "app%3Dfore"),
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
                Claim(
                    "owner_last",
                    lambda a: a["fore_gone"]["code"] == 404 and a["fore_then"]["items"] == [],
                    ("fore_gone.reason", "fore_then.items"),
                ),
            ),
        ),
        Step(
            "orphan",
            (
                create("made_left", REPLICASETS, _set("left", 2)),
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
                        and _uids(a["left_after"]) == _uids(a["left_pods"])
                        and _all_free(200, a["left_after"])
                    ),
                    ("left_after.items.0.metadata.name", "left_after.items.0.metadata.ownerReferences"),
                ),
            ),
        ),
    ),
    rows=("S20",),
)
