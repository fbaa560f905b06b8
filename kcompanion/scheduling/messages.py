"""The scheduler's own words: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) …. preemption: …`, taken apart.

Written by FitError.Error in pkg/scheduler/framework/types.go; the reasons are the constants of its plugins, in the
wording of today and of older versions. Numbers are those of the failure taxonomy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEAD = re.compile(r"^0/(?P<nodes>\d+) nodes are available:?\s*")
# DRA's part of the same step adds its noise in front: "no new claims to deallocate, preemption: …"
_TAIL = re.compile(
    r"\.?\s+((no new claims to deallocate|still not schedulable),?\s*)?(preemption:\s*|$)", re.IGNORECASE
)
_REASON = re.compile(r"^(?P<count>\d+) (?P<text>.+)$", re.DOTALL)
_PARTS = re.compile(r", (?=\d+ )")

_PATTERNS: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (number, re.compile(pattern, re.IGNORECASE))
    for number, pattern in (
        (61, r"^insufficient |^too many pods"),
        (62, r"had (untolerated )?taint|taints that the pod didn't tolerate"),
        (64, r"scheduler-enforced node affinity"),
        (
            63,
            r"didn't match pod's node affinity|didn't match node selector|satisfy plugins? ?\(?s?\)? ?\[?nodeaffinity",
        ),
        (65, r"didn't match the requested (node name|hostname)"),
        (66, r"didn't have free ports"),
        (67, r"were unschedulable"),
        (68, r"had unknown conditions"),
        (71, r"existing pods.? anti-affinity"),
        (70, r"pod anti-affinity"),
        (69, r"pod affinity(/anti-affinity)?( rules)?"),
        (72, r"topology spread constraints"),
        (73, r"exceed max volume count|csi driver is not installed on the node"),
        (74, r"volume node affinity conflict|didn't match persistentvolume's node affinity"),
        (75, r"didn't find available persistent volumes to bind"),
        (76, r"enough free storage"),
        (77, r"bound to non-?existent (pv|persistentvolume)"),
        (78, r"unbound immediate persistentvolumeclaims"),
        (79, r'persistentvolumeclaim "[^"]*" (not found|is being deleted)|create the persistentvolumeclaim'),
        (80, r"no available volume zone"),
        (81, r"no available disk|readwriteoncepod"),
        (82, r"resourceclaim|resource claim|allocate all claims|device class|claims to deallocate"),
        (83, r"required features|unsatisfied requirements|declared features|node declared features"),
        (84, r"scheduling gates?"),
        (85, r'running (prebind plugin )?"volumebinding"|binding volumes'),
        (86, r"no nodes available to schedule pods"),
    )
)


@dataclass(frozen=True)
class Reason:
    """One reason with the number of nodes it holds for; 0 when it holds for the pod as such."""

    text: str
    count: int
    number: int  # of the taxonomy; 0 for a reason that is not known


@dataclass(frozen=True)
class Told:
    """What a message of the scheduler says. `nodes` is None when it does not tell how many there are."""

    nodes: int | None
    reasons: tuple[Reason, ...]
    preemption: str = ""  # what it says about making room

    def has(self, number: int) -> bool:
        return any(reason.number == number for reason in self.reasons)


def parse(message: str) -> Told:
    """The parts of a message of PodScheduled or FailedScheduling."""
    words = " ".join(message.split())
    head = _HEAD.match(words)
    rest = words[head.end() :] if head else words
    body, tail = _split(rest)
    parts = [part.strip().rstrip(".") for part in _PARTS.split(body)]
    if "no nodes available" in words.lower() or (head and head["nodes"] == "0"):
        return Told(0, (Reason(words, 0, 86),), tail)
    reasons = tuple(_reason(part) for part in parts if part)
    return Told(int(head["nodes"]) if head else None, reasons, tail)


def number_of(reason: str) -> int:
    """The taxonomy's number of a reason, 0 when it is none of those known."""
    return next((number for number, pattern in _PATTERNS if pattern.search(reason)), 0)


def _reason(part: str) -> Reason:
    counted = _REASON.match(part)
    if counted:
        return Reason(counted["text"], int(counted["count"]), number_of(counted["text"]))
    return Reason(part, 0, number_of(part))


def _split(rest: str) -> tuple[str, str]:
    cut = _TAIL.search(rest)
    return (rest[: cut.start()], rest[cut.end() :]) if cut else (rest, "")
