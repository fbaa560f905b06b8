"""A claim whose recorded answer is altered is not held: it checks what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kcompanion.learn.lessons import BY_ID
from kcompanion.learn.perform import perform
from kcompanion.learn.protocol import read
from kcompanion.learn.replay import Replay
from tests.learn.casting import Silent, document

Change = Callable[[dict[str, Any]], Any]


def second_keeps_both(body: dict[str, Any]) -> None:
    for one in body["items"]:
        annotations = one["spec"]["template"]["metadata"].get("annotations") or {}
        one["spec"]["replicas"] = 2 if annotations.get("version") == "2" else 0


def third_is_short(body: dict[str, Any]) -> None:
    for one in body["items"]:
        one["spec"]["replicas"] = min(one["spec"]["replicas"], 1)


ALTERED: tuple[tuple[str, str, str, Change], ...] = (
    ("rollout", "rolled_on", "three_sets", second_keeps_both),
    ("rollout", "rolled_on", "three_sets", third_is_short),
    ("rollout", "nothing_rolls", "waiting", lambda body: body["spec"]["template"]["metadata"].pop("annotations")),
    ("rollout", "nothing_rolls", "still", third_is_short),
    ("services", "only_one", "relabelled", lambda body: body["status"].update(phase="Failed")),
    (
        "services",
        "only_one",
        "relabelled",
        lambda body: body["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"),
    ),
)


@pytest.mark.parametrize(
    ("lesson", "claim", "name", "change"), ALTERED, ids=[f"{n}-{one[1]}" for n, one in enumerate(ALTERED)]
)
def test_an_altered_answer_is_told(lesson: str, claim: str, name: str, change: Change) -> None:
    altered = document(BY_ID[lesson])
    [act] = [act for step in altered["steps"] for act in step["acts"] if act["name"] == name]
    change(act["answer"]["body"])
    shipped = read(altered)
    run = perform(BY_ID[lesson], shipped.setting, Replay(shipped), Silent())
    assert run.failure is None
    assert claim in [one.id for step in run.steps for one in step.claims if not one.held]
