"""Leader election: one leader ends without a word, another hands over; both times a standby goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import custom, live, ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Step, Wait
from kcompanion.learn.machines import (
    LONG,
    SYSTEM,
    compared,
    ended,
    holder,
    lease,
    look_until,
    put_back,
    take_away,
)
from kcompanion.learn.objects import replicas
from kcompanion.learn.verbs import create, wait_all
from kcompanion.model.resources import DEPLOYMENTS, LEASES, PODS, REPLICASETS

_MANAGER, _SCHEDULER = "kube-controller-manager", "kube-scheduler"
_WEB = "app%3Dweb"


def _identity(body: Any) -> str:  # noqa: ANN401 - JSON
    return str(body["spec"]["holderIdentity"])


def _another(before: str) -> Any:  # noqa: ANN401 - a test of Until
    """Somebody holds it, and not who held it in an earlier answer."""
    return lambda status, body, a: status == 200 and _identity(body) not in ("", _identity(a[before]))


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _gap(a: Answers, before: str, after: str) -> float:
    """From the last renewal that was seen of the old leader to the new one's beginning, by the Lease itself."""
    return _seconds(a[before]["spec"]["renewTime"], a[after]["spec"]["acquireTime"])


def _changes(a: Answers, name: str) -> int:
    return int(a[name]["spec"]["leaseTransitions"])


def _back(name: str, component: str, node: str) -> Wait:
    return Wait(name, PODS.path(SYSTEM, f"{component}-{node}"), ready(), LONG)


LESSON = Lesson(
    "leader-election",
    2,
    (
        Step(
            "who",
            (
                lease("first", _MANAGER),
                Wait(
                    "renewed",
                    LEASES.path(SYSTEM, _MANAGER),
                    compared("renewed", lambda _, b, a: b["spec"]["renewTime"] != a["first"]["spec"]["renewTime"]),
                    LONG,
                ),
                Pick("leader", lambda a: holder(a["renewed"])),
            ),
            (
                Claim(
                    "one_name",
                    lambda a: bool(a["leader"]) and a["renewed"]["spec"]["leaseDurationSeconds"] > 0,
                    ("renewed.spec.holderIdentity", "renewed.spec.leaseDurationSeconds"),
                    lambda a: {"node": a["leader"]},
                ),
                Claim(
                    "renews",
                    lambda a: a["renewed"]["spec"]["renewTime"] > a["first"]["spec"]["renewTime"],
                    ("first.spec.renewTime", "renewed.spec.renewTime"),
                ),
            ),
        ),
        Step(
            "lost",
            (
                take_away("stopped", "{leader}", _MANAGER),
                # a process's name has 15 letters at most
                look_until("ended", "{leader}", ("pgrep", "-x", _MANAGER[:15]), ended(1)),
                create("web", DEPLOYMENTS, replicas("web", 1)),
                Wait("next", LEASES.path(SYSTEM, _MANAGER), compared("another_leader", _another("renewed")), LONG),
                wait_all("made", REPLICASETS, _WEB, custom("made", lambda _, body: bool(live(body))), LONG),
            ),
            (
                Claim(
                    "expired",
                    lambda a: _gap(a, "renewed", "next") >= a["renewed"]["spec"]["leaseDurationSeconds"],
                    (
                        "renewed.spec.renewTime",
                        "renewed.spec.leaseDurationSeconds",
                        "next.spec.acquireTime",
                        "next.spec.holderIdentity",
                    ),
                    lambda a: {"seconds": f"{_gap(a, 'renewed', 'next'):.1f}", "node": holder(a["next"])},
                ),
                Claim(
                    "counted",
                    lambda a: _changes(a, "next") > _changes(a, "renewed"),
                    ("renewed.spec.leaseTransitions", "next.spec.leaseTransitions"),
                ),
                Claim(
                    "nobody_worked",
                    lambda a: (
                        _seconds(
                            a["next"]["spec"]["acquireTime"], a["made"]["items"][0]["metadata"]["creationTimestamp"]
                        )
                        > -1  # creation times are whole seconds
                    ),
                    (
                        "web.metadata.creationTimestamp",
                        "next.spec.acquireTime",
                        "made.items.0.metadata.creationTimestamp",
                    ),
                ),
            ),
        ),
        Step(
            "handed",
            (
                lease("scheduler", _SCHEDULER),
                Pick("scheduling", lambda a: holder(a["scheduler"])),
                take_away("stopped_too", "{scheduling}", _SCHEDULER),
                Wait(
                    "released",
                    LEASES.path(SYSTEM, _SCHEDULER),
                    compared("left_leader", lambda _, b, a: _identity(b) != _identity(a["scheduler"])),
                    LONG,
                ),
                Wait(
                    "successor",
                    LEASES.path(SYSTEM, _SCHEDULER),
                    compared("another_leader", _another("scheduler")),
                    LONG,
                ),
            ),
            (
                Claim(
                    "let_go",
                    # seen empty; or, between two looks, taken again sooner than it could have run out
                    lambda a: (
                        _identity(a["released"]) == ""
                        or _gap(a, "scheduler", "successor") < a["scheduler"]["spec"]["leaseDurationSeconds"]
                    ),
                    ("released.spec.holderIdentity", "successor.spec.holderIdentity", "successor.spec.acquireTime"),
                    lambda a: {
                        "seconds": f"{_gap(a, 'scheduler', 'successor'):.1f}",
                        "node": holder(a["successor"]),
                    },
                ),
            ),
        ),
        Step(
            "back",
            (
                put_back("started", "{leader}", _MANAGER),
                put_back("started_too", "{scheduling}", _SCHEDULER),
                _back("manager", _MANAGER, "{leader}"),
                _back("scheduler_pod", _SCHEDULER, "{scheduling}"),
                lease("after", _MANAGER),
            ),
            (
                Claim(
                    "stands_by",
                    lambda a: a["manager"]["spec"]["nodeName"] == a["leader"] != holder(a["after"]) != "",
                    ("manager.metadata.name", "after.spec.holderIdentity"),
                    lambda a: {"node": a["leader"], "leader": holder(a["after"])},
                ),
            ),
        ),
    ),
    rows=("S35", "S48"),
    needs=("kind", "ha"),
    touches=("namespace", "control_plane"),
)
