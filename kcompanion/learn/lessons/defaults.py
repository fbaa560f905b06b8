"""Sent beside stored: which fields were added on the way, by defaulting and by admission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import pod, replicas
from kcompanion.learn.verbs import create, read
from kcompanion.model.fields import maps_at, text_at
from kcompanion.model.resources import DEPLOYMENTS, PODS

_DRY = "dryRun=All"
_NOT_READY, _UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
_STAYS = {"key": _UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
_SCHEDULED = "nodeName"  # by then the scheduler may have written it: neither defaulting nor admission


def _added(before: Any, after: Any, path: str = "") -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The fields of `after` that `before` does not have; of a field that is new as a whole only the field itself."""
    found: dict[str, Any] = {}
    for key, value in _parts(after).items():
        where = f"{path}.{key}" if path else key
        if key not in _parts(before):
            found |= {} if where == _SCHEDULED else {where: value}
        else:
            found |= _added(_parts(before)[key], value, where)
    return found


def _parts(value: object) -> Mapping[str, Any]:
    if isinstance(value, list):
        return {str(number): one for number, one in enumerate(value)}
    return value if isinstance(value, Mapping) else {}


def _sent(a: Answers, name: str) -> Any:  # noqa: ANN401 - JSON
    exchange = a.exchange(name)
    return {} if exchange is None else exchange.request.body["spec"]


def _template_sent(a: Answers) -> Any:  # noqa: ANN401 - JSON
    return _sent(a, "template")["template"]["spec"]


def _template(deployment: Any) -> Any:  # noqa: ANN401 - JSON
    return deployment["spec"]["template"]["spec"]


def _toleration(item: object, key: str) -> Mapping[str, Any]:
    """What the pod says of a taint of that key."""
    return next((one for one in maps_at(item, "spec", "tolerations") if one.get("key") == key), {})


def _wait(item: object, key: str) -> int:
    """How long the pod stays when its node gets a taint of that key."""
    return int(_toleration(item, key)["tolerationSeconds"])


def _token_volumes(item: object) -> list[str]:
    names = (text_at(volume, "name") for volume in maps_at(item, "spec", "volumes"))
    return [name for name in names if name.startswith("kube-api-access")]


LESSON = Lesson(
    "defaults",
    1,
    (
        Step(
            "dry",
            (
                create("rehearsed", PODS, pod("plain"), query=_DRY),
                Send("nothing", "GET", PODS.path("{ns}", "plain"), status=(404,)),
                Pick("all_added", lambda a: _added(_sent(a, "rehearsed"), a["rehearsed"]["spec"])),
            ),
            (
                Claim(
                    "more_than_sent",
                    lambda a: len(a["all_added"]) > 0,
                    ("all_added.*",),
                    lambda a: {"sent": len(_parts(_sent(a, "rehearsed"))), "added": len(a["all_added"])},
                ),
                Claim("not_stored", lambda a: a["nothing"]["reason"] == "NotFound", ("nothing.reason",)),
            ),
        ),
        Step(
            "defaulting",
            (
                create("template", DEPLOYMENTS, replicas("plain", 1), query=_DRY),
                Pick("by_defaulting", lambda a: _added(_template_sent(a), _template(a["template"]))),
            ),
            (
                Claim(
                    "defaulted",
                    lambda a: (
                        a["by_defaulting"]["restartPolicy"] == "Always"
                        and a["by_defaulting"]["dnsPolicy"] == "ClusterFirst"
                    ),
                    ("by_defaulting.*",),
                    lambda a: {"count": len(a["by_defaulting"])},
                ),
            ),
        ),
        Step(
            "admission",
            (
                create("made", PODS, pod("plain")),
                read("stored", PODS, "plain"),
                Pick("with_the_pod", lambda a: _added(_template(a["template"]), a["made"]["spec"])),
            ),
            (
                Claim(
                    "of_pods",
                    lambda a: {"serviceAccountName", "priority"} <= set(a["with_the_pod"]),
                    ("with_the_pod.*",),
                    lambda a: {"count": len(a["with_the_pod"])},
                ),
                Claim(
                    "service_account",
                    lambda a: (
                        a["stored"]["spec"]["serviceAccountName"] == "default" and bool(_token_volumes(a["stored"]))
                    ),
                    ("stored.spec.serviceAccountName", "stored.spec.volumes.0.name"),
                ),
                Claim(
                    "tolerations",
                    lambda a: _wait(a["stored"], _NOT_READY) > 0 and _wait(a["stored"], _UNREACHABLE) > 0,
                    ("stored.spec.tolerations.0.tolerationSeconds", "stored.spec.tolerations.1.tolerationSeconds"),
                    lambda a: {"seconds": _wait(a["stored"], _UNREACHABLE)},
                ),
                Claim(
                    "priority",
                    lambda a: isinstance(a["stored"]["spec"]["priority"], int),
                    ("stored.spec.priority", "stored.spec.preemptionPolicy"),
                ),
                Claim(
                    "as_rehearsed",
                    lambda a: (
                        len(_sent(a, "made")) > 0
                        and a["made"]["spec"]["tolerations"] == a["rehearsed"]["spec"]["tolerations"]
                        and a["made"]["spec"]["restartPolicy"] == a["rehearsed"]["spec"]["restartPolicy"]
                        and a["made"]["metadata"]["uid"] != a["rehearsed"]["metadata"]["uid"]
                    ),
                    ("rehearsed.metadata.uid", "made.metadata.uid"),
                ),
            ),
        ),
        Step(
            "own",
            (
                create(
                    "spoken",
                    PODS,
                    pod("spoken", automountServiceAccountToken=False, restartPolicy="Never", tolerations=[_STAYS]),
                    query=_DRY,
                ),
                Pick("beside", lambda a: _toleration(a["spoken"], _NOT_READY)),
            ),
            (
                Claim(
                    "own_kept",
                    lambda a: (
                        a["spoken"]["spec"]["restartPolicy"] == "Never" and _wait(a["spoken"], _UNREACHABLE) == 60
                    ),
                    ("spoken.spec.restartPolicy", "spoken.spec.tolerations"),
                ),
                Claim(
                    "rest_added",
                    lambda a: _wait(a["spoken"], _NOT_READY) > 0 and _wait(a["spoken"], _UNREACHABLE) > 0,
                    ("beside.key", "beside.tolerationSeconds"),
                ),
                Claim(
                    "no_token",
                    lambda a: (
                        a["spoken"]["spec"]["serviceAccountName"] == "default" and not _token_volumes(a["spoken"])
                    ),
                    ("spoken.spec.serviceAccountName", "spoken.spec.volumes"),
                ),
            ),
        ),
    ),
    rows=("S41",),
)
