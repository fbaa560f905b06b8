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
    short = verdict.status is Status.OK and short_of_pods(entity.resource, entity.item)
    status = Status.WARN if short else verdict.status
    return State(status, word or _by_conditions(entity.item), age, verdict)


def short_of_pods(resource: Resource, item: Object) -> bool:
    """Whether it has fewer ready pods than it wants, whatever keeps them from it: that is told at the pods."""
    if resource not in _READY_OF or dig(item, "metadata", "deletionTimestamp"):
        return False
    ready, wanted = _pods(item, *_READY_OF[resource])
    return ready < wanted


def _pods(item: Object, ready: str, wanted: str) -> tuple[int, int]:
    """How many pods are ready, and how many there should be."""
    there, due = dig(item, "status", ready), dig(item, *wanted.split("."))
    default = 1 if wanted == "spec.replicas" else 0
    return there if isinstance(there, int) else 0, due if isinstance(due, int) else default


def _count(ready: str, wanted: str) -> Callable[[Object], str]:
    """`2/3`, as kubectl's READY column: of how many there should be, how many are ready."""

    def told(item: Object) -> str:
        there, due = _pods(item, ready, wanted)
        return f"{there}/{due}"

    return told


def _job(item: Object) -> str:
    done = next((c for c in ("Complete", "Failed", "Suspended") if condition(item, c).get("status") == "True"), "")
    return done or f"Running {dig(item, 'status', 'succeeded') or 0}/{_completions(item)}"


def _completions(item: Object) -> int:
    wanted = dig(item, "spec", "completions")
    return wanted if isinstance(wanted, int) and wanted else 1


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


_REPLICAS = ("readyReplicas", "spec.replicas")
# Where it stands how many pods are ready, and how many there should be.
_READY_OF: Mapping[Resource, tuple[str, str]] = {
    r.DEPLOYMENTS: _REPLICAS,
    r.REPLICASETS: _REPLICAS,
    r.COMPANIONREPLICASETS: _REPLICAS,
    r.REPLICATIONCONTROLLERS: _REPLICAS,
    r.STATEFULSETS: _REPLICAS,
    r.DAEMONSETS: ("numberReady", "status.desiredNumberScheduled"),
}
_WORDS: Mapping[Resource, Callable[[Object], str]] = {
    r.PODS: lambda item: Pod(item).status_word,
    **{resource: _count(*paths) for resource, paths in _READY_OF.items()},
    r.JOBS: _job,
    r.CRONJOBS: _cronjob,
    r.NODES: _node,
}
