"""Autoscaling: who writes how many, the bounds that always hold, and what happens without a measurement."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import all_ready, counted, custom, has_condition, reached
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import replicas
from kcompanion.learn.verbs import NS, create, patch, read, wait, wait_all
from kcompanion.model.fields import condition, dig, maps_at, text_at
from kcompanion.model.message import say
from kcompanion.model.resources import DEPLOYMENTS, HPAS, PODS

_WEB = "app%3Dweb"
_AT_LEAST, _AT_MOST, _TOO_MANY = 2, 3, 5
_LOOP = 120.0  # seconds; an autoscaler looks every 15, and a busy controller manager later
_TARGET = {"apiVersion": DEPLOYMENTS.api_version, "kind": DEPLOYMENTS.kind, "name": "web"}
_CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
_BOUNDS = {"minReplicas": _AT_LEAST, "maxReplicas": _AT_MOST}
_COUNT = ("f:spec", "f:replicas")
_METRICS = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NS}/pods"


def _judged(_: int, autoscaler: object) -> bool:
    """It has tried to measure: with a number, or with the reason why there is none."""
    return bool(condition(autoscaler, "ScalingActive").get("reason"))


def _through_scale(item: object) -> Any:  # noqa: ANN401 - JSON
    """Who last wrote the count through the subresource scale: the entry of managedFields."""
    entries = maps_at(item, "metadata", "managedFields")
    written = (
        one for one in entries if one.get("subresource") == "scale" and dig(one, "fieldsV1", *_COUNT) is not None
    )
    return next(written, {})


def _scaling(a: Answers, name: str) -> Any:  # noqa: ANN401 - JSON
    return condition(a[name], "ScalingActive")


def _measured(a: Answers) -> bool:
    """Whether the autoscaler has a number; a metrics server may have none yet of pods that are new."""
    return bool(_scaling(a, "judged")["status"] == "True")


def _told(a: Answers, name: str) -> dict[str, str]:
    found = _scaling(a, name)
    return {"reason": found["reason"], "message": found["message"]}


LESSON = Lesson(
    "autoscaling",
    3,
    (
        Step(
            "scale",
            (
                create("deployment", DEPLOYMENTS, replicas("web", 1)),
                wait_all("one", PODS, _WEB, all_ready(1), 120.0),
                read("scale", DEPLOYMENTS, "web/scale"),
            ),
            (
                Claim(
                    "subresource",
                    lambda a: a["scale"]["kind"] == "Scale" and a["scale"]["spec"]["replicas"] == 1,
                    ("scale.kind", "scale.spec.replicas", "scale.status.selector"),
                ),
            ),
        ),
        Step(
            "at_least",
            (
                create(
                    "autoscaler",
                    HPAS,
                    {
                        "metadata": {"name": "web"},
                        "spec": {"scaleTargetRef": _TARGET, **_BOUNDS, "metrics": [_CPU]},
                    },
                ),
                wait("raised", DEPLOYMENTS, "web", reached("", spec__replicas=_AT_LEAST), _LOOP, managed=True),
                wait("decided", HPAS, "web", has_condition("AbleToScale", "True"), _LOOP),
                wait_all("two", PODS, _WEB, all_ready(_AT_LEAST), 120.0),
                Pick("written", lambda a: _through_scale(a["raised"])),
            ),
            (
                Claim(
                    "raised_to_min",
                    lambda a: a["deployment"]["spec"]["replicas"] == 1 and len(a["two"]["items"]) == _AT_LEAST,
                    ("deployment.spec.replicas", "autoscaler.spec.minReplicas", "raised.spec.replicas"),
                ),
                Claim(
                    "who_wrote",
                    lambda a: bool(text_at(a["written"], "manager")),
                    ("written.manager", "written.subresource", "written.fieldsV1"),
                    lambda a: {"who": text_at(a["written"], "manager")},
                ),
            ),
        ),
        Step(
            "measure",
            (
                Send("measurements", "GET", _METRICS, status=(200, 403, 404, 503)),
                wait("judged", HPAS, "web", custom("judged", _judged), _LOOP),
            ),
            (
                Claim(
                    "says_so",
                    lambda a: _scaling(a, "judged")["status"] == "True" or bool(_scaling(a, "judged")["message"]),
                    ("judged.spec.metrics.0.resource.target.averageUtilization",),
                    lambda a: _told(a, "judged"),
                ),
                Claim(
                    "no_number_no_change",
                    lambda a: (
                        a["judged"]["status"]["currentReplicas"] == _AT_LEAST
                        and a["judged"]["status"]["desiredReplicas"] == _AT_LEAST
                        and (_measured(a) or _scaling(a, "judged")["reason"] == "FailedGetResourceMetric")
                    ),
                    ("raised.spec.replicas", "judged.status.currentReplicas", "judged.status.desiredReplicas"),
                    lambda a: {"why": say(f"learn.count.{'measured' if _measured(a) else 'unmeasured'}")},
                ),
            ),
        ),
        Step(
            "at_most",
            (
                patch("by_hand", DEPLOYMENTS, "web", {"spec": {"replicas": _TOO_MANY}}, sub="scale"),
                wait("lowered", DEPLOYMENTS, "web", reached("", spec__replicas=_AT_MOST), _LOOP, managed=True),
                wait_all("three", PODS, _WEB, counted(_AT_MOST), 120.0),
            ),
            (
                Claim(
                    "lowered_to_max",
                    lambda a: a["by_hand"]["spec"]["replicas"] == _TOO_MANY and len(a["three"]["items"]) >= _AT_MOST,
                    ("by_hand.spec.replicas", "autoscaler.spec.maxReplicas", "lowered.spec.replicas"),
                    lambda a: {"seconds": (a.ms("lowered") - a.ms("by_hand")) // 1000},
                ),
            ),
        ),
        Step(
            "off",
            (
                patch("to_zero", DEPLOYMENTS, "web", {"spec": {"replicas": 0}}, sub="scale"),
                wait("disabled", HPAS, "web", has_condition("ScalingActive", "False", "ScalingDisabled"), _LOOP),
                read("at_zero", DEPLOYMENTS, "web"),
            ),
            (
                Claim(
                    "stays_zero",
                    lambda a: a["at_zero"]["spec"]["replicas"] == 0 and a["autoscaler"]["spec"]["minReplicas"] > 0,
                    ("autoscaler.spec.minReplicas", "at_zero.spec.replicas"),
                    lambda a: _told(a, "disabled"),
                ),
            ),
        ),
    ),
    rows=("S51",),
)
