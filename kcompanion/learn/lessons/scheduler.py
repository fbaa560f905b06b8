"""What binding is: a pod that waits for another scheduler, bound by hand; and one that fits nowhere."""

from __future__ import annotations

from kcompanion.learn.conditions import custom, has_condition, ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.objects import pod
from kcompanion.learn.verbs import NS, create, hold, wait
from kcompanion.model.fields import condition, dig, maps_at, text_at
from kcompanion.model.resources import NODES, PODS

_BINDING = {
    "apiVersion": "v1",
    "kind": "Binding",
    "metadata": {"name": "patient"},
    "target": {"apiVersion": "v1", "kind": "Node", "name": "{node}"},
}


def _free(node: object) -> bool:
    """Whether a pod without tolerations may run there."""
    taints = [taint for taint in maps_at(node, "spec", "taints") if taint.get("effect") != "PreferNoSchedule"]
    return condition(node, "Ready").get("status") == "True" and not taints and not dig(node, "spec", "unschedulable")


def _bind(name: str, status: int) -> Send:
    return Send(name, "POST", f"{PODS.path(NS, 'patient')}/binding", _BINDING, (status,))


LESSON = Lesson(
    "scheduler",
    1,
    (
        Step(
            "wait",
            (
                create("made", PODS, pod("patient", None, schedulerName="nobody")),
                hold("waiting", PODS, "patient", custom("unbound", lambda _, p: not dig(p, "spec", "nodeName"))),
            ),
            (
                Claim(
                    "pending",
                    lambda a: (
                        a["waiting"]["status"]["phase"] == "Pending" and not dig(a["waiting"], "spec", "nodeName")
                    ),
                    ("waiting.spec.schedulerName", "waiting.status.phase", "waiting.spec.nodeName"),
                ),
                Claim(
                    "nobody_looked",
                    lambda a: (
                        a["waiting"]["status"]["phase"] == "Pending" and not condition(a["waiting"], "PodScheduled")
                    ),
                    ("waiting.status.conditions",),
                ),
            ),
        ),
        Step(
            "bind",
            (
                Send("nodes", "GET", NODES.path()),
                Pick("node", lambda a: next(text_at(n, "metadata", "name") for n in a["nodes"]["items"] if _free(n))),
                _bind("bound", 201),
                wait("running", PODS, "patient", ready()),
            ),
            (
                Claim(
                    "where_we_said",
                    lambda a: a["running"]["spec"]["nodeName"] == a["node"],
                    ("node", "running.spec.nodeName"),
                    lambda a: {"node": a["node"]},
                ),
                Claim(
                    "kubelet_started_it",
                    lambda a: a["running"]["status"]["phase"] == "Running",
                    ("running.status.phase", "running.status.hostIP"),
                ),
            ),
        ),
        Step(
            "again",
            (_bind("rebound", 409),),
            (Claim("once", lambda a: a["rebound"]["reason"] == "Conflict", ("rebound.message",)),),
        ),
        Step(
            "nowhere",
            (
                create("picky", PODS, pod("picky", None, nodeSelector={"kcompanion.dev/no-such-label": "true"})),
                wait("unplaced", PODS, "picky", has_condition("PodScheduled", "False", "Unschedulable")),
            ),
            (
                Claim(
                    "told_why",
                    lambda a: "nodes are available" in condition(a["unplaced"], "PodScheduled")["message"],
                    ("unplaced.status.conditions.0.reason", "unplaced.status.conditions.0.message"),
                ),
            ),
        ),
    ),
    rows=("S43", "S18"),
    needs=("nodes",),
)
