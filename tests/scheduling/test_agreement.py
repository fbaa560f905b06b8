"""What is recomputed agrees with the scheduler's own words, in every recorded case with a pod that found no node."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster import recording
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, name_of, namespace_of, text_at
from kcompanion.model.world import World
from kcompanion.scheduling.messages import Told, parse
from kcompanion.scheduling.placement import Placement, Verdict, place
from kcompanion.scheduling.result import Miss
from tests.explain.casebook import CASES

RECORDED = sorted(CASES.glob("*/*.kcr"))


def unplaced(world: World) -> Iterator[dict[str, Any]]:
    seen = set()
    for reading in world.snapshot.readings.values():
        if reading.ask.resource != r.PODS:
            continue
        for pod in reading.body if isinstance(reading.body, list) else [reading.body]:
            key = (namespace_of(pod), name_of(pod))
            if key not in seen and text_at(condition(pod, "PodScheduled"), "reason") == "Unschedulable":
                seen.add(key)
                yield pod


def first_answer(verdict: Verdict) -> list[Miss]:
    """What the scheduler says of a node: the misses of the first plugin that refuses it."""
    return next((list(result.misses) for result in verdict.results if result.misses), [])


def histogram(verdicts: tuple[Verdict, ...]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for verdict in verdicts:
        misses = first_answer(verdict)
        # one reason for each resource that lacks, one for a plugin otherwise
        counts.update([miss.number for miss in misses] if misses and misses[0].number == 61 else [misses[0].number])
    return counts


def comparable(file: Path) -> Iterator[tuple[Told, Placement]]:
    """The scheduler's words beside what is recomputed, where all of it was recorded and no node has changed since."""
    world = World(recording.load(file))
    for pod in unplaced(world):
        told = parse(text_at(condition(pod, "PodScheduled"), "message"))
        placement = place(pod, world)
        if len(placement.refusing) == told.nodes and told.reasons:
            yield told, placement


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.parent.name)
def test_recomputed_as_the_scheduler_said(file: Path) -> None:
    for told, placement in comparable(file):
        if told.reasons[0].count:
            counted: Counter[int] = Counter()
            for reason in told.reasons:
                counted[reason.number] += reason.count
            assert histogram(placement.verdicts) == counted, told
        else:
            assert told.reasons[0].number in {miss.number for miss in placement.verdicts[0].misses if miss.whole}


def test_enough_could_be_compared() -> None:
    numbers = {reason.number for file in RECORDED for told, _ in comparable(file) for reason in told.reasons}
    assert numbers >= {61, 62, 63, 66, 69, 70, 71, 72, 78, 79}
