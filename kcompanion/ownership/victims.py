"""Which pods a ReplicaSet deletes first when it has too many.

The order is that of ActivePodsWithRanks in pkg/controller/controller_utils.go, with the feature gates at their
defaults (PodDeletionCost and LogarithmicScaleDown on): ages count by powers of two, and between equals the uid decides.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cmp_to_key

from kcompanion.model.fields import annotations_of, condition, maps_at, text_at
from kcompanion.model.snapshot import Object
from kcompanion.model.times import parse_time

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def first_deleted(pods: Sequence[Object], count: int, related: Sequence[Object], now: datetime) -> list[Object]:
    """The pods that go when `count` of them are too many.

    Args:
        pods: the active pods of the ReplicaSet.
        count: how many are too many.
        related: the active pods of all ReplicaSets of the same owner; their number on a node makes pods there go first.
        now: from which ages are reckoned.
    """
    crowd = Counter(text_at(pod, "spec", "nodeName") for pod in related)

    def compare(one: Object, other: Object) -> int:
        return _compare(one, other, crowd, now)

    return sorted(pods, key=cmp_to_key(compare))[:count]


def _compare(one: Object, other: Object, crowd: Counter[str], now: datetime) -> int:
    """Below zero when `one` goes before `other`."""
    for value in _VALUES:
        if (first := value(one)) != (second := value(other)):
            return -1 if first < second else 1
    here, there = (crowd[text_at(pod, "spec", "nodeName")] for pod in (one, other))
    if here != there:
        return -1 if here > there else 1
    if _ready(one) and (told := _by_age(one, other, _ready_since, now)) is not None:
        return told
    if (first_restarts := _restarts(one)) != (second_restarts := _restarts(other)):
        return -1 if first_restarts > second_restarts else 1
    return _by_age(one, other, _created, now) or 0


def _by_age(one: Object, other: Object, time: Callable[[Object], str], now: datetime) -> int | None:
    """The younger one first, ages compared by powers of two; None when both times are the same."""
    times = [parse_time(time(pod)) for pod in (one, other)]
    if times[0] == times[1]:
        return None
    if times[0] is None or times[1] is None:
        return -1 if times[0] is None else 1
    difference = _rank(times[0], now) - _rank(times[1], now)
    if difference == 0:
        first, second = (text_at(pod, "metadata", "uid") for pod in (one, other))
        return -1 if first < second else 1
    return difference


def _rank(moment: datetime, now: datetime) -> int:
    age = (now - moment).total_seconds() * 1e9  # nanoseconds, as Go's durations
    return int(math.log2(age)) if age > 0 else -1


def _ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def _ready_since(pod: Object) -> str:
    return text_at(condition(pod, "Ready"), "lastTransitionTime")


def _created(pod: Object) -> str:
    return text_at(pod, "metadata", "creationTimestamp")


def _cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(_COST, 0))
    except (TypeError, ValueError):
        return 0


def _restarts(pod: Object) -> int:
    return max((_count(status) for status in maps_at(pod, "status", "containerStatuses")), default=0)


def _count(status: object) -> int:
    found = status.get("restartCount") if isinstance(status, dict) else 0
    return found if isinstance(found, int) else 0


# Smaller goes first.
_VALUES: tuple[Callable[[Object], int], ...] = (
    lambda pod: bool(text_at(pod, "spec", "nodeName")),
    lambda pod: _PHASES.get(text_at(pod, "status", "phase"), 0),
    _ready,
    _cost,
)
