"""Cordon and drain: what moves, what is blocked, and what does not come back."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import all_ready, custom, gone, live, names, ready
from kcompanion.learn.lesson import MERGE, Claim, Lesson, Pick, Send, Step, Undo
from kcompanion.learn.mark import LESSON as MARK
from kcompanion.learn.mark import UNCORDON
from kcompanion.learn.objects import pod, replicas
from kcompanion.learn.verbs import NS, create, hold_all, patch, wait, wait_all
from kcompanion.model.fields import dig, name_of, text_at
from kcompanion.model.resources import DEPLOYMENTS, NODES, PDBS, PODS

_WEB = "app%3Dweb"
_OURS = f"{MARK}%3D{{run}}"
_NODE = NODES.path(None, "{node}")
_BACK = Undo("PATCH", _NODE, UNCORDON, MERGE)


def _spread() -> dict[str, Any]:
    """Two pods, each on a node of its own if there are two."""
    made = replicas("web", 2)
    made["spec"]["template"]["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "web"}},
        }
    ]
    return made


def _evict(name: str, item: str, status: int) -> Send:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": item}}
    return Send(name, "POST", f"{PODS.path(NS, item)}/eviction", body, (status,))


def _nodes(a: Answers, listing: str) -> list[str]:
    return sorted(text_at(one, "spec", "nodeName") for one in live(a[listing]))


def _counted(_: int, body: object) -> bool:
    """The budget knows its pods as they are now."""
    current = dig(body, "status", "observedGeneration") == dig(body, "metadata", "generation")
    healthy, wanted = (int(dig(body, "status", field)) for field in ("currentHealthy", "desiredHealthy"))
    return bool(current and dig(body, "status", "disruptionsAllowed") == healthy - wanted)


LESSON = Lesson(
    "drain",
    2,
    (
        Step(
            "before",
            (
                create("deployment", DEPLOYMENTS, _spread()),
                wait_all("placed", PODS, _WEB, all_ready(2)),
                Pick("moving", lambda a: name_of(live(a["placed"])[0])),
                Pick("node", lambda a: live(a["placed"])[0]["spec"]["nodeName"]),
                create("bare", PODS, pod("bare", None, nodeName="{node}")),
                wait("bare_ready", PODS, "bare", ready()),
            ),
            (
                Claim(
                    "same_node",
                    lambda a: a["bare_ready"]["spec"]["nodeName"] == a["node"],
                    ("node", "moving", "bare_ready.spec.nodeName"),
                ),
            ),
        ),
        Step(
            "cordon",
            (
                Send(
                    "cordoned",
                    "PATCH",
                    _NODE,
                    {"metadata": {"labels": {MARK: "{run}"}}, "spec": {"unschedulable": True}},
                    content_type=MERGE,
                    undo=_BACK,
                ),
                wait_all("unmoved", PODS, _WEB, all_ready(2)),
            ),
            (
                Claim(
                    "marked",
                    lambda a: a["cordoned"]["spec"]["unschedulable"] is True,
                    ("cordoned.spec.unschedulable",),
                ),
                Claim(
                    "nothing_moved",
                    lambda a: (
                        names(a["unmoved"]) == names(a["placed"]) != [] and _nodes(a, "unmoved") == _nodes(a, "placed")
                    ),
                    ("placed.items.0.metadata.name", "unmoved.items.0.metadata.name"),
                ),
            ),
        ),
        Step(
            "blocked",
            (
                create(
                    "budget",
                    PDBS,
                    {
                        "metadata": {"name": "web"},
                        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
                    },
                ),
                wait("strict", PDBS, "web", custom("budget_counted", _counted)),
                _evict("refused", "{moving}", 429),
            ),
            (
                Claim(
                    "too_many",
                    lambda a: (
                        a["strict"]["status"]["disruptionsAllowed"] == 0
                        and "disruption budget" in a["refused"]["message"]
                    ),
                    ("strict.status.disruptionsAllowed", "refused.message"),
                ),
            ),
        ),
        Step(
            "evict",
            (
                patch("relaxed", PDBS, "web", {"spec": {"minAvailable": 1}}),
                wait(
                    "allows",
                    PDBS,
                    "web",
                    custom(
                        "budget_counted", lambda s, b: _counted(s, b) and bool(b["status"]["disruptionsAllowed"] == 1)
                    ),
                ),
                _evict("evicted", "{moving}", 201),
                wait("left", PODS, "{moving}", gone()),
                wait_all("moved", PODS, _WEB, all_ready(2)),
                _evict("bare_evicted", "bare", 201),
                wait("bare_gone", PODS, "bare", gone()),
            ),
            (
                Claim(
                    "elsewhere",
                    lambda a: len(_nodes(a, "moved")) == 2 and a["node"] not in _nodes(a, "moved"),
                    ("node", "moved.items.0.spec.nodeName", "moved.items.1.spec.nodeName"),
                ),
                Claim("bare_is_lost", lambda a: a["bare_gone"]["code"] == 404, ("bare_gone.reason",)),
            ),
        ),
        Step(
            "uncordon",
            (
                Send("open", "PATCH", _NODE, UNCORDON, content_type=MERGE, undo=_BACK),
                hold_all("afterwards", PODS, _OURS, all_ready(2)),
            ),
            (
                Claim(
                    "open_again",
                    lambda a: (
                        a["open"]["kind"] == "Node"
                        and "unschedulable" not in a["open"]["spec"]
                        and names(a["afterwards"]) == names(a["moved"])
                        and a["node"] not in _nodes(a, "afterwards")
                    ),
                    (
                        "open.metadata.name",
                        "open.spec.unschedulable",
                        "afterwards.items.0.spec.nodeName",
                        "afterwards.items.1.spec.nodeName",
                    ),
                ),
            ),
        ),
    ),
    rows=("S54",),
    needs=("two_workers", "node_rights"),
    touches=("namespace", "node"),
)
