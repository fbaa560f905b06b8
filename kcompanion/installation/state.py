"""The operators of a cluster: which targets they reconcile, who leads, how many are ready, what went wrong last.

Pure: from a Snapshot. Nothing of it is asked of the operator but its decisions, through the API server's pod proxy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.installation.manifests import PORT, SELECTOR, lease_of
from kcompanion.installation.readiness import Progress, crd_serves, progress
from kcompanion.installation.remains import CRD, OBJECTS
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, getting, listing, raw
from kcompanion.model.fields import condition, dig, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Status, worst
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.times import seconds_between
from kcompanion.reconcile.target import TARGETS, Target


def lease_ask(target: Target, namespace: str = "kube-system") -> Ask:
    """The Lease of an operator for all namespaces, or of one that looks after a single namespace and keeps it there."""
    return getting(r.LEASES, lease_of(target), namespace)


WORKLOADS = {resource: listing(resource, selector=SELECTOR) for resource in (r.DEPLOYMENTS, r.DAEMONSETS)}
PODS = listing(r.PODS, selector=SELECTOR)
LEASES = {name: lease_ask(target) for name, target in TARGETS.items()}
ASKS: tuple[Ask, ...] = (CRD, OBJECTS, PODS, *WORKLOADS.values(), *LEASES.values())
ESSENTIAL: tuple[Ask, ...] = (CRD, PODS, *WORKLOADS.values(), *LEASES.values())
ERRORS = 5  # the last ones are told


@dataclass(frozen=True, slots=True)
class Leader:
    """Who holds a target's Lease; seconds."""

    holder: str
    age: int | None
    duration: int
    transitions: int

    @property
    def expired(self) -> bool:
        return not self.holder or self.age is None or self.age > self.duration

    def to_json(self) -> dict[str, Any]:
        return {
            "holder": self.holder or None,
            "ageSeconds": self.age,
            "leaseDurationSeconds": self.duration,
            "transitions": self.transitions,
            "expired": self.expired,
        }


@dataclass(frozen=True, slots=True)
class Replica:
    """One pod of the operator."""

    namespace: str
    name: str
    node: str
    ready: bool
    restarts: int
    last_words: str  # of its container that ended last

    def to_json(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "node": self.node or None,
            "ready": self.ready,
            "restarts": self.restarts,
            "lastWords": self.last_words or None,
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """A decision that ended in an error."""

    time: str
    key: str
    error: str

    def to_json(self) -> dict[str, str]:
        return {"time": self.time, "replicaSet": self.key, "error": self.error}


@dataclass(frozen=True, slots=True)
class Operator:
    """What reconciles one target: in the cluster, by hand from somewhere (a Lease alone), or both."""

    target: Target
    workload: str  # `deployment/NAME`; empty if it does not run in the cluster
    namespace: str
    image: str
    progress: Progress
    replicas: tuple[Replica, ...]
    leader: Leader | None
    failures: tuple[Failure, ...]

    @property
    def status(self) -> Status:
        """Somebody has to lead; fewer ready than wanted is a warning as long as one does."""
        if self.leader is None or self.leader.expired:
            return Status.FAIL
        short = bool(self.workload) and not self.progress.done
        return Status.WARN if short or self.failures else Status.OK

    def to_json(self) -> dict[str, Any]:
        return {
            "target": self.target.name,
            "status": self.status.value,
            "workload": self.workload or None,
            "namespace": self.namespace or None,
            "image": self.image or None,
            "ready": self.progress.ready,
            "wanted": self.progress.wanted,
            "replicas": [replica.to_json() for replica in self.replicas],
            "leader": self.leader.to_json() if self.leader else None,
            "lastErrors": [failure.to_json() for failure in self.failures],
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """The CustomResourceDefinition and what there is of it."""

    served: bool
    objects: int
    desired: int
    ready: int

    def to_json(self) -> dict[str, Any]:
        return {"served": self.served, "objects": self.objects, "desired": self.desired, "ready": self.ready}


@dataclass(frozen=True, slots=True)
class State:
    operators: tuple[Operator, ...]
    kind: Kind | None  # None: the cluster has no such kind

    @property
    def status(self) -> Status:
        return worst(operator.status for operator in self.operators)

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "crd": self.kind.to_json() if self.kind else None,
            "operators": [operator.to_json() for operator in self.operators],
        }


def further_asks(snapshot: Snapshot) -> tuple[Ask, ...]:
    """The decisions of each leader that is a pod here, through the pod proxy."""
    pods = [pod for pod in snapshot.items(PODS) if condition(pod, "Ready").get("status") == "True"]
    return tuple(decisions_of(pod) for pod in pods)


def decisions_of(pod: Object) -> Ask:
    return raw(f"/api/v1/namespaces/{namespace_of(pod)}/pods/{name_of(pod)}:{PORT}/proxy/decisions")


def state(snapshot: Snapshot) -> State:
    workloads = [(ask.resource, item) for ask in WORKLOADS.values() for item in snapshot.items(ask)]
    operators = []
    for name, target in TARGETS.items():
        found = next(((resource, item) for resource, item in workloads if target_of(item) == name), None)
        leader = leader_of(snapshot, target)
        if found is not None or (leader is not None and not leader.expired):
            operators.append(_operator(snapshot, target, found, leader))
    return State(tuple(operators), _kind(snapshot))


def target_of(item: Object) -> str:
    """What a workload's operator reconciles, by its arguments."""
    flag = "--target="
    for container in maps_at(item, "spec", "template", "spec", "containers"):
        for word in texts_at(container, "args"):
            if word.startswith(flag):
                return word.removeprefix(flag)
    return ""


def _operator(snapshot: Snapshot, target: Target, found: tuple[Any, Object] | None, leader: Leader | None) -> Operator:
    resource, item = found if found is not None else (None, {})
    space = namespace_of(item)
    pods = [pod for pod in snapshot.items(PODS) if namespace_of(pod) == space] if space else []
    container = next(iter(maps_at(item, "spec", "template", "spec", "containers")), {})
    return Operator(
        target=target,
        workload=f"{resource.kind.lower()}/{name_of(item)}" if resource is not None else "",
        namespace=space,
        image=text_at(container, "image"),
        progress=progress(item),
        replicas=tuple(_replica(pod) for pod in pods),
        leader=leader,
        failures=tuple(_failures(snapshot, pods)),
    )


def _replica(pod: Object) -> Replica:
    status = next(iter(maps_at(pod, "status", "containerStatuses")), {})
    ended = map_at(status, "state", "terminated") or map_at(status, "lastState", "terminated")
    restarts = status.get("restartCount")
    return Replica(
        namespace=namespace_of(pod),
        name=name_of(pod),
        node=text_at(pod, "spec", "nodeName"),
        ready=condition(pod, "Ready").get("status") == "True",
        restarts=restarts if isinstance(restarts, int) else 0,
        last_words=(text_at(ended, "message").strip().splitlines() or [""])[-1],
    )


def leading_pod(snapshot: Snapshot, target: Target) -> Object | None:
    """The operator's pod that leads: the holder of the Lease is its name, and something that sets it apart."""
    leader = leader_of(snapshot, target)
    if leader is None or leader.expired:
        return None
    return next((pod for pod in snapshot.items(PODS) if leader.holder.startswith(f"{name_of(pod)}_")), None)


def leader_of(snapshot: Snapshot, target: Target, namespace: str = "kube-system") -> Leader | None:
    """Who holds, or held last, the Lease of a target; None without one."""
    lease = snapshot.object(lease_ask(target, namespace))
    if lease is None:
        return None
    spec = map_at(lease, "spec")
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    return Leader(
        holder=text_at(spec, "holderIdentity"),
        age=seconds_between(spec.get("renewTime"), snapshot.now),
        duration=duration if isinstance(duration, int) else 15,
        transitions=transitions if isinstance(transitions, int) else 0,
    )


def _failures(snapshot: Snapshot, pods: Sequence[Object]) -> list[Failure]:
    """The last decisions that ended in an error, the newest last."""
    found: list[Failure] = []
    for pod in pods:
        try:
            entries = json.loads(snapshot.text(decisions_of(pod)) or "[]")
        except ValueError:
            continue
        for entry in entries if isinstance(entries, list) else ():
            error = text_at(entry, "decision", "error")
            if error:
                key = f"{text_at(entry, 'decision', 'namespace')}/{text_at(entry, 'decision', 'name')}"
                found.append(Failure(text_at(entry, "time"), key, error))
    return sorted(found, key=lambda failure: failure.time)[-ERRORS:]


def _kind(snapshot: Snapshot) -> Kind | None:
    crd = snapshot.object(CRD)
    if crd is None:
        return None
    objects = snapshot.items(OBJECTS)
    desired = [dig(item, "spec", "replicas") for item in objects]
    ready = [dig(item, "status", "readyReplicas") for item in objects]
    return Kind(crd_serves(crd), len(objects), _sum(desired), _sum(ready))


def _sum(counts: Sequence[object]) -> int:
    return sum(count for count in counts if isinstance(count, int))


def absent(snapshot: Snapshot) -> bool:
    """Whether it is certain that there is nothing of the operator here."""
    known = all(snapshot.reading(ask).outcome in (Outcome.OK, Outcome.ABSENT) for ask in ESSENTIAL)
    found = state(snapshot)
    return known and not found.operators and found.kind is None
