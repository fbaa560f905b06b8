"""Which pods go first when there are too many, and by which rule.

The order is that of ActivePodsWithRanks in pkg/controller/controller_utils.go, with the feature gates at their
defaults (PodDeletionCost and LogarithmicScaleDown on). Ages count by powers of two of their nanoseconds, and between
pods of about the same age the uid decides: that is meant as chance, so that it is not always one zone that suffers.

Rules 6 and 8 let different times in one power of two be decided by uid, but the same time by the rules that follow.
Strictly that is no order (three pods can make a circle), so there is no key to sort by; pairs are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cmp_to_key
from typing import Any

from kcompanion.reconcile.moments import MILLISECOND, SECOND, UNKNOWN
from kcompanion.reconcile.pod import Pod

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class Rule(StrEnum):
    """What told two pods apart; in the order in which they are asked."""

    UNASSIGNED = "unassigned"
    PHASE = "phase"
    NOT_READY = "notReady"
    COST = "deletionCost"
    CROWD = "crowdedNode"
    READY_TIME = "readyTime"
    READY_UID = "readyTimeAlike"
    RESTARTS = "restarts"
    SIDECAR_RESTARTS = "sidecarRestarts"
    AGE = "age"
    AGE_UID = "ageAlike"
    UID = "uid"  # alike in everything; the built-in controller leaves it to its way of sorting


_PLAIN = (Rule.UNASSIGNED, Rule.PHASE, Rule.NOT_READY, Rule.COST, Rule.CROWD)


@dataclass(frozen=True, slots=True)
class Standing:
    """A pod with what the rules ask about it; smaller goes first."""

    pod: Pod
    plain: tuple[int, int, int, int, int]
    crowd: int  # active pods of the same Deployment (or other owner) on its node
    ready_power: int  # ⌊log2⌋ of the nanoseconds it has been ready
    age_power: int
    now: int

    def value(self, rule: Rule) -> str | int | bool:
        """What a rule sees of this pod."""
        pod = self.pod
        values: dict[Rule, str | int | bool] = {
            Rule.UNASSIGNED: pod.node,
            Rule.PHASE: pod.phase,
            Rule.NOT_READY: pod.ready,
            Rule.COST: pod.deletion_cost,
            Rule.CROWD: self.crowd,
            Rule.READY_TIME: _seconds(pod.ready_since, self.now),
            Rule.RESTARTS: pod.restarts,
            Rule.SIDECAR_RESTARTS: pod.sidecar_restarts,
            Rule.AGE: _seconds(pod.created, self.now),
        }
        return values.get(rule, pod.uid)


@dataclass(frozen=True, slots=True)
class Victim:
    """A pod that has to go, and what set it apart from the first one that may stay (if any stays)."""

    pod: Pod
    rule: Rule | None = None
    value: str | int | bool = ""
    spared: str = ""
    spared_value: str | int | bool = ""

    def to_json(self) -> dict[str, Any]:
        named = {"pod": self.pod.name, "uid": self.pod.uid}
        if self.rule is None:
            return named
        told = {"rule": self.rule.value, "value": self.value, "spared": self.spared, "sparedValue": self.spared_value}
        return named | told


def ranked(pods: Iterable[Pod], related: Iterable[Pod], now: int) -> list[Standing]:
    """The pods, those that go first at the front.

    Args:
        pods: the active pods of the ReplicaSet.
        related: the pods that any ReplicaSet of the same owner selects; their number on a node makes pods there go
            first. Empty for a ReplicaSet that has no owner.
        now: from which ages are reckoned.
    """
    crowd = Counter(pod.node for pod in related if pod.active)
    return sorted((standing(pod, crowd[pod.node], now) for pod in pods), key=cmp_to_key(_compare))


def standing(pod: Pod, crowd: int, now: int) -> Standing:
    """What the rules see of a pod on whose node stand so many related ones."""
    plain = (bool(pod.node), _PHASES.get(pod.phase, 0), pod.ready, pod.deletion_cost, -crowd)
    return Standing(pod, plain, crowd, _power(pod.ready_since, now), _power(pod.created, now), now)


def victims(pods: Sequence[Pod], count: int, related: Iterable[Pod], now: int) -> tuple[Victim, ...]:
    """The `count` pods that have to go. If that is all of them there is nothing to choose."""
    if count >= len(pods):
        return tuple(Victim(pod) for pod in pods)
    order = ranked(pods, related, now)
    return tuple(_told(one, order[count:]) for one in order[:count])


def age_ratios(pods: Iterable[Pod], chosen: Iterable[Victim], now: int) -> tuple[int, ...]:
    """How much older than the youngest ready pod each ready victim is, as upstream measures it: in whole multiples.

    Ages are whole milliseconds. Without one to measure by (a clock that goes after, say) there is nothing to tell.
    """
    youngest = _age(max((pod.created for pod in pods if pod.ready), default=UNKNOWN), now)
    if youngest <= 0:
        return ()
    return tuple(
        _age(victim.pod.created, now) // youngest
        for victim in chosen
        if victim.pod.ready and victim.pod.created != UNKNOWN
    )


def deciding(one: Standing, other: Standing) -> tuple[Rule, bool]:
    """The first rule by which two pods differ, and whether it lets `one` go first."""
    if one.plain != other.plain:
        rule = next(r for r, a, b in zip(_PLAIN, one.plain, other.plain, strict=True) if a != b)
        return rule, one.plain < other.plain
    a, b = one.pod, other.pod
    if a.ready and a.ready_since != b.ready_since:
        return _by_time(one, other, a.ready_since, b.ready_since, one.ready_power - other.ready_power, _READY)
    if a.restarts != b.restarts:
        return Rule.RESTARTS, a.restarts > b.restarts
    if a.sidecar_restarts != b.sidecar_restarts:
        return Rule.SIDECAR_RESTARTS, a.sidecar_restarts > b.sidecar_restarts
    if a.created != b.created:
        return _by_time(one, other, a.created, b.created, one.age_power - other.age_power, _AGE)
    return Rule.UID, a.uid < b.uid


_READY = (Rule.READY_TIME, Rule.READY_UID)
_AGE = (Rule.AGE, Rule.AGE_UID)


def _by_time(
    one: Standing, other: Standing, mine: int, its: int, difference: int, rules: tuple[Rule, Rule]
) -> tuple[Rule, bool]:
    """An unknown time goes first, then the shorter one; within one power of two the uid decides."""
    if UNKNOWN in (mine, its):
        return rules[0], mine == UNKNOWN
    if difference:
        return rules[0], difference < 0
    return rules[1], one.pod.uid < other.pod.uid


def _compare(one: Standing, other: Standing) -> int:
    return -1 if deciding(one, other)[1] else 1


def _power(since: int, now: int) -> int:
    return (now - since).bit_length() - 1 if UNKNOWN < since < now else -1


def _age(created: int, now: int) -> int:
    return 0 if created == UNKNOWN else (now - created) // MILLISECOND


def _seconds(since: int, now: int) -> int | str:
    return "" if since == UNKNOWN else max(0, now - since) // SECOND


def _told(one: Standing, stay: Sequence[Standing]) -> Victim:
    """Set against the first that stays; in a circle, against the first that really ranks behind."""
    spared = next((other for other in stay if deciding(one, other)[1]), stay[0])
    rule, _ = deciding(one, spared)
    return Victim(one.pod, rule, one.value(rule), spared.pod.name, spared.value(rule))
