"""A whole control plane node is lost, the one that leads: what goes on, what moves, and what is only fewer."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.answers import Answers
from kcompanion.learn.conditions import custom, is_ready, ready
from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step, Wait
from kcompanion.learn.machines import LONG, SYSTEM, compared, holder, lease, power_off, power_on, written
from kcompanion.learn.verbs import NS
from kcompanion.model.fields import condition, maps_at, name_of, text_at
from kcompanion.model.resources import CONFIGMAPS, ENDPOINTSLICES, LEASES, NODES, PODS

_MANAGER = "kube-controller-manager"
_NODE = NODES.path(None, "{node}")
_SERVERS = ENDPOINTSLICES.path("default", "kubernetes")


def _addresses(body: object) -> list[str]:
    """Where the API servers say that they are."""
    return sorted(one["addresses"][0] for one in maps_at(body, "endpoints"))


def _internal(node: object) -> str:
    found = (text_at(a, "address") for a in maps_at(node, "status", "addresses") if a.get("type") == "InternalIP")
    return next(found)


def _state(node: object) -> str:
    return str(condition(node, "Ready").get("status"))


def _moved(status: int, body: Any, a: Answers) -> bool:  # noqa: ANN401 - JSON
    return status == 200 and holder(body) not in ("", a["node"])


def _whole_again(status: int, body: object, a: Answers) -> bool:
    return status == 200 and _addresses(body) == _addresses(a["servers"])


def _fewer(status: int, body: object, a: Answers) -> bool:
    return status == 200 and a["address"] not in _addresses(body) != []


LESSON = Lesson(
    "control-plane-loss",
    3,
    (
        Step(
            "before",
            (
                lease("leads", _MANAGER),
                Pick("node", lambda a: holder(a["leads"])),
                Send("victim", "GET", _NODE),
                Pick("address", lambda a: _internal(a["victim"])),
                Send("servers", "GET", _SERVERS),
            ),
            (
                Claim(
                    "all_work",
                    lambda a: len(_addresses(a["servers"])) >= 3 and a["address"] in _addresses(a["servers"]),
                    ("node", "address"),
                    lambda a: {
                        "count": len(_addresses(a["servers"])),
                        "addresses": ", ".join(_addresses(a["servers"])),
                    },
                ),
            ),
        ),
        Step(
            "off",
            (power_off("off", "{node}"), written("written", "meanwhile")),
            (
                Claim(
                    "goes_on",
                    lambda a: a["off"]["code"] == 0 and a["written"]["metadata"]["name"] == "meanwhile",
                    ("node", "written.metadata.resourceVersion"),
                ),
            ),
        ),
        Step(
            "moves",
            (
                Wait("next", LEASES.path(SYSTEM, _MANAGER), compared("another_leader", _moved), LONG),
                Wait("fewer", _SERVERS, compared("fewer_servers", _fewer), LONG),
                Wait(
                    "lost",
                    _NODE,
                    custom("node_unknown", lambda status, node: status == 200 and _state(node) == "Unknown"),
                    LONG,
                ),
            ),
            (
                Claim(
                    "leader_moved",
                    lambda a: (
                        a["node"] != holder(a["next"]) != ""
                        and a["next"]["spec"]["leaseTransitions"] > a["leads"]["spec"]["leaseTransitions"]
                    ),
                    ("leads.spec.holderIdentity", "next.spec.holderIdentity", "next.spec.leaseTransitions"),
                    lambda a: {"node": holder(a["next"])},
                ),
                Claim(
                    "taken_off",
                    lambda a: a["address"] not in _addresses(a["fewer"]) != [],
                    ("address",),
                    lambda a: {"addresses": ", ".join(_addresses(a["fewer"]))},
                ),
                Claim("node_lost", lambda a: _state(a["lost"]) == "Unknown", ("lost.metadata.name",)),
            ),
        ),
        Step(
            "back",
            (
                power_on("on", "{node}"),
                Wait(
                    "returned",
                    _NODE,
                    custom("node_ready", lambda status, node: status == 200 and _state(node) == "True"),
                    LONG,
                ),
                Wait("again", _SERVERS, compared("all_servers", _whole_again), LONG),
                Wait("member", PODS.path(SYSTEM, "etcd-{node}"), ready(), LONG),
                Pick("addresses", lambda a: _addresses(a["again"])),
                Wait("kept", CONFIGMAPS.path(NS, "meanwhile"), custom("there", lambda status, _: status == 200), LONG),
            ),
            (
                Claim(
                    "whole",
                    lambda a: (
                        _addresses(a["again"]) == _addresses(a["servers"])
                        and _state(a["returned"]) == "True"
                        and name_of(a["member"]) == f"etcd-{a['node']}"
                        and is_ready(a["member"])
                    ),
                    ("returned.metadata.name", "member.metadata.name", "addresses"),
                ),
                Claim(
                    "kept",
                    lambda a: (
                        name_of(a["kept"]) == "meanwhile"
                        and a["kept"]["metadata"]["uid"] == a["written"]["metadata"]["uid"]
                    ),
                    ("kept.metadata.uid",),
                ),
            ),
        ),
    ),
    rows=("S48", "S35"),
    needs=("kind", "ha"),
    touches=("namespace", "node_power", "control_plane"),
)
