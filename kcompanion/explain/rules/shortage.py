"""How many pods a controller lacks, and what it was told when it tried to make them."""

from __future__ import annotations

from dataclasses import dataclass

from kcompanion.explain.evidence import seen, told
from kcompanion.explain.lifting import finished
from kcompanion.model.fields import condition, dig, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import REPLICASETS
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

MAKERS = ("ReplicaSet", "CompanionReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job")
REFUSED = (*MAKERS, "Deployment")  # a Deployment passes on what its ReplicaSet was told
_SENTENCE = 240  # characters
_STOOD = ("SuccessfulCreate", "SuccessfulDelete")


@dataclass(frozen=True, slots=True)
class Shortage:
    """Pods there are and pods there should be."""

    have: int
    want: int

    @property
    def lacking(self) -> int:
        return max(0, self.want - self.have)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the API server answered the controller, and where that was read."""

    message: str
    evidence: Evidence


def about(item: Object) -> Ref:
    """The Ref of an object that carries its kind, as the engine hands it to rules."""
    return ref_of(item, text_at(item, "kind"))


def number(item: object, *path: str, default: int = 0) -> int:
    """The whole number at a path."""
    value = dig(item, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def short(words: str) -> str:
    """What somebody said, cut to the length of a sentence; the evidence has more of it."""
    told = " ".join(words.split())
    return told if len(told) <= _SENTENCE else f"{told[: _SENTENCE - 1]}…"


def shortage(item: Object) -> Shortage:
    """How many pods a controller of one of MAKERS has and wants."""
    kind = text_at(item, "kind")
    if dig(item, "metadata", "deletionTimestamp"):
        return Shortage(0, 0)
    if kind == "DaemonSet":
        wanted = number(item, "status", "desiredNumberScheduled")
        return Shortage(number(item, "status", "currentNumberScheduled", default=wanted), wanted)
    if kind == "Job":
        return _of_job(item)
    return Shortage(number(item, "status", "replicas"), number(item, "spec", "replicas", default=1))


def _of_job(item: Object) -> Shortage:
    ending = any(condition(item, word).get("status") == "True" for word in ("FailureTarget", "SuccessCriteriaMet"))
    if finished(item) or ending or dig(item, "spec", "suspend") is True:
        return Shortage(0, 0)
    done = number(item, "status", "succeeded")
    parallel = number(item, "spec", "parallelism", default=1)
    completions = dig(item, "spec", "completions")
    left = completions - done if isinstance(completions, int) else 0 if done else parallel
    return Shortage(number(item, "status", "active"), min(parallel, left))


def refusal(item: Object, world: World) -> Refusal | None:
    """Why the controller's last try to make a pod failed; None when it did not, or nothing tells of it any more.

    Raises:
        NotKnown: the events could not be read.
    """
    if text_at(item, "kind") == "Deployment" and _tells(item, world):
        return None
    failure = condition(item, "ReplicaFailure")
    if failure.get("status") == "True" and failure.get("reason") == "FailedCreate":
        words = text_at(failure, "message")
        since = text_at(failure, "lastTransitionTime")
        return Refusal(words, seen(about(item), "status.conditions[ReplicaFailure].message", words, since))
    if text_at(item, "kind") == "Deployment" or not shortage(item).lacking:
        return None
    events = world.events(about(item), text_at(item, "metadata", "uid"))
    last = next((e for e in reversed(events) if e.reason == "FailedCreate" or e.reason in _STOOD), None)
    return Refusal(last.message, told(last)) if last is not None and last.reason == "FailedCreate" else None


def _tells(deployment: Object, world: World) -> bool:
    """Whether its ReplicaSets can be read, so that the cause reaches the Deployment from them."""
    try:
        world.children(deployment, REPLICASETS)
    except NotKnown:
        return False
    return True


def refused(item: Object, world: World) -> Refusal | None:
    """The same, with unread events as None: the rule for a shortage without a reason names what is missing."""
    try:
        return refusal(item, world)
    except NotKnown:
        return None
