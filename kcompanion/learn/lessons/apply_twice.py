"""Imperative and declarative: create twice, apply twice, and who owns a field."""

from __future__ import annotations

from typing import Any

from kcompanion.learn.lesson import Claim, Lesson, Pick, Send, Step
from kcompanion.learn.verbs import apply, create
from kcompanion.model.fields import dig, maps_at, text_at
from kcompanion.model.resources import CONFIGMAPS


def _map(**data: str) -> dict[str, Any]:
    return {"metadata": {"name": "settings"}, "data": data}


def _apply(name: str, manager: str, status: int = 200, *, force: bool = False, **data: str) -> Send:
    return apply(name, CONFIGMAPS, "settings", _map(**data), manager=manager, force=force, status=status)


def _managers(item: object, *field: str) -> list[str]:
    """Who owns the field, or anything at all."""
    entries = maps_at(item, "metadata", "managedFields")
    return sorted({text_at(one, "manager") for one in entries if dig(one, "fieldsV1", *field) is not None})


LESSON = Lesson(
    "apply-twice",
    1,
    (
        Step(
            "imperative",
            (
                create("created", CONFIGMAPS, {"metadata": {"name": "once"}, "data": {"color": "red"}}),
                create("again", CONFIGMAPS, {"metadata": {"name": "once"}, "data": {"color": "red"}}, 409),
            ),
            (Claim("only_once", lambda a: a["again"]["reason"] == "AlreadyExists", ("again.reason",)),),
        ),
        Step(
            "declarative",
            (
                _apply("first", "ann", 201, color="red", size="small"),
                _apply("second", "ann", color="red", size="small"),
            ),
            (
                Claim(
                    "no_change",
                    lambda a: a["first"]["metadata"]["resourceVersion"] == a["second"]["metadata"]["resourceVersion"],
                    ("first.metadata.resourceVersion", "second.metadata.resourceVersion"),
                ),
            ),
        ),
        Step(
            "conflict",
            (_apply("refused", "bob", 409, color="blue"),),
            (
                Claim(
                    "owner_named",
                    lambda a: '"ann"' in a["refused"]["message"] and ".data.color" in a["refused"]["message"],
                    ("refused.message",),
                ),
            ),
        ),
        Step(
            "force",
            (_apply("forced", "bob", force=True, color="blue"),),
            (
                Claim(
                    "taken",
                    lambda a: (
                        a["forced"]["data"] == {"color": "blue", "size": "small"}
                        and _managers(a["forced"]) == ["ann", "bob"]
                    ),
                    (
                        "forced.data",
                        "forced.metadata.managedFields.0.manager",
                        "forced.metadata.managedFields.1.manager",
                    ),
                ),
            ),
        ),
        Step(
            "leave_out",
            (
                _apply("left_out", "ann", color="blue"),
                Pick("owners", lambda a: _managers(a["left_out"], "f:data", "f:color")),
            ),
            (
                Claim(
                    "removed",
                    lambda a: a["left_out"]["data"] == {"color": "blue"} and a["owners"] == ["ann", "bob"],
                    ("left_out.data", "owners"),
                ),
            ),
        ),
    ),
    rows=("S52",),
)
