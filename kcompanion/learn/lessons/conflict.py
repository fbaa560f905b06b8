"""Optimistic locking: two writers, one 409, and the retry that works."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.lesson import Claim, Lesson, Step
from kcompanion.learn.verbs import create, patch, read, replace
from kcompanion.model.resources import CONFIGMAPS


def _counter(value: str, version: str = "") -> dict[str, Any]:
    meta = {"name": "counter", "resourceVersion": version} if version else {"name": "counter"}
    return {"metadata": meta, "data": {"value": value}}


LESSON = Lesson(
    "conflict",
    1,
    (
        Step(
            "read",
            (
                create("made", CONFIGMAPS, _counter("1")),
                read("ann", CONFIGMAPS, "counter"),
                read("bob", CONFIGMAPS, "counter"),
            ),
            (
                Claim(
                    "same_version",
                    lambda a: a.at("ann.metadata.resourceVersion") == a.at("bob.metadata.resourceVersion") is not None,
                    ("ann.metadata.resourceVersion", "bob.metadata.resourceVersion"),
                ),
            ),
        ),
        Step(
            "first",
            (replace("ann_wrote", CONFIGMAPS, "counter", _counter("2", "{ann.metadata.resourceVersion}")),),
            (
                Claim(
                    "new_version",
                    lambda a: a["ann_wrote"]["metadata"]["resourceVersion"] != a["ann"]["metadata"]["resourceVersion"],
                    ("ann.metadata.resourceVersion", "ann_wrote.metadata.resourceVersion"),
                ),
            ),
        ),
        Step(
            "second",
            (
                replace("bob_wrote", CONFIGMAPS, "counter", _counter("3", "{bob.metadata.resourceVersion}"), 409),
                read("after", CONFIGMAPS, "counter"),
            ),
            (
                Claim("refused", lambda a: a["bob_wrote"]["reason"] == "Conflict", ("bob_wrote.reason",)),
                Claim("untouched", lambda a: a["after"]["data"]["value"] == "2", ("after.data.value",)),
            ),
        ),
        Step(
            "retry",
            (replace("bob_again", CONFIGMAPS, "counter", _counter("3", "{after.metadata.resourceVersion}")),),
            (Claim("written", lambda a: a["bob_again"]["data"]["value"] == "3", ("bob_again.data.value",)),),
        ),
        Step(
            "patch",
            (
                patch("patched", CONFIGMAPS, "counter", {"data": {"note": "patched"}}),
                patch(
                    "guarded",
                    CONFIGMAPS,
                    "counter",
                    {"metadata": {"resourceVersion": "{ann.metadata.resourceVersion}"}, "data": {"note": "late"}},
                    409,
                ),
            ),
            (
                Claim(
                    "only_its_field",
                    lambda a: a["patched"]["data"] == {"value": "3", "note": "patched"},
                    ("patched.data",),
                ),
                Claim("guarded_too", lambda a: a["guarded"]["reason"] == "Conflict", ("guarded.reason",)),
            ),
        ),
    ),
    rows=("S39",),
)
