"""Volumes: a claim, a class, a volume made for it, and what protects and reclaims it."""

from __future__ import annotations

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import gone, reached, ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step, Wait
from kcompanion.learn.objects import container, pod
from kcompanion.learn.verbs import create, delete, read, wait
from kcompanion.model.fields import annotations_of, dig, maps_at, name_of, texts_at
from kcompanion.model.resources import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_VOLUME = PERSISTENTVOLUMES.path(None, "{volume}")
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}


def _default(a: Answers) -> str:
    return next(name_of(c) for c in maps_at(a["classes"], "items") if annotations_of(c).get(_DEFAULT) == "true")


LESSON = Lesson(
    "volumes",
    2,
    (
        Step(
            "claim",
            (
                Send("classes", "GET", STORAGECLASSES.path()),
                Pick("class", _default),
                create("claim", PERSISTENTVOLUMECLAIMS, {"metadata": {"name": "data"}, "spec": _CLAIM}),
            ),
            (
                Claim(
                    "class_filled_in",
                    lambda a: a["claim"]["spec"]["storageClassName"] == a["class"],
                    ("class", "claim.spec.storageClassName", "claim.status.phase"),
                    lambda a: {"class": a["class"]},
                ),
            ),
        ),
        Step(
            "use",
            (
                create(
                    "made",
                    PODS,
                    pod(
                        "user",
                        None,
                        container(volumeMounts=[{"name": "data", "mountPath": "/data"}]),
                        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
                    ),
                ),
                wait("bound", PERSISTENTVOLUMECLAIMS, "data", reached("", status__phase="Bound"), 120.0),
                Pick("volume", lambda a: a["bound"]["spec"]["volumeName"]),
                Send("made_volume", "GET", _VOLUME),
                wait("running", PODS, "user", ready(), 120.0),
            ),
            (
                Claim(
                    "tied",
                    lambda a: (
                        a["made_volume"]["spec"]["claimRef"]["uid"] == a["claim"]["metadata"]["uid"]
                        and a["made_volume"]["spec"]["storageClassName"] == a["class"]
                    ),
                    ("volume", "made_volume.spec.claimRef.name", "made_volume.spec.persistentVolumeReclaimPolicy"),
                ),
                Claim(
                    "mounted",
                    lambda a: (
                        a["running"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "data"
                        and a["running"]["status"]["phase"] == "Running"
                    ),
                    ("running.spec.nodeName", "running.status.phase"),
                ),
            ),
        ),
        Step(
            "protect",
            (delete("asked", PERSISTENTVOLUMECLAIMS, "data"), read("waiting", PERSISTENTVOLUMECLAIMS, "data")),
            (
                Claim(
                    "held_back",
                    lambda a: (
                        "kubernetes.io/pvc-protection" in texts_at(a["waiting"], "metadata", "finalizers")
                        and bool(dig(a["waiting"], "metadata", "deletionTimestamp"))
                    ),
                    ("waiting.metadata.deletionTimestamp", "waiting.metadata.finalizers"),
                ),
            ),
        ),
        Step(
            "reclaim",
            (
                delete("stopped", PODS, "user"),
                wait("claim_gone", PERSISTENTVOLUMECLAIMS, "data", gone(), 90.0),
                Wait("volume_gone", _VOLUME, gone(), 120.0),
            ),
            (
                Claim("claim_went", lambda a: a["claim_gone"]["code"] == 404, ("claim_gone.reason",)),
                Claim(
                    "volume_went",
                    lambda a: (
                        a["volume_gone"]["code"] == 404
                        and a["made_volume"]["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
                    ),
                    ("made_volume.spec.persistentVolumeReclaimPolicy", "volume_gone.reason"),
                ),
            ),
        ),
    ),
    rows=("S50",),
    needs=("storage_class",),
)
