"""Roll-outs: revisions, what changed from one to the next, and where a running one stands.

A Deployment keeps a ReplicaSet per revision; StatefulSets and DaemonSets keep ControllerRevisions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.events import Event
from kcompanion.model.fields import (
    annotations_of,
    condition,
    labels_of,
    map_at,
    maps_at,
    name_of,
    namespace_of,
    text_at,
)
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.trace.templates import HASH, Change, changes

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
CAUSE = "kubernetes.io/change-cause"
KINDS: dict[str, Resource] = {
    "Deployment": r.REPLICASETS,
    "StatefulSet": r.CONTROLLERREVISIONS,
    "DaemonSet": r.CONTROLLERREVISIONS,
}
# "Scaled up replica set web-1 from 0 to 2" since 1.31, "… to 2 from 0" and "… to 2" before.
_SCALED = re.compile(r"Scaled (up|down) replica set (\S+) (?:from (\d+) to (\d+)|to (\d+)(?: from (\d+))?)")


@dataclass(frozen=True)
class Revision:
    """One version of the template and who keeps it."""

    number: int
    keeper: str  # the ReplicaSet or ControllerRevision
    created: str
    cause: str
    pods: int | None  # wanted of it, or there; None where nobody counts and they were not read
    ready: int | None
    template: Mapping[str, Any]
    current: bool
    earlier: str = ""  # numbers it had before roll-backs to it

    def to_json(self) -> dict[str, Any]:
        return {
            "revision": self.number,
            "keeper": self.keeper,
            "created": self.created or None,
            "changeCause": self.cause or None,
            "pods": self.pods,
            "ready": self.ready,
            "current": self.current,
            "earlierNumbers": self.earlier or None,
        }


@dataclass(frozen=True)
class Scaling:
    """One step of a roll-out that the controller reported."""

    at: str
    keeper: str
    before: int | None
    after: int
    count: int = 1

    @property
    def up(self) -> bool:
        return self.before is None or self.after > self.before

    def to_json(self) -> dict[str, Any]:
        return {"at": self.at, "keeper": self.keeper, "from": self.before, "to": self.after}


@dataclass(frozen=True)
class Bounds:
    """How many pods a rolling update may have too many and too few, in pods. None: the strategy knows no such bound."""

    wanted: int
    surge: int | None
    unavailable: int | None

    @property
    def most(self) -> int | None:
        return None if self.surge is None else self.wanted + self.surge

    @property
    def fewest(self) -> int | None:
        return None if self.unavailable is None else max(0, self.wanted - self.unavailable)


@dataclass(frozen=True)
class Stand:
    """Where it stands: pods of all revisions, of the new one, ready and available."""

    wanted: int
    total: int
    updated: int
    ready: int
    available: int
    observed: bool  # the controller has seen the latest spec
    paused: bool
    progress: str  # the reason of the condition Progressing
    message: str

    @property
    def complete(self) -> bool:
        return (
            self.observed
            and self.updated >= self.wanted
            and self.available >= self.wanted
            and self.total <= self.wanted
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "wanted": self.wanted,
            "total": self.total,
            "updated": self.updated,
            "ready": self.ready,
            "available": self.available,
            "observed": self.observed,
            "paused": self.paused,
            "progressing": self.progress or None,
            "complete": self.complete,
        }


@dataclass(frozen=True)
class Rollout:
    """Everything about the roll-outs of one object."""

    item: Object
    kind: str
    strategy: str
    bounds: Bounds
    stand: Stand
    revisions: Sequence[Revision]
    scalings: Sequence[Scaling]
    blocking: Sequence[str]  # pods of the newest revision that are not ready, by name
    gaps: Sequence[Gap]

    def changes_of(self, index: int) -> tuple[Change, ...]:
        """What the revision changed against the one before it in the list."""
        return changes(self.revisions[index - 1].template, self.revisions[index].template) if index else ()


def rollout(item: Object, kind: str, world: World) -> Rollout:
    """The roll-outs of a Deployment, StatefulSet or DaemonSet; what could not be read is a gap."""
    gaps: dict[str, Gap] = {}
    revisions: Sequence[Revision] = ()
    scalings: Sequence[Scaling] = ()
    blocking: Sequence[str] = ()
    try:
        keepers = world.children(item, KINDS[kind])
        revisions = _of_replicasets(item, keepers) if kind == "Deployment" else _of_revisions(item, kind, keepers)
        if kind == "DaemonSet":
            revisions = _counted(item, revisions, world)
        blocking = _blocking(item, kind, revisions, keepers, world)
    except NotKnown as unknown:
        gaps[unknown.gap.what] = unknown.gap
    try:
        ref = Ref(kind, name_of(item), namespace_of(item))
        scalings = _scalings(world.events(ref, text_at(item, "metadata", "uid")))
    except NotKnown as unknown:
        gaps[unknown.gap.what] = unknown.gap
    field = "strategy" if kind == "Deployment" else "updateStrategy"
    strategy = text_at(item, "spec", field, "type") or "RollingUpdate"
    bounds = _bounds(item, kind, strategy)
    return Rollout(
        item, kind, strategy, bounds, _stand(item, kind), revisions, scalings, blocking, tuple(gaps.values())
    )


# --------------------------------------------------------------------------------------- revisions


def _of_replicasets(item: Object, keepers: Sequence[Object]) -> tuple[Revision, ...]:
    newest = _number(annotations_of(item).get(REVISION))
    made = []
    for keeper in keepers:
        notes = annotations_of(keeper)
        number = _number(notes.get(REVISION))
        made.append(
            Revision(
                number,
                name_of(keeper),
                text_at(keeper, "metadata", "creationTimestamp"),
                str(notes.get(CAUSE) or ""),
                _count(keeper, "spec", "replicas"),
                _count(keeper, "status", "readyReplicas"),
                map_at(keeper, "spec", "template"),
                number == newest,
                str(notes.get(HISTORY) or ""),
            )
        )
    return tuple(sorted(made, key=lambda one: one.number))


def _of_revisions(item: Object, kind: str, keepers: Sequence[Object]) -> tuple[Revision, ...]:
    made = []
    newest = max((_number(keeper.get("revision")) for keeper in keepers), default=0)
    for keeper in keepers:
        number = _number(keeper.get("revision"))
        pods = _of_statefulset(item, name_of(keeper)) if kind == "StatefulSet" else None
        made.append(
            Revision(
                number,
                name_of(keeper),
                text_at(keeper, "metadata", "creationTimestamp"),
                str(annotations_of(keeper).get(CAUSE) or ""),
                pods,
                None,
                map_at(keeper, "data", "spec", "template"),
                number == newest,
            )
        )
    return tuple(sorted(made, key=lambda one: one.number))


def _counted(item: Object, revisions: Sequence[Revision], world: World) -> tuple[Revision, ...]:
    """The revisions of a DaemonSet with their pods, which it does not count itself.

    Raises:
        NotKnown: its pods could not be listed.
    """
    marks = Counter(_mark(pod) for pod in world.children(item, r.PODS))
    return tuple(replace(one, pods=marks[_hash_in(one.keeper)]) for one in revisions)


def _of_statefulset(item: Object, name: str) -> int | None:
    """Pods of a revision as the StatefulSet itself counts them: the current and the update revision only."""
    status = map_at(item, "status")
    current, update = text_at(status, "currentRevision"), text_at(status, "updateRevision")
    if name == update:
        return _count(status, "currentReplicas" if current == update else "updatedReplicas")
    return _count(status, "currentReplicas") if name == current else 0


def _blocking(
    item: Object, kind: str, revisions: Sequence[Revision], keepers: Sequence[Object], world: World
) -> tuple[str, ...]:
    """Pods of the newest revision that are not ready."""
    newest = next((one for one in revisions if one.current), None)
    if newest is None:
        return ()
    owner = next((k for k in keepers if name_of(k) == newest.keeper), None) if kind == "Deployment" else item
    mark = newest.keeper if kind == "StatefulSet" else _hash_in(newest.keeper)
    pods = world.children(owner, r.PODS) if owner is not None else ()
    if kind != "Deployment":
        pods = [pod for pod in pods if _mark(pod) == mark]
    return tuple(sorted(name_of(pod) for pod in pods if condition(pod, "Ready").get("status") != "True"))


def _mark(pod: Object) -> str:
    """What tells a StatefulSet's or DaemonSet's pod of which revision it is."""
    return str(labels_of(pod).get("controller-revision-hash", ""))


def _hash_in(keeper: str) -> str:
    """The hash in a ControllerRevision's name, which is all that pods of a DaemonSet carry of it."""
    return keeper.rpartition("-")[2]


def same_text(one: Revision, other: Revision) -> bool:
    """Whether two templates differ only where values are not read (environment variables of one length)."""
    return not changes(one.template, other.template) and _hash(one) != _hash(other)


def has_env(one: Revision) -> bool:
    """Whether its template sets environment variables to values, which recordings and this code never hold."""
    boxes = [*maps_at(one.template, "spec", "containers"), *maps_at(one.template, "spec", "initContainers")]
    return any("value" in entry for box in boxes for entry in maps_at(box, "env"))


def _hash(one: Revision) -> str:
    return str(map_at(one.template, "metadata", "labels").get(HASH) or one.keeper)


# ------------------------------------------------------------------------------------ where it stands


def _scalings(events: Sequence[Event]) -> tuple[Scaling, ...]:
    found = []
    for event in events:
        if event.reason == "ScalingReplicaSet" and (match := _SCALED.search(event.message)):
            before = match[3] or match[6]
            after = match[4] or match[5]
            found.append(Scaling(event.last, match[2], int(before) if before else None, int(after), event.count))
    return tuple(sorted(found, key=lambda one: one.at))


def _bounds(item: Object, kind: str, strategy: str) -> Bounds:
    """Surge rounds up, unavailable down; both zero means one unavailable (ResolveFenceposts, deployment_util.go)."""
    wanted = _wanted(item, kind)
    if strategy != "RollingUpdate":
        return Bounds(wanted, None, None)
    field = "strategy" if kind == "Deployment" else "updateStrategy"
    rolling = map_at(item, "spec", field, "rollingUpdate")
    if kind == "StatefulSet":
        return Bounds(wanted, 0, share(rolling.get("maxUnavailable", 1), wanted, up=False) or 1)
    surge = share(rolling.get("maxSurge", "25%" if kind == "Deployment" else 0), wanted, up=True)
    unavailable = share(
        rolling.get("maxUnavailable", "25%" if kind == "Deployment" else 1), wanted, up=kind == "DaemonSet"
    )
    return Bounds(wanted, surge, unavailable if surge or unavailable else 1)


def share(value: object, whole: int, *, up: bool) -> int:
    """A number of pods, or a percentage of them."""
    if isinstance(value, int):
        return value
    text = str(value)
    if not text.endswith("%") or not text[:-1].isdecimal():
        return 0
    part = whole * int(text[:-1])
    return -(-part // 100) if up else part // 100


def _wanted(item: Object, kind: str) -> int:
    if kind == "DaemonSet":
        return _count(item, "status", "desiredNumberScheduled") or 0
    count = _count(item, "spec", "replicas")
    return 1 if count is None else count


_COUNTS = {
    "Deployment": ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"),
    "StatefulSet": ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"),
    "DaemonSet": ("currentNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable"),
}


def _stand(item: Object, kind: str) -> Stand:
    status = map_at(item, "status")
    total, updated, ready, available = (_count(status, field) or 0 for field in _COUNTS[kind])
    if kind == "StatefulSet" and text_at(status, "currentRevision") == text_at(status, "updateRevision"):
        updated = _count(status, "currentReplicas") or updated  # updatedReplicas is left out once they are one
    progress = condition(item, "Progressing")
    return Stand(
        _wanted(item, kind),
        total,
        updated,
        ready,
        available,
        (_count(status, "observedGeneration") or 0) >= (_count(item, "metadata", "generation") or 0),
        map_at(item, "spec").get("paused") is True,
        text_at(progress, "reason"),
        text_at(progress, "message"),
    )


def _count(item: object, *path: str) -> int | None:
    *parents, last = path
    value = map_at(item, *parents).get(last)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> int:
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else 0
