"""Pods, ReplicaSets and a view, in as few words as a test needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kcompanion.reconcile.expectations import Books, Kept
from kcompanion.reconcile.owner import ReplicaSet, replicaset_of
from kcompanion.reconcile.pod import ControllerRef, Pod
from kcompanion.reconcile.requests import Answer, CreatePod, ReadOwner, Request, WriteStatus
from kcompanion.reconcile.steps import Event, Outcome, Step
from kcompanion.reconcile.sync import sync
from kcompanion.reconcile.target import BUILT_IN, Key, Target

NOW = 1_800_000_000 * 10**9
SECOND = 10**9
LABELS = {"app": "web"}


def spec(replicas: int = 1, labels: Mapping[str, str] = LABELS, **more: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": template} | more


def owner(
    replicas: int = 1,
    *,
    name: str = "web",
    uid: str = "",
    labels: Mapping[str, str] = LABELS,
    deleting: bool = False,
    controller: str = "",
    target: Target = BUILT_IN,
    status: Mapping[str, Any] | None = None,
    **more: Any,
) -> ReplicaSet:
    metadata: dict[str, Any] = {"namespace": "shop", "name": name, "uid": uid or f"{name}-uid", "generation": 1}
    metadata["resourceVersion"] = "5"
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if controller:
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": controller, "controller": True}
        metadata["ownerReferences"] = [reference]
    item = {"metadata": metadata, "spec": spec(replicas, labels, **more), "status": dict(status or {"replicas": 0})}
    return replicaset_of(target, item)


def pod(name: str, of: ReplicaSet | None = None, **more: Any) -> Pod:
    """A running and ready pod of a ReplicaSet, or an orphan."""
    reference = of and ControllerRef(of.target.api_version, of.target.kind, of.name, of.uid)
    values: dict[str, Any] = {"version": 1, "labels": LABELS, "phase": "Running", "ready": True, "node": "n1"}
    values |= {"created": NOW - 60 * SECOND, "ready_since": NOW - 50 * SECOND, "controller": reference}
    return Pod("shop", name, f"{name}-uid", **(values | more))


@dataclass
class View:
    """Just these objects."""

    known: Sequence[ReplicaSet] = ()
    everything: Sequence[Pod] = ()
    versions: dict[Kept, int] = field(default_factory=lambda: {"pods": 0, "owners": 0})

    @property
    def target(self) -> Target:
        return self.known[0].target if self.known else BUILT_IN

    def owner(self, key: Key) -> ReplicaSet | None:
        return next((one for one in self.known if one.key == key), None)

    def pods_of(self, owner: ReplicaSet) -> Collection[Pod]:
        return [one for one in self.everything if one.controller and one.controller.uid == owner.uid]

    def orphans(self, namespace: str) -> Collection[Pod]:
        return [one for one in self.pods(namespace) if one.controller is None]

    def pods(self, namespace: str) -> Collection[Pod]:
        return [one for one in self.everything if one.namespace == namespace]

    def owners(self, namespace: str) -> Collection[ReplicaSet]:
        return [one for one in self.known if one.namespace == namespace]

    def owners_controlled_by(self, uid: str) -> Collection[ReplicaSet]:
        return [one for one in self.known if one.controller_uid == uid]

    def seen(self) -> Mapping[Kept, int]:
        return self.versions


Serve = Callable[[Request], Answer]


@dataclass
class Turn:
    """One sync, driven to its end."""

    outcome: Outcome
    steps: list[Step]

    @property
    def requests(self) -> list[Request]:
        return [request for step in self.steps for request in step.requests]

    @property
    def events(self) -> list[Event]:
        return [event for step in self.steps for event in step.events]

    def of(self, *kinds: type[Request]) -> list[Any]:
        return [request for request in self.requests if isinstance(request, kinds)]

    @property
    def status(self) -> Mapping[str, Any]:
        """What was written last."""
        written: Mapping[str, Any] = self.of(WriteStatus)[-1].payload["status"]
        return written


def turn(view: View, books: Books | None = None, serve: Serve | None = None, now: int = NOW) -> Turn:
    """Syncs the first ReplicaSet of a view."""
    answer = serve or well(view)
    running = sync(view.known[0].key, view, books or Books(), lambda: now)
    return drive(running, answer)


def drive(running: Generator[Step, tuple[Answer, ...], Outcome], answer: Serve) -> Turn:
    steps = []
    try:
        step = next(running)
        while True:
            steps.append(step)
            step = running.send(tuple(answer(request) for request in step.requests))
    except StopIteration as end:
        return Turn(end.value, steps)


def well(view: View) -> Serve:
    """A server that does as it is told."""
    made = iter(range(1, 10**6))

    def serve(request: Request) -> Answer:
        if isinstance(request, ReadOwner):
            return Answer(200, view.known[0].raw)
        if isinstance(request, CreatePod):
            name = f"{request.payload['metadata']['generateName']}{next(made)}"
            return Answer(201, {"metadata": {"name": name, "resourceVersion": "1"}})
        return Answer(200, {"metadata": {"resourceVersion": "1"}})

    return serve


def limited(view: View, limit: int, answer: Answer) -> Serve:
    """Serves so many creations and gives the others this answer."""
    good, left = well(view), [limit]

    def serve(request: Request) -> Answer:
        if not isinstance(request, CreatePod):
            return good(request)
        left[0] -= 1
        return good(request) if left[0] >= 0 else answer

    return serve


__all__ = [
    "LABELS",
    "NOW",
    "SECOND",
    "Turn",
    "View",
    "drive",
    "limited",
    "owner",
    "pod",
    "replace",
    "spec",
    "turn",
    "well",
]
