"""Reading less never makes a verdict better, and nothing odd in the answers stops it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.controlplane import asks
from kcompanion.controlplane.components import KINDS
from kcompanion.controlplane.findings import findings
from kcompanion.controlplane.inspect import ControlPlane, inspect
from kcompanion.model.ask import Ask, Outcome, Reading, Verb
from kcompanion.model.finding import Status
from kcompanion.model.snapshot import Snapshot
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report.controlplane import VIEWS, document
from tests.controlplane.build import EVERYTHING, cluster, recorded, snap

RECORDINGS = ("three-nodes", "ha", "ha-one-down", "minikube", "eks", "k3s")
GAPS = [o for o in Outcome if o not in (Outcome.OK, Outcome.ABSENT)]
Damage = tuple[Outcome, bool, float]  # how it ended, whether it is old, how much of a list had come

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def held(name: str) -> Snapshot:
    return recorded(name)


@cache
def before(name: str) -> ControlPlane:
    return inspect(held(name))


def gap(reading: Reading, outcome: Outcome, share: float) -> Reading:
    """The same question without its answer; a list may have come in part."""
    body = reading.body[: int(len(reading.body) * share)] if isinstance(reading.body, list) and share else None
    return replace(reading, outcome=outcome, status=0, body=body, peer=None)


def with_gaps(snapshot: Snapshot, damage: dict[int, Damage]) -> Snapshot:
    readings = dict(snapshot.readings)
    for index, (outcome, old, share) in damage.items():
        key = sorted(readings)[index % len(readings)]
        readings[key] = replace(readings[key], stale=True) if old else gap(readings[key], outcome, share)
    return replace(snapshot, readings=readings)


def statuses(plane: ControlPlane) -> dict[tuple[str, str], Status]:
    """Of every component and every instance."""
    found = {(c.name, ""): c.status for c in plane.components}
    return found | {(c.name, i.node): i.health.status for c in plane.components for i in c.instances}


damages = st.dictionaries(
    st.integers(0, 40),
    st.tuples(st.sampled_from(GAPS), st.booleans(), st.sampled_from([0.0, 0.0, 0.5])),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("name", RECORDINGS)
@few
@given(damage=damages)
def test_reading_less_never_makes_anything_better(name: str, damage: dict[int, Damage]) -> None:
    snapshot = with_gaps(held(name), damage)
    plane = inspect(snapshot)
    known = statuses(before(name))
    for what, status in statuses(plane).items():
        if status is Status.OK:
            assert known.get(what, Status.OK) is Status.OK, what
    if before(name).status is not Status.OK:
        assert plane.status is not Status.OK
    assert json.dumps(plane.to_json())
    findings(plane)


@pytest.mark.parametrize("outcome", GAPS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_with_nothing_read_nothing_is_claimed(name: str, outcome: Outcome) -> None:
    snapshot = held(name)
    plane = inspect(replace(snapshot, readings={k: gap(r, outcome, 0) for k, r in snapshot.readings.items()}))
    assert {c.status for c in plane.components} == {Status.UNKNOWN}
    assert findings(plane) == ()
    assert (plane.hosted, plane.services, plane.made.name) == (False, False, "")


NEEDED = (
    asks.PODS,
    asks.NODES,
    asks.LEASES,
    asks.HEARTBEATS,
    asks.READYZ,
    asks.DAEMONSETS,
    asks.API_ENDPOINTS,
)


@pytest.mark.parametrize("ask", NEEDED, ids=lambda ask: str(ask.key))
def test_the_exit_code_is_5_when_something_needed_is_missing(ask: Ask, tmp_path: Path) -> None:
    made = snap(cluster("a", "b", "c"), outcomes={ask: Outcome.FORBIDDEN})
    made = replace(made, readings={**made.readings, ask.key: gap(made.readings[ask.key], Outcome.FORBIDDEN, 0)})
    recording.save(made, tmp_path / "x.kcr")
    assert run(["controlplane", "--from", str(tmp_path / "x.kcr"), "-o", "name"]) == 5


@pytest.mark.parametrize(
    "ask",
    [ask for ask in EVERYTHING if ask not in NEEDED and ask.verb is not Verb.LOCAL],
    ids=lambda ask: str(ask.key),
)
def test_and_0_when_it_only_tells_more(ask: Ask, tmp_path: Path) -> None:
    made = snap(cluster("a", "b", "c"))
    made = replace(made, readings={**made.readings, ask.key: gap(made.readings[ask.key], Outcome.FORBIDDEN, 0)})
    recording.save(made, tmp_path / "x.kcr")
    assert run(["controlplane", "--from", str(tmp_path / "x.kcr"), "-o", "name"]) == 0


@pytest.mark.parametrize("name", ["eks", "k3s"])
def test_a_control_plane_out_of_sight_is_no_gap(name: str, tmp_path: Path) -> None:
    recording.save(held(name), tmp_path / "x.kcr")
    assert run(["controlplane", "--from", str(tmp_path / "x.kcr"), "-o", "name"]) == 0


ODD: tuple[Any, ...] = (None, 0, -1, True, 1.5, "", "odd", "\u202e\x1b[31m", [], {}, [None], [[]], {"a": {}}, ["x", 3])


def spot(body: Any, random: Random) -> tuple[Any, Any] | None:
    """A container and a key in it, anywhere below."""
    holder: Any = None
    at: Any = None
    while isinstance(body, dict | list) and body and (holder is None or random.random() < 0.85):
        holder, at = body, random.choice(list(body)) if isinstance(body, dict) else random.randrange(len(body))
        body = holder[at]
    return None if holder is None else (holder, at)


def damaged(snapshot: Snapshot, random: Random, count: int) -> Snapshot:
    readings = dict(snapshot.readings)
    for key in random.sample(sorted(readings), min(5, len(readings))):
        body = json.loads(json.dumps(readings[key].body))
        for _ in range(count):
            found = spot(body, random)
            if found is None:
                break
            holder, at = found
            if random.random() < 0.3:
                del holder[at]
            else:
                holder[at] = json.loads(json.dumps(random.choice(ODD)))
        readings[key] = replace(readings[key], body=body)
    return replace(snapshot, readings=readings)


@pytest.mark.parametrize("name", RECORDINGS)
@few
@given(random=st.randoms(use_true_random=False), count=st.integers(1, 40))
def test_damaged_objects_raise_nothing(name: str, random: Random, count: int) -> None:
    snapshot = damaged(held(name), random, count)
    plane = inspect(snapshot)
    found = findings(plane)
    assert json.dumps(plane.to_json())
    view = random.choice(VIEWS)
    assert render(document(plane, snapshot, found, snapshot.gaps(EVERYTHING), view=view), Screen())


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("ask", EVERYTHING, ids=lambda ask: str(ask.key))
def test_an_answer_of_the_wrong_type_raises_nothing(ask: Ask, odd: Any) -> None:
    plane = inspect(snap({**cluster("a"), ask: odd}))
    assert json.dumps(plane.to_json())
    assert len(findings(plane)) >= 0


def test_the_same_answers_give_the_same_bytes() -> None:
    first, second = (json.dumps(inspect(recorded("ha-one-down")).to_json(), sort_keys=True) for _ in range(2))
    assert first == second


def test_components_come_in_one_order() -> None:
    assert [c.name for c in before("ha").components] == [kind.name for kind in KINDS]
