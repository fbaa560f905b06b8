"""Why not that node: a taint, a toleration, and anti-affinity."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.conditions import has_condition, ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import pod
from kcompanion.learn.verbs import create, delete, wait
from kcompanion.model.fields import condition, maps_at, text_at
from kcompanion.model.resources import NODES, PODS

_HERE = {"kubernetes.io/hostname": "{host}"}
_TOLERATES = [{"key": "{taint}", "operator": "Exists", "effect": "NoSchedule"}]
_APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "first"}}, "topologyKey": "kubernetes.io/hostname"}
        ]
    }
}


def _repels(node: object) -> list[str]:
    return [text_at(t, "key") for t in maps_at(node, "spec", "taints") if t.get("effect") == "NoSchedule"]


def _tainted(nodes: object) -> Any:  # noqa: ANN401 - JSON
    return next(
        n for n in maps_at(nodes, "items") if len(_repels(n)) == 1 and condition(n, "Ready").get("status") == "True"
    )


def _unplaced(name: str, item: str) -> Any:  # noqa: ANN401 - a Wait
    return wait(name, PODS, item, has_condition("PodScheduled", "False", "Unschedulable"))


def _why(item: object) -> str:
    return str(condition(item, "PodScheduled")["message"])


LESSON = Lesson(
    "taints",
    1,
    (
        Step(
            "taint",
            (
                Send("nodes", "GET", NODES.path()),
                Pick("node", lambda a: text_at(_tainted(a["nodes"]), "metadata", "name")),
                Pick("host", lambda a: text_at(_tainted(a["nodes"]), "metadata", "labels", "kubernetes.io/hostname")),
                Pick("taint", lambda a: _repels(_tainted(a["nodes"]))[0]),
                create("made", PODS, pod("repelled", None, nodeSelector=_HERE)),
                _unplaced("kept_out", "repelled"),
            ),
            (
                Claim(
                    "untolerated",
                    lambda a: "untolerated taint" in _why(a["kept_out"]),
                    ("node", "taint"),
                    lambda a: {"why": _why(a["kept_out"])},
                ),
            ),
        ),
        Step(
            "toleration",
            (
                create("tolerant", PODS, pod("first", {"app": "first"}, nodeSelector=_HERE, tolerations=_TOLERATES)),
                wait("let_in", PODS, "first", ready()),
            ),
            (
                Claim(
                    "runs_there",
                    lambda a: a["let_in"]["spec"]["nodeName"] == a["node"],
                    ("node", "let_in.spec.nodeName"),
                    lambda a: {"node": a["node"]},
                ),
            ),
        ),
        Step(
            "apart",
            (
                create(
                    "second", PODS, pod("second", None, nodeSelector=_HERE, tolerations=_TOLERATES, affinity=_APART)
                ),
                _unplaced("kept_apart", "second"),
                Pick("verdict", lambda a: condition(a["kept_apart"], "PodScheduled")),
            ),
            (
                Claim(
                    "anti_affinity",
                    lambda a: "anti-affinity" in _why(a["kept_apart"]),
                    ("verdict.type", "verdict.status", "verdict.reason"),
                    lambda a: {"why": _why(a["kept_apart"])},
                ),
            ),
        ),
        Step(
            "room",
            (
                delete("first_gone", PODS, "first"),
                wait("placed", PODS, "second", ready(), 120.0),
            ),
            (
                Claim(
                    "tried_again",
                    lambda a: a["placed"]["spec"]["nodeName"] == a["node"],
                    ("placed.spec.nodeName",),
                    lambda a: {"ms": a.ms("placed") - a.ms("first_gone")},
                ),
            ),
        ),
    ),
    rows=("S18",),
    needs=("tainted_node",),
)
