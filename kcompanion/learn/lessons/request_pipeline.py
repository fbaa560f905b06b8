"""The API server's stages: a request stopped at each of them, and one that gets through."""

from __future__ import annotations

from kcompanion.learn.lesson import INVALID, Claim, Lesson, Send, Step
from kcompanion.learn.objects import container, pod
from kcompanion.learn.verbs import NS, create, read
from kcompanion.model.resources import CONFIGMAPS, PODS, SERVICEACCOUNTS

_MAP = {"metadata": {"name": "first"}, "data": {"of": "this name"}}
_PRIVILEGED = container(securityContext={"privileged": True})

LESSON = Lesson(
    "request-pipeline",
    2,
    (
        Step(
            "authentication",
            (Send("unknown", "GET", CONFIGMAPS.path(NS), status=(401,), credentials=INVALID),),
            (Claim("who", lambda a: a["unknown"]["reason"] == "Unauthorized", ("unknown.reason",)),),
        ),
        Step(
            "authorization",
            (
                create("visitor", SERVICEACCOUNTS, {"metadata": {"name": "visitor"}}),
                Send(
                    "ticket",
                    "POST",
                    SERVICEACCOUNTS.path(NS, "visitor") + "/token",
                    {
                        "apiVersion": "authentication.k8s.io/v1",
                        "kind": "TokenRequest",
                        "spec": {"expirationSeconds": 600},
                    },
                    (201,),
                ),
                create("forbidden", CONFIGMAPS, _MAP, 403, credentials="{ticket.status.token}"),
            ),
            (
                Claim(
                    "known_but_not_allowed",
                    lambda a: (
                        a["forbidden"]["reason"] == "Forbidden"
                        and f"system:serviceaccount:{a['ns']}:visitor" in a["forbidden"]["message"]
                    ),
                    ("forbidden.reason", "forbidden.message"),
                ),
            ),
        ),
        Step(
            "decoding",
            (
                create(
                    "mistyped",
                    PODS,
                    {"metadata": {"name": "mistyped"}, "spec": {"contaniers": []}},
                    400,
                    query="fieldValidation=Strict",
                ),
            ),
            (Claim("not_understood", lambda a: "unknown field" in a["mistyped"]["message"], ("mistyped.message",)),),
        ),
        Step(
            "validation",
            (create("empty", PODS, {"metadata": {"name": "empty"}, "spec": {"containers": []}}, 422),),
            (
                Claim(
                    "field_named",
                    lambda a: any(one["field"] == "spec.containers" for one in a["empty"]["details"]["causes"]),
                    ("empty.reason", "empty.details.causes.0.field"),
                ),
            ),
        ),
        Step(
            "admission",
            (create("privileged", PODS, pod("privileged", None, _PRIVILEGED), 403),),
            (
                Claim(
                    "policy_named",
                    lambda a: "violates PodSecurity" in a["privileged"]["message"],
                    ("privileged.reason", "privileged.message"),
                ),
            ),
        ),
        Step(
            "order",
            (create("both", PODS, pod("both", None, {**_PRIVILEGED, "name": "Not A Name"}), 422),),
            (
                Claim(
                    "validation_first",
                    lambda a: a["both"]["reason"] == "Invalid" and "PodSecurity" not in a["both"]["message"],
                    ("both.reason",),
                ),
            ),
        ),
        Step(
            "storage",
            (create("stored", CONFIGMAPS, _MAP), create("twice", CONFIGMAPS, _MAP, 409)),
            (Claim("name_taken", lambda a: a["twice"]["reason"] == "AlreadyExists", ("twice.reason",)),),
        ),
        Step(
            "through",
            (create("good", PODS, pod("good")), read("kept", PODS, "good")),
            (
                Claim(
                    "persisted",
                    lambda a: a["kept"]["metadata"]["uid"] == a["good"]["metadata"]["uid"],
                    ("kept.metadata.uid",),
                ),
                Claim(
                    "defaulted", lambda a: a["kept"]["spec"]["restartPolicy"] == "Always", ("kept.spec.restartPolicy",)
                ),
                Claim(
                    "mutated",
                    lambda a: (
                        a["kept"]["spec"]["serviceAccountName"] == "default"
                        and any(v["name"].startswith("kube-api-access") for v in a["kept"]["spec"]["volumes"])
                    ),
                    ("kept.spec.serviceAccountName", "kept.spec.volumes.0.name"),
                ),
            ),
        ),
    ),
    rows=("S41",),
    needs=("own_namespace",),
    space_labels={"pod-security.kubernetes.io/enforce": "baseline"},
)
