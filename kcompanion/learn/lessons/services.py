"""A Service, the pods behind it, and how they come and go."""

from __future__ import annotations

from kcompanion.learn.conditions import amount, custom
from kcompanion.learn.lesson import Claim, Lesson, Send, Step, Until
from kcompanion.learn.objects import container, pod
from kcompanion.learn.verbs import NS, create, patch, read, wait_all
from kcompanion.model.fields import dig, maps_at, texts_at
from kcompanion.model.resources import ENDPOINTSLICES, PODS, SERVICES

_SLICES = "kubernetes.io/service-name%3Dweb"
_SERVER = container("netexec", "--http-port=8080", ports=[{"containerPort": 8080}])


def _addresses(body: object) -> list[str]:
    """The addresses that get traffic."""
    return sorted(
        address
        for piece in maps_at(body, "items")
        for endpoint in maps_at(piece, "endpoints")
        if dig(endpoint, "conditions", "ready") is True
        for address in texts_at(endpoint, "addresses")
    )


def _behind(count: int) -> Until:
    return custom(
        amount("behind", count), lambda status, body: status == 200 and len(_addresses(body)) == count, count=count
    )


LESSON = Lesson(
    "services",
    2,
    (
        Step(
            "behind",
            (
                create(
                    "service",
                    SERVICES,
                    {
                        "metadata": {"name": "web"},
                        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
                    },
                ),
                create("made_a", PODS, pod("a", {"app": "web"}, _SERVER)),
                create("made_b", PODS, pod("b", {"app": "web"}, _SERVER)),
                wait_all("both", ENDPOINTSLICES, _SLICES, _behind(2)),
                read("a", PODS, "a"),
                read("b", PODS, "b"),
            ),
            (
                Claim(
                    "pod_addresses",
                    lambda a: _addresses(a["both"]) == sorted([a["a"]["status"]["podIP"], a["b"]["status"]["podIP"]]),
                    ("service.spec.clusterIP", "a.status.podIP", "b.status.podIP"),
                ),
            ),
        ),
        Step(
            "leave",
            (
                patch("relabelled", PODS, "b", {"metadata": {"labels": {"app": "other"}}}),
                wait_all("one", ENDPOINTSLICES, _SLICES, _behind(1)),
                read("outside", PODS, "b"),
            ),
            (
                Claim(
                    "only_one",
                    lambda a: (
                        _addresses(a["one"]) == [a["a"]["status"]["podIP"]]
                        and a["outside"]["status"]["phase"] == "Running"
                        and not dig(a["outside"], "metadata", "deletionTimestamp")
                        and a["outside"]["metadata"]["uid"] == a["b"]["metadata"]["uid"]
                    ),
                    ("a.status.podIP", "outside.metadata.labels.app", "outside.status.phase"),
                ),
            ),
        ),
        Step(
            "ask",
            (Send("asked", "GET", SERVICES.path(NS, "web:80") + "/proxy/hostname"),),
            (Claim("pod_answered", lambda a: a["asked"]["message"] == "a", ("asked.message",)),),
        ),
        Step(
            "nobody",
            (
                patch("mistyped", SERVICES, "web", {"spec": {"selector": {"app": "wbe"}}}),
                wait_all("none", ENDPOINTSLICES, _SLICES, _behind(0)),
                Send("unanswered", "GET", SERVICES.path(NS, "web:80") + "/proxy/hostname", status=(503,)),
            ),
            (
                Claim(
                    "address_without_pods",
                    lambda a: (
                        bool(a["mistyped"]["spec"]["clusterIP"]) and a["unanswered"]["reason"] == "ServiceUnavailable"
                    ),
                    ("mistyped.spec.clusterIP", "mistyped.spec.selector.app", "unanswered.message"),
                ),
            ),
        ),
    ),
    rows=("S22",),
)
