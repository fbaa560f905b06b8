"""Service account tokens: asked for, bound, ending by themselves; and what an account may do."""

from __future__ import annotations

from kcompanion.learn.answers import Answers
from kcompanion.learn.lesson import Claim, Lesson, Send, Step
from kcompanion.learn.objects import pod
from kcompanion.learn.verbs import NS, create, listed, read
from kcompanion.model.fields import maps_at, texts_at
from kcompanion.model.resources import PODS, SECRETS, SERVICEACCOUNTS
from kcompanion.model.times import parse_time

_TOKEN = "{ticket.status.token}"  # noqa: S105 - a placeholder
_SECONDS = 600


def _expires_in(a: Answers) -> int:
    made = parse_time(a["account"]["metadata"]["creationTimestamp"])
    ends = parse_time(a["ticket"]["status"]["expirationTimestamp"])
    if made is None or ends is None:
        raise ValueError("no times")
    return int((ends - made).total_seconds())


def _projected(a: Answers) -> int:
    """The seconds a pod's own token lives."""
    return next(
        int(source["serviceAccountToken"]["expirationSeconds"])
        for volume in maps_at(a["pod"], "spec", "volumes")
        for source in maps_at(volume, "projected", "sources")
        if "serviceAccountToken" in source
    )


LESSON = Lesson(
    "tokens",
    1,
    (
        Step(
            "account",
            (create("account", SERVICEACCOUNTS, {"metadata": {"name": "worker"}}), listed("stored", SECRETS)),
            (
                Claim(
                    "no_password",
                    lambda a: (
                        a["stored"]["kind"] == "SecretList"
                        and not a["stored"]["items"]
                        and "secrets" not in a["account"]
                    ),
                    ("account.metadata.name", "stored.items"),
                ),
            ),
        ),
        Step(
            "ticket",
            (
                Send(
                    "ticket",
                    "POST",
                    SERVICEACCOUNTS.path(NS, "worker") + "/token",
                    {
                        "apiVersion": "authentication.k8s.io/v1",
                        "kind": "TokenRequest",
                        "spec": {"expirationSeconds": _SECONDS},
                    },
                    (201,),
                ),
                Send(
                    "who",
                    "POST",
                    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                    {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
                    (201,),
                    credentials=_TOKEN,
                ),
            ),
            (
                Claim(
                    "ends",
                    lambda a: _SECONDS <= _expires_in(a) < _SECONDS + 120,
                    ("ticket.spec.expirationSeconds", "ticket.status.expirationTimestamp"),
                ),
                Claim(
                    "is_somebody",
                    lambda a: (
                        a["who"]["status"]["userInfo"]["username"] == f"system:serviceaccount:{a['ns']}:worker"
                        and "system:serviceaccounts" in texts_at(a["who"], "status", "userInfo", "groups")
                    ),
                    ("who.status.userInfo.username", "who.status.userInfo.groups"),
                ),
            ),
        ),
        Step(
            "rights",
            (listed("refused", PODS, status=(403,), credentials=_TOKEN),),
            (
                Claim(
                    "nothing_granted",
                    lambda a: a["refused"]["reason"] == "Forbidden",
                    ("refused.reason", "refused.message"),
                ),
            ),
        ),
        Step(
            "pod",
            (create("made", PODS, pod("uses", None, serviceAccountName="worker")), read("pod", PODS, "uses")),
            (
                Claim(
                    "projected",
                    lambda a: 3600 <= _projected(a) <= 3607,
                    ("pod.spec.serviceAccountName", "pod.spec.volumes.0.name"),
                    lambda a: {"seconds": _projected(a)},
                ),
            ),
        ),
    ),
    rows=("S27",),
)
