"""Namespaces: one name twice, kinds without a namespace, and what goes with one."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.conditions import gone
from kcompanion.learn.lesson import Claim, Lesson, Send, Step, Wait
from kcompanion.learn.verbs import NS, create, read, removal
from kcompanion.model.fields import dig, maps_at, text_at
from kcompanion.model.resources import CONFIGMAPS, NAMESPACES, NODES

_OTHER = NS + "-b"


def _map(color: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"color": color}}


def _takes_nothing(refusal: object) -> bool:
    """Refused because the namespace ends, or has ended meanwhile; a lack of rights is a 403 too."""
    if dig(refusal, "code") == 404:
        return text_at(refusal, "details", "kind") == NAMESPACES.plural
    return any(one.get("reason") == "NamespaceTerminating" for one in maps_at(refusal, "details", "causes"))


LESSON = Lesson(
    "namespaces",
    1,
    (
        Step(
            "twice",
            (
                Send(
                    "other",
                    "POST",
                    NAMESPACES.path(),
                    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _OTHER}},
                    (201,),
                    undo=removal(NAMESPACES.path(None, _OTHER)),
                ),
                create("red", CONFIGMAPS, _map("red")),
                create("same", CONFIGMAPS, _map("green"), 409),
                Send(
                    "blue",
                    "POST",
                    CONFIGMAPS.path(_OTHER),
                    _map("blue"),
                    (201,),
                    undo=removal(CONFIGMAPS.path(_OTHER, "settings")),
                ),
                read("still_red", CONFIGMAPS, "settings"),
            ),
            (
                Claim("taken", lambda a: a["same"]["reason"] == "AlreadyExists", ("same.reason",)),
                Claim(
                    "two_objects",
                    lambda a: (
                        a["still_red"]["data"]["color"] == "red"
                        and a["blue"]["data"]["color"] == "blue"
                        and a["red"]["metadata"]["uid"] != a["blue"]["metadata"]["uid"]
                    ),
                    ("red.metadata.uid", "blue.metadata.uid", "still_red.data.color", "blue.data.color"),
                ),
            ),
        ),
        Step(
            "without",
            (
                Send("resources", "GET", "/api/v1"),
                Send("no_nodes", "GET", f"/api/v1/namespaces/{NS}/nodes", status=(404,)),
            ),
            (
                Claim(
                    "cluster_wide",
                    lambda a: {r["name"]: r["namespaced"] for r in a["resources"]["resources"]}[NODES.plural] is False,
                    ("no_nodes.reason",),
                    lambda a: {
                        "names": ", ".join(
                            sorted(
                                r["name"]
                                for r in a["resources"]["resources"]
                                if not r["namespaced"] and "/" not in r["name"]
                            )
                        )
                    },
                ),
            ),
        ),
        Step(
            "delete",
            (
                Send("deleted", "DELETE", NAMESPACES.path(None, _OTHER), undo=removal(NAMESPACES.path(None, _OTHER))),
                Send(
                    "late",
                    "POST",
                    CONFIGMAPS.path(_OTHER),
                    {**_map("late"), "metadata": {"name": "late"}},
                    (403, 404),
                    undo=removal(NAMESPACES.path(None, _OTHER)),
                ),
                Wait("vanished", NAMESPACES.path(None, _OTHER), gone(), 90.0),
                Send("with_it", "GET", CONFIGMAPS.path(_OTHER, "settings"), status=(404,)),
                read("survives", CONFIGMAPS, "settings"),
            ),
            (
                Claim(
                    "terminating",
                    lambda a: a["deleted"]["status"]["phase"] == "Terminating" and _takes_nothing(a["late"]),
                    ("deleted.status.phase", "late.message"),
                ),
                Claim("all_gone", lambda a: a["with_it"]["code"] == 404, ("with_it.reason",)),
                Claim("ours_stays", lambda a: a["survives"]["data"]["color"] == "red", ("survives.data.color",)),
            ),
        ),
    ),
    rows=("S14", "S53"),
    needs=("own_namespace",),
    touches=("namespace", "second_namespace"),
)
