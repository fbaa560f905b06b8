"""Whatever an object holds, judging it ends: odd objects make at most fewer findings, never a crash."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcompanion.explain.judge import BROKEN_RULE
from kcompanion.explain.sweep import sweep
from kcompanion.model.ask import Reading
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from tests.explain.casebook import CASES, verdicts, world_of

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "\x1b[31m</script>|", -1, 0, 1e308, True, [], {}, [None], [[]], ["x"], {"x": None}]
)


@cache
def snapshot(file: Path) -> Snapshot:
    return world_of(file).snapshot


FILES = sorted(file for file in CASES.rglob("positive*.*"))


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value below a node."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(node: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        node = node[key]
    if isinstance(node, dict) and not isinstance(path[-1], str):
        raise TypeError("JSON has no such key")
    node[path[-1]] = value


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_rule_breaks_on_an_odd_object(data: st.DataObject) -> None:
    whole = snapshot(data.draw(st.sampled_from(FILES)))
    bodies = [r for r in whole.readings.values() if r.ask.resource is not None and r.body]
    reading = data.draw(st.sampled_from(sorted(bodies, key=lambda r: r.ask.key)))
    body = copy.deepcopy(reading.body)
    spots = list(places(body))
    for _ in range(data.draw(st.integers(1, 4))):
        spot = data.draw(st.sampled_from(spots))
        try:
            changed(body, spot, copy.deepcopy(data.draw(ODD)))
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took the place away
    odd = Reading(reading.ask, reading.outcome, reading.status, body=body)
    world = World(Snapshot(whole.now, whole.origin, {**whole.readings, reading.ask.key: odd}))
    broken = [f for verdict in verdicts(world) for f in verdict.findings if f.code == BROKEN_RULE]
    assert [(f.evidence[0].path, f.evidence[0].value) for f in broken] == []
    sweep(world)
