"""How an object in a tree is: its status, the word kubectl would print for it, and the causes found on it alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kcompanion.explain.judge import Verdict, judge_alone
from kcompanion.explain.pod import Pod
from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, text_at
from kcompanion.model.finding import Status
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import World
from kcompanion.ownership.owners import Entity

_BAD = frozenset({Status.WARN, Status.FAIL})


@dataclass(frozen=True)
class State:
    """`status` is None where only names and owners were read."""

    status: Status | None = None
    word: str = ""
    age: str = ""
    verdict: Verdict | None = None

    @property
    def bad(self) -> bool:
        return self.status in _BAD

    @property
    def code(self) -> str:
        """The code of the root cause."""
        return self.verdict.root.code if self.verdict and self.verdict.root else ""


def state_of(entity: Entity, world: World, known: Mapping[str, Verdict] | None = None) -> State:
    """How an object is by itself; what hangs below it has lines of its own.

    `known` are verdicts that were reached already, by subject.
    """
    seconds = world.since(entity.created)
    age = "" if seconds is None else human_age(seconds)
    if entity.bare:
        return State(age=age)
    verdict = (known or {}).get(entity.ref.subject) or judge_alone(entity.item, entity.ref.kind, world)
    word = _WORDS.get(entity.resource, _by_conditions)(entity.item)
    return State(verdict.status, word or _by_conditions(entity.item), age, verdict)


def _count(ready: str, wanted: str) -> Callable[[Object], str]:
    """`2/3`, as kubectl's READY column: of how many there should be, how many are ready."""

    def told(item: Object) -> str:
        return f"{dig(item, 'status', ready) or 0}/{_number(item, wanted)}"

    return told


def _number(item: Object, path: str) -> int:
    found = dig(item, *path.split("."))
    return found if isinstance(found, int) else (1 if path == "spec.replicas" else 0)


def _job(item: Object) -> str:
    done = next((c for c in ("Complete", "Failed", "Suspended") if condition(item, c).get("status") == "True"), "")
    return done or f"Running {dig(item, 'status', 'succeeded') or 0}/{_number(item, 'spec.completions') or 1}"


def _cronjob(item: Object) -> str:
    return "Suspended" if dig(item, "spec", "suspend") is True else text_at(item, "spec", "schedule")


def _node(item: Object) -> str:
    return "Ready" if condition(item, "Ready").get("status") == "True" else "NotReady"


def _by_conditions(item: Object) -> str:
    """The phase, or what the condition says that most kinds have."""
    if phase := text_at(item, "status", "phase"):
        return phase
    for word in ("Ready", "Available"):
        if held := condition(item, word).get("status"):
            return word if held == "True" else f"{word}={held}"
    return ""


_WORDS: Mapping[Resource, Callable[[Object], str]] = {
    r.PODS: lambda item: Pod(item).status_word,
    r.DEPLOYMENTS: _count("readyReplicas", "spec.replicas"),
    r.REPLICASETS: _count("readyReplicas", "spec.replicas"),
    r.COMPANIONREPLICASETS: _count("readyReplicas", "spec.replicas"),
    r.REPLICATIONCONTROLLERS: _count("readyReplicas", "spec.replicas"),
    r.STATEFULSETS: _count("readyReplicas", "spec.replicas"),
    r.DAEMONSETS: _count("numberReady", "status.desiredNumberScheduled"),
    r.JOBS: _job,
    r.CRONJOBS: _cronjob,
    r.NODES: _node,
}
