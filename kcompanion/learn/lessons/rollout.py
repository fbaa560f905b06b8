"""Rolling update, pause, resume, rollback, and what stays of each revision."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import all_ready, counted, custom
from kcompanion.learn.lesson import Claim, Lesson, Pick, Step
from kcompanion.learn.objects import replicas
from kcompanion.learn.verbs import create, hold_all, listed, patch, wait, wait_all
from kcompanion.model.fields import dig, maps_at, text_at
from kcompanion.model.resources import DEPLOYMENTS, PODS, REPLICASETS

_WEB = "app%3Dweb"
_REVISION = "deployment.kubernetes.io/revision"


def _template(version: str) -> dict[str, Any]:
    return {"spec": {"template": {"metadata": {"annotations": {"version": version}}}}}


def _rolled_out(_: int, body: object) -> bool:
    wanted = dig(body, "spec", "replicas")
    status = [dig(body, "status", field) for field in ("replicas", "updatedReplicas", "availableReplicas")]
    return dig(body, "status", "observedGeneration") == dig(body, "metadata", "generation") and status == [wanted] * 3


def _sizes(a: Answers, listing: str) -> dict[str, int]:
    """Name and size of each ReplicaSet."""
    return {text_at(one, "metadata", "name"): one["spec"]["replicas"] for one in maps_at(a[listing], "items")}


def _current(a: Answers, listing: str) -> str:
    return next(name for name, count in _sizes(a, listing).items() if count)


def _revisions(a: Answers, listing: str) -> dict[str, str]:
    """Name and revision of each ReplicaSet."""
    sets = maps_at(a[listing], "items")
    return {text_at(one, "metadata", "name"): text_at(one, "metadata", "annotations", _REVISION) for one in sets}


LESSON = Lesson(
    "rollout",
    2,
    (
        Step(
            "first",
            (
                create("deployment", DEPLOYMENTS, replicas("web", 2)),
                wait_all("pods", PODS, _WEB, all_ready(2)),
                listed("sets", REPLICASETS, _WEB),
                Pick("old", lambda a: _current(a, "sets")),
            ),
            (Claim("one_set", lambda a: list(_sizes(a, "sets").values()) == [2], ("old",)),),
        ),
        Step(
            "update",
            (
                patch("changed", DEPLOYMENTS, "web", _template("2")),
                wait("updated", DEPLOYMENTS, "web", custom("rolled_out", _rolled_out)),
                listed("two_sets", REPLICASETS, _WEB),
                Pick("sizes", lambda a: _sizes(a, "two_sets")),
            ),
            (
                Claim(
                    "new_set",
                    lambda a: sorted(a["sizes"].values()) == [0, 2] and a["sizes"][a["old"]] == 0,
                    ("old", "sizes"),
                ),
            ),
        ),
        Step(
            "pause",
            (
                patch("paused", DEPLOYMENTS, "web", {"spec": {"paused": True}}),
                patch("waiting", DEPLOYMENTS, "web", _template("3")),
                hold_all("still", REPLICASETS, _WEB, counted(2)),
            ),
            (
                Claim(
                    "nothing_rolls",
                    lambda a: (
                        a["waiting"]["spec"]["paused"] is True
                        and a["waiting"]["spec"]["template"]["metadata"]["annotations"]["version"] == "3"
                        and _sizes(a, "still") == a["sizes"]
                    ),
                    ("waiting.spec.paused", "waiting.spec.template.metadata.annotations.version"),
                ),
            ),
        ),
        Step(
            "resume",
            (
                patch("resumed", DEPLOYMENTS, "web", {"spec": {"paused": False}}),
                wait("third", DEPLOYMENTS, "web", custom("rolled_out", _rolled_out)),
                listed("three_sets", REPLICASETS, _WEB),
            ),
            (
                Claim(
                    "rolled_on",
                    lambda a: (
                        len(_sizes(a, "three_sets")) == 3
                        and {name: size for name, size in _sizes(a, "three_sets").items() if size}
                        == {name: 2 for name in _sizes(a, "three_sets") if name not in a["sizes"]}
                    ),
                    ("third.status.updatedReplicas",),
                ),
            ),
        ),
        Step(
            "rollback",
            (
                patch("back", DEPLOYMENTS, "web", {"spec": {"template": {"metadata": {"annotations": None}}}}),
                wait("rolled_back", DEPLOYMENTS, "web", custom("rolled_out", _rolled_out)),
                listed("in_the_end", REPLICASETS, _WEB),
                Pick("sizes_now", lambda a: _sizes(a, "in_the_end")),
                Pick("revisions_now", lambda a: _revisions(a, "in_the_end")),
            ),
            (
                Claim("old_set_again", lambda a: a["sizes_now"][a["old"]] == 2, ("old", "sizes_now")),
                Claim(
                    "no_fourth",
                    lambda a: len(a["sizes_now"]) == 3 and a["revisions_now"][a["old"]] == "4",
                    ("revisions_now",),
                    lambda a: {"revision": a["revisions_now"][a["old"]]},
                ),
            ),
        ),
    ),
    rows=("S13", "S20"),
)
