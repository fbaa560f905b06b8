"""When an object of an exercise does what it is there for, by kind. A deleted one does nothing, so it is never met.

A goal asks for the name and the number that the exercise began with; how the learner gets there is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kcompanion.model import resources as r
from kcompanion.model.fields import condition, dig, labels_of, maps_at, text_at
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.refs import Ref
from kcompanion.model.selectors import matches
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.practice.faults import BY_KIND

STEADY = 5  # seconds a pod has to have been ready: what ends at once looks ready for a moment
COUNTED = ("Deployment", "StatefulSet")
_SERVICE = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Goal:
    ref: Ref
    wanted: int = 1  # replicas

    @property
    def told(self) -> Message:
        """What has to hold."""
        id = one_or_many(f"practice.goal.{self.ref.kind.lower()}", self.wanted if self.ref.kind in COUNTED else 0)
        return say(id, what=_named(self.ref), wanted=self.wanted)


def unmet(goal: Goal, world: World) -> Message | None:
    """What is still missing, None when nothing is.

    Raises:
        NotKnown: it could not be read.
    """
    item = world.get(BY_KIND[goal.ref.kind], goal.ref.name, goal.ref.namespace)
    if item is None:
        return say("practice.unmet.absent", what=_named(goal.ref))
    if text_at(item, "metadata", "deletionTimestamp"):
        return say("practice.unmet.deleted", what=_named(goal.ref))
    return GOALS[goal.ref.kind](goal, item, world)


def _named(ref: Ref) -> str:
    return f"{ref.kind.lower()}/{ref.name}"


def _number(item: Object, *path: str) -> int:
    value = dig(item, *path)
    return value if isinstance(value, int) else 0


def _current(item: Object) -> bool:
    """Whether the controller has seen the newest version of it."""
    return _number(item, "status", "observedGeneration") >= _number(item, "metadata", "generation")


def _replicas(goal: Goal, item: Object, world: World) -> Message | None:
    """As many pods as were asked for, all of the newest template, all ready and no longer only for a moment."""
    asked = _number(item, "spec", "replicas")
    if asked < goal.wanted:
        return say("practice.unmet.scaled", what=_named(goal.ref), asked=asked, wanted=goal.wanted)
    counts = [_number(item, "status", key) for key in ("updatedReplicas", "readyReplicas", "availableReplicas")]
    if not _current(item) or min(counts) < asked or _number(item, "status", "replicas") > asked:
        return say("practice.unmet.replicas", what=_named(goal.ref), ready=min(counts), wanted=asked)
    return _steady(goal, item, world)


def _daemons(goal: Goal, item: Object, world: World) -> Message | None:
    wanted = _number(item, "status", "desiredNumberScheduled")
    counts = [_number(item, "status", key) for key in ("updatedNumberScheduled", "numberReady")]
    if not _current(item) or not wanted or min(counts) < wanted:
        return say("practice.unmet.daemons", what=_named(goal.ref), ready=min(counts), wanted=wanted)
    return _steady(goal, item, world)


def _steady(goal: Goal, item: Object, world: World) -> Message | None:
    """Whether its pods have been ready for long enough to believe it."""
    selector = ",".join(f"{key}={value}" for key, value in (dig(item, "spec", "selector", "matchLabels") or {}).items())
    pods = [pod for pod in world.all(r.PODS, goal.ref.namespace) if matches(selector, labels_of(pod))]
    alive = [pod for pod in pods if not text_at(pod, "metadata", "deletionTimestamp")]
    young = [pod for pod in alive if not _ready(pod, world)]
    return say("practice.unmet.young", what=_named(goal.ref), seconds=STEADY) if young else None


def _ready(pod: Object, world: World) -> bool:
    ready = condition(pod, "Ready")
    since = world.since(ready.get("lastTransitionTime"))
    return ready.get("status") == "True" and since is not None and since >= STEADY


def _pod(goal: Goal, item: Object, world: World) -> Message | None:
    if text_at(item, "status", "phase") == "Succeeded" or _ready(item, world):
        return None
    if condition(item, "Ready").get("status") == "True":
        return say("practice.unmet.young", what=_named(goal.ref), seconds=STEADY)
    return say("practice.unmet.pod", what=_named(goal.ref), phase=text_at(item, "status", "phase") or "-")


def _job(goal: Goal, item: Object, world: World) -> Message | None:  # noqa: ARG001 - the signature of a test
    done = condition(item, "Complete").get("status") == "True"
    return None if done else say("practice.unmet.job", what=_named(goal.ref))


def _cronjob(goal: Goal, item: Object, world: World) -> Message | None:  # noqa: ARG001 - the signature of a test
    if dig(item, "spec", "suspend") is True:
        return say("practice.unmet.suspended", what=_named(goal.ref))
    ran = text_at(item, "status", "lastSuccessfulTime") or next(maps_at(item, "status", "active"), None)
    return None if ran else say("practice.unmet.cronjob", what=_named(goal.ref))


def _service(goal: Goal, item: Object, world: World) -> Message | None:  # noqa: ARG001 - the signature of a test
    for one in world.all(r.ENDPOINTSLICES, goal.ref.namespace, f"{_SERVICE}={goal.ref.name}"):
        if any(dig(endpoint, "conditions", "ready") is True for endpoint in maps_at(one, "endpoints")):
            return None
    return say("practice.unmet.service", what=_named(goal.ref))


def _claim(goal: Goal, item: Object, world: World) -> Message | None:  # noqa: ARG001 - the signature of a test
    phase = text_at(item, "status", "phase")
    return None if phase == "Bound" else say("practice.unmet.claim", what=_named(goal.ref), phase=phase or "-")


def _budget(goal: Goal, item: Object, world: World) -> Message | None:  # noqa: ARG001 - the signature of a test
    allowed = _number(item, "status", "disruptionsAllowed") if _current(item) else 0
    return None if allowed else say("practice.unmet.budget", what=_named(goal.ref))


Test = Callable[[Goal, Object, World], Message | None]
GOALS: Mapping[str, Test] = {
    "Deployment": _replicas,
    "StatefulSet": _replicas,
    "DaemonSet": _daemons,
    "Pod": _pod,
    "Job": _job,
    "CronJob": _cronjob,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "PodDisruptionBudget": _budget,
}
