"""A node's power is cut: who notices when, what becomes of its pods, and what it finds when it comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import all_ready, custom, gone, is_ready, live
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step, Wait
from kcompanion.learn.machines import LONG, power_off, power_on
from kcompanion.learn.objects import pod, replicas
from kcompanion.learn.verbs import create, listed, read, wait, wait_all
from kcompanion.model.fields import condition, maps_at, name_of, text_at
from kcompanion.model.resources import DEPLOYMENTS, LEASES, NODES, PODS

_WEB = "app%3Dweb"
_NODE = NODES.path(None, "{node}")
_LEASE = LEASES.path("kube-node-lease", "{node}")
_UNREACHABLE, _NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
_PATIENCE = 15  # seconds that our pod tolerates a lost node; usual are 300


def _impatient() -> dict[str, Any]:
    made = replicas("web", 1)
    made["spec"]["template"]["spec"]["tolerations"] = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _PATIENCE}
        for key in (_UNREACHABLE, _NOT_READY)
    ]
    return made


def _tolerated(item: object) -> int:
    return next(int(t["tolerationSeconds"]) for t in maps_at(item, "spec", "tolerations") if t["key"] == _UNREACHABLE)


def _taint(node: object) -> Any:  # noqa: ANN401 - JSON
    """The taint that makes pods leave; None when there is none."""
    taints = maps_at(node, "spec", "taints")
    return next((t for t in taints if t.get("key") == _UNREACHABLE and t.get("effect") == "NoExecute"), None)


def _state(node: object) -> str:
    return str(condition(node, "Ready").get("status"))


def _lost(status: int, node: object) -> bool:
    return status == 200 and _state(node) == "Unknown" and _taint(node) is not None


def _returned(status: int, node: object) -> bool:
    return status == 200 and _state(node) == "True" and not list(maps_at(node, "spec", "taints"))


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def _silence(a: Answers) -> float:
    """From the last sign of life to the verdict."""
    return (_at(a["unknown_since"]) - _at(a["stale"]["spec"]["renewTime"])).total_seconds()


def _stay(a: Answers) -> float:
    """From the taint to the deletion; deletionTimestamp is when its grace ends."""
    meta = a["evicted"]["metadata"]
    asked = _at(meta["deletionTimestamp"]) - timedelta(seconds=meta["deletionGracePeriodSeconds"])
    return (asked - _at(a["taint"]["timeAdded"])).total_seconds()


LESSON = Lesson(
    "node-failure",
    3,
    (
        Step(
            "before",
            (
                create("deployment", DEPLOYMENTS, _impatient()),
                wait_all("placed", PODS, _WEB, all_ready(1), LONG),
                Pick("pod", lambda a: name_of(live(a["placed"])[0])),
                Pick("node", lambda a: live(a["placed"])[0]["spec"]["nodeName"]),
                create("usual", PODS, pod("usual"), query="dryRun=All"),
            ),
            (
                Claim(
                    "patience",
                    lambda a: _tolerated(a["usual"]) == 300 and _tolerated(live(a["placed"])[0]) == _PATIENCE,
                    ("node",),
                    lambda a: {"ours": _tolerated(live(a["placed"])[0]), "usual": _tolerated(a["usual"])},
                ),
            ),
        ),
        Step(
            "off",
            (
                power_off("off", "{node}"),
                Send("unaware", "GET", _NODE),
            ),
            (
                Claim(
                    "nobody_knows",
                    lambda a: a["off"]["code"] == 0 and _state(a["unaware"]) == "True",
                    ("off.code", "node"),
                ),
            ),
        ),
        Step(
            "lost",
            (
                Wait("lost", _NODE, custom("node_lost", _lost), LONG),
                Pick("unknown_since", lambda a: condition(a["lost"], "Ready")["lastTransitionTime"]),
                Pick("taint", lambda a: _taint(a["lost"])),
                Send("stale", "GET", _LEASE),
                read("unchanged", PODS, "{pod}"),
            ),
            (
                Claim(
                    "silent_first",
                    lambda a: _silence(a) > 30 and condition(a["lost"], "Ready")["reason"] == "NodeStatusUnknown",
                    ("stale.spec.renewTime", "unknown_since"),
                    lambda a: {"seconds": f"{_silence(a):.0f}"},
                ),
                Claim(
                    "tainted",
                    lambda a: bool(_taint(a["lost"])["timeAdded"]),
                    ("taint.key", "taint.effect", "taint.timeAdded"),
                ),
                Claim(
                    "still_running",
                    lambda a: a["unchanged"]["status"]["phase"] == "Running",
                    ("unchanged.spec.nodeName", "unchanged.status.phase"),
                ),
            ),
        ),
        Step(
            "replaced",
            (
                wait(
                    "evicted",
                    PODS,
                    "{pod}",
                    custom("evicted", lambda s, b: s == 200 and bool(text_at(b, "metadata", "deletionTimestamp"))),
                    LONG,
                ),
                wait_all("replaced", PODS, _WEB, all_ready(1), LONG),
                read("remains", PODS, "{pod}"),
            ),
            (
                Claim(
                    "patience_over",
                    lambda a: _stay(a) >= _PATIENCE - 1,  # API times are whole seconds
                    (
                        "taint.timeAdded",
                        "evicted.metadata.deletionTimestamp",
                        "evicted.metadata.deletionGracePeriodSeconds",
                    ),
                    lambda a: {"seconds": f"{_stay(a):.0f}"},
                ),
                Claim(
                    "elsewhere",
                    lambda a: (
                        is_ready(live(a["replaced"])[0])
                        and live(a["replaced"])[0]["spec"]["nodeName"] not in ("", a["node"])
                    ),
                    ("node", "pod"),
                    lambda a: {
                        "pod": name_of(live(a["replaced"])[0]),
                        "node": live(a["replaced"])[0]["spec"]["nodeName"],
                    },
                ),
                Claim(
                    "nobody_confirms",
                    lambda a: (
                        a["remains"]["metadata"]["uid"] == a["evicted"]["metadata"]["uid"]
                        and a["remains"]["status"]["phase"] == "Running"
                    ),
                    ("remains.metadata.deletionTimestamp", "remains.status.phase"),
                ),
            ),
        ),
        Step(
            "back",
            (
                power_on("on", "{node}"),
                Wait("returned", _NODE, custom("node_returned", _returned), LONG),
                Pick("ready", lambda a: _state(a["returned"])),
                wait("confirmed", PODS, "{pod}", gone(), LONG),
                listed("left", PODS, _WEB),
            ),
            (
                Claim(
                    "ready_again",
                    lambda a: _returned(200, a["returned"]) and a["confirmed"]["code"] == 404,
                    ("ready", "returned.spec.taints", "confirmed.reason"),
                ),
                Claim(
                    "no_way_back",
                    lambda a: [name_of(p) for p in live(a["left"])] == [name_of(p) for p in live(a["replaced"])] != [],
                    ("left.items.0.spec.nodeName",),
                ),
            ),
        ),
    ),
    rows=("S18",),
    needs=("kind", "two_workers"),
    touches=("namespace", "node_power"),
)
