"""Static pods: the API server's copy is deleted, and the component runs on."""

from __future__ import annotations

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import custom
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step, Undo, Wait
from kcompanion.model.fields import annotations_of, maps_at, name_of, text_at
from kcompanion.model.resources import PODS

_MIRROR = "kubernetes.io/config.mirror"
_POD = PODS.path("kube-system", "{name}")
# The kubelet makes its mirror pod anew by itself; the journal still tells what was touched.
_BY_ITSELF = Undo("GET", _POD)


def _scheduler(a: Answers) -> str:
    """A mirror pod of the scheduler: of the components the one that is missed least."""
    found = [pod for pod in maps_at(a["components"], "items") if _MIRROR in annotations_of(pod)]
    return min(name_of(pod) for pod in found)


def _container(pod: object) -> str:
    return next(text_at(one, "containerID") for one in maps_at(pod, "status", "containerStatuses"))


def _back(status: int, body: object) -> bool:
    """It is there, not on its way out, and its status has been reported."""
    here = status == 200 and not text_at(body, "metadata", "deletionTimestamp")
    return here and any(text_at(one, "containerID") for one in maps_at(body, "status", "containerStatuses"))


LESSON = Lesson(
    "static-pods",
    1,
    (
        Step(
            "mirror",
            (
                Send("components", "GET", PODS.path("kube-system") + "?labelSelector=component%3Dkube-scheduler"),
                Pick("name", _scheduler),
                Send("before", "GET", _POD),
            ),
            (
                Claim(
                    "owned_by_node",
                    lambda a: (
                        [one["kind"] for one in a["before"]["metadata"]["ownerReferences"]] == ["Node"]
                        and annotations_of(a["before"])["kubernetes.io/config.source"] == "file"
                    ),
                    ("name", "before.metadata.ownerReferences.0.kind", "before.metadata.ownerReferences.0.name"),
                ),
            ),
        ),
        Step(
            "delete",
            (
                Send("deleted", "DELETE", _POD, undo=_BY_ITSELF),
                Pick("old", lambda a: a["before"]["metadata"]["uid"]),
                Wait("after", _POD, custom("mirror_back", _back), 90.0),
            ),
            (
                Claim(
                    "accepted",
                    lambda a: a["deleted"]["metadata"]["uid"] == a["before"]["metadata"]["uid"],
                    ("deleted.metadata.name",),
                ),
                Claim(
                    "another_copy",
                    lambda a: a["after"]["metadata"]["uid"] != a["before"]["metadata"]["uid"],
                    ("before.metadata.uid", "after.metadata.uid"),
                ),
                Claim(
                    "same_process",
                    lambda a: (
                        _container(a["after"]) == _container(a["before"])
                        and annotations_of(a["after"])[_MIRROR] == annotations_of(a["before"])[_MIRROR]
                    ),
                    (
                        "before.status.containerStatuses.0.containerID",
                        "after.status.containerStatuses.0.containerID",
                        "after.status.containerStatuses.0.restartCount",
                    ),
                ),
            ),
        ),
    ),
    rows=("S36",),
    needs=("control_plane",),
    touches=("namespace", "mirror_pod"),
)
