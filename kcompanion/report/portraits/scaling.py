"""A HorizontalPodAutoscaler: its target, current and desired counts, the arithmetic, and the last decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.model.fields import condition, dig, map_at, maps_at, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.resources import KNOWN
from kcompanion.report.document import Cell, Section
from kcompanion.report.portraits import common, events, owners
from kcompanion.report.portraits.common import count_at
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson

_SOURCES = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def target(sight: Sight) -> Iterator[Fact]:
    """What it scales, and between which counts."""
    named = map_at(sight.item, "spec", "scaleTargetRef")
    kind, name = text_at(named, "kind"), text_at(named, "name")
    group = text_at(named, "apiVersion").rpartition("/")[0]
    resource = next((one for one in KNOWN if (one.group, one.kind) == (group, kind)), None)
    there = True if resource is None else sight.world.get(resource, name, sight.space) is not None
    yield label("target"), f"{kind} {name}" if there else owners.gone(f"{kind} {name}")


def counts(sight: Sight) -> Iterator[Fact]:
    """Current, desired, and the bounds."""
    item = sight.item
    least = dig(item, "spec", "minReplicas")
    wanted = count_at(item, "status", "desiredReplicas")
    # one that could not compute anything has 0 there, and asks for no pod to go
    computed = wanted or condition(item, "ScalingActive").get("status") == "True"
    yield (
        label("replicas"),
        say(
            f"portrait.hpa.counts{'' if computed else '_unknown'}",
            current=count_at(item, "status", "currentReplicas"),
            desired=wanted,
            least=least if isinstance(least, int) else 1,
            most=count_at(item, "spec", "maxReplicas"),
        ),
    )
    last = dig(item, "status", "lastScaleTime")
    yield label("last_scale"), say("portrait.ago", age=sight.age(last)) if last else say("portrait.never")


def decision(sight: Sight) -> Iterator[Fact]:
    """What the controller decided last, in the words of its conditions."""
    active, limited = condition(sight.item, "ScalingActive"), condition(sight.item, "ScalingLimited")
    able = condition(sight.item, "AbleToScale")
    told = active if active.get("status") == "False" else limited if limited.get("status") == "True" else able
    if told:
        reason, message = text_at(told, "reason"), " ".join(text_at(told, "message").split())
        yield label("decision"), f"{reason}: {message}" if reason else message


def metrics(sight: Sight) -> Iterator[Section]:
    """Each metric: what is measured, what is wanted, and the count that follows from it."""
    measured = {_key(one): one for one in maps_at(sight.item, "status", "currentMetrics")}
    current = count_at(sight.item, "status", "currentReplicas")
    rows: list[tuple[Cell, ...]] = []
    for wish in maps_at(sight.item, "spec", "metrics"):
        key = _key(wish)
        goal = map_at(wish, _SOURCES.get(key[0], ""), "target")
        now = map_at(measured.get(key, {}), _SOURCES.get(key[0], ""), "current")
        rows.append((" ".join(part for part in key if part), _value(now), _value(goal), _sum(now, goal, current)))
    yield from common.bounded(sight, "metrics", "METRIC MEASURED WANTED SO", rows)


def _key(metric: Mapping[str, Any]) -> tuple[str, str, str]:
    kind = text_at(metric, "type")
    body = map_at(metric, _SOURCES.get(kind, ""))
    return kind, text_at(body, "name") or text_at(body, "metric", "name"), text_at(body, "container")


def _value(side: Mapping[str, Any]) -> Cell:
    if "averageUtilization" in side:
        return f"{side['averageUtilization']}%"
    return text_at(side, "averageValue") or text_at(side, "value") or None


def _sum(now: Mapping[str, Any], goal: Mapping[str, Any], current: int) -> Cell:
    """`ceil(3 × 90 / 50) = 6`: the documented formula, where both sides are per cent."""
    have, want = now.get("averageUtilization"), goal.get("averageUtilization")
    if not (isinstance(have, int) and isinstance(want, int) and want and current):
        return say("portrait.hpa.unmeasured") if not now else None
    return _formula(current, have, want)


def _formula(current: int, have: int, want: int) -> Message:
    result = -(-current * have // want)
    # 10 % is --horizontal-pod-autoscaler-tolerance's default
    near = abs(have / want - 1) <= 0.1
    return say(
        f"portrait.hpa.{'near' if near else 'formula'}",
        current=current,
        have=have,
        want=want,
        **({} if near else {"result": result}),
    )


def _undecided(sight: Sight) -> bool:
    return any(condition(sight.item, word).get("status") != "True" for word in ("ScalingActive", "AbleToScale"))


HPA: tuple[Part, ...] = (
    facts(target, counts, decision, common.created, common.deletion),
    metrics,
    common.only_whole(common.conditions),
    common.when(_undecided, events.recent),
    lesson("hpa", 2),
)
