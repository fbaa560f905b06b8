"""The status of a ReplicaSet: what it says, whether it has to be written, and how.

It tells of the pods as they were at the start of the sync. Everything is taken from one look, since the API server
refuses a status that contradicts itself (more ready pods than pods). Conditions of others stay as they are.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import map_at, maps_at, text_at
from kcompanion.model.selectors import selector_text
from kcompanion.reconcile.decision import Change, Observed
from kcompanion.reconcile.moments import SECOND, UNKNOWN, api_time
from kcompanion.reconcile.owner import ReplicaSet, replicaset_of
from kcompanion.reconcile.pod import Pod, version_of
from kcompanion.reconcile.requests import Answer, ReadOwner, WriteStatus
from kcompanion.reconcile.steps import Step
from kcompanion.reconcile.target import COMPANION
from kcompanion.reconcile.work import Work

FAILURE = "ReplicaFailure"
# What a field that is not there stands for: the API leaves out zeros, but not of terminatingReplicas.
_ABSENT: Mapping[str, int | None] = {
    **dict.fromkeys(("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"), 0),
    **dict.fromkeys(("observedGeneration",), 0),
    **dict.fromkeys(("terminatingReplicas", "selector"), None),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why pods could not be created or deleted."""

    reason: str  # FailedCreate, FailedDelete
    message: str
    at: int


@dataclass(frozen=True, slots=True)
class News:
    """What a sync has to say; `failure` None takes an earlier one back, if the number of pods could be seen to."""

    observed: Observed
    generation: int
    failure: Failure | None = None
    tried: bool = True  # else it did not come to that, and nothing new can be said about failing
    selector: str | None = None  # our kind's own field: the scale subresource has to find it as text


def observe(owner: ReplicaSet, claimed: Iterable[Pod], terminating: int, now: int) -> Observed:
    """Counts the pods that are its own."""
    labels = owner.template_labels.items()
    wait = owner.min_ready_seconds
    active = ready = available = labelled = 0
    for pod in claimed:
        active += 1
        labelled += labels <= pod.labels.items()
        if pod.ready:
            ready += 1
            available += is_available(pod, wait, now)
    return Observed(active, ready, available, labelled, terminating)


def is_available(pod: Pod, min_ready_seconds: int, now: int) -> bool:
    """Whether a pod has been ready long enough."""
    if not pod.ready or min_ready_seconds <= 0:
        return pod.ready
    return pod.ready_since != UNKNOWN and pod.ready_since + min_ready_seconds * SECOND <= now


def next_look(pods: Iterable[Pod], min_ready_seconds: int, evaluated: int, now: int) -> float | None:
    """Seconds until the first ready pod has been ready long enough.

    Args:
        pods: those that count.
        min_ready_seconds: what long enough is.
        evaluated: when the status was made up; a pod that became available since then is due at once.
        now: from when to wait.
    """
    if min_ready_seconds <= 0:
        return None
    due = [
        at
        for pod in pods
        if pod.ready and pod.ready_since != UNKNOWN and (at := pod.ready_since + min_ready_seconds * SECOND) > evaluated
    ]
    return max(0, min(due) - now) / SECOND if due else None


def news(owner: ReplicaSet, observed: Observed, failure: Failure | None, *, tried: bool = True) -> News:
    selector = selector_text(owner.selector) if owner.target == COMPANION else None
    return News(observed, owner.generation, failure, tried, selector)


def applied(old: Mapping[str, Any], said: News) -> dict[str, Any]:
    """The status with the news in it, everything else as it was."""
    seen = said.observed
    values: dict[str, Any] = {
        "replicas": seen.active,
        "fullyLabeledReplicas": seen.labelled,
        "readyReplicas": seen.ready,
        "availableReplicas": seen.available,
        "terminatingReplicas": seen.terminating,  # also when zero: a Deployment takes its absence for "unknown"
        "observedGeneration": said.generation,
    }
    if said.selector is not None:
        values["selector"] = said.selector
    new = {**old, **values}
    conditions = _conditions(old, said.failure) if said.tried else list(maps_at(old, "conditions"))
    if conditions:
        return new | {"conditions": conditions}
    new.pop("conditions", None)
    return new


def _conditions(old: Mapping[str, Any], failure: Failure | None) -> list[Mapping[str, Any]]:
    """The first failure stays as it is until one sync goes well."""
    found = list(maps_at(old, "conditions"))
    if failure is None:
        return [condition for condition in found if condition.get("type") != FAILURE]
    if any(condition.get("type") == FAILURE for condition in found):
        return found
    told = {
        "type": FAILURE,
        "status": "True",
        "reason": failure.reason,
        "message": failure.message,
        "lastTransitionTime": api_time(failure.at),
    }
    return [*found, told]


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs; nothing is written if nothing does."""
    found = [
        Change(field, was, now)
        for field, absent in _ABSENT.items()
        if (was := old.get(field, absent)) != (now := new.get(field, absent))
    ]
    before, after = list(maps_at(old, "conditions")), list(maps_at(new, "conditions"))
    if before != after:
        found.append(Change(FAILURE, _reason(before), _reason(after)))
    return tuple(found)


def _reason(conditions: Iterable[Mapping[str, Any]]) -> str | None:
    return next((text_at(condition, "reason") for condition in conditions if condition.get("type") == FAILURE), None)


def write_status(work: Work, said: News) -> Generator[Step, tuple[Answer, ...], str | None]:
    """Writes what differs; returns the error if it could not.

    After a refusal the object is read once and the news put into what is there now, so that what others wrote in
    the meantime is kept. If it says it all already, the first answer was only lost.
    """
    owner = current = work.owner
    work.account.changes = changes(owner.status, applied(owner.status, said))
    error = None
    for last in (False, True):
        status = applied(current.status, said)
        if not changes(current.status, status):
            return None
        request = WriteStatus(owner.target, owner.namespace, owner.name, _whole(current, status))
        (answer,) = yield from work.ask(request)
        if answer.ok:
            work.books.versions.wrote(owner.key, owner.uid, "owners", version_of(answer.body))
            return None
        error = answer.message
        if last:
            break
        (fresh,) = yield from work.ask(ReadOwner(owner.target, owner.namespace, owner.name))
        if not fresh.ok:
            return fresh.message
        current = replicaset_of(owner.target, fresh.body)
        if current.uid != owner.uid:
            return f"original {owner.target.kind} {owner.key} is gone: got uid {current.uid}, wanted {owner.uid}"
    return error


def _whole(owner: ReplicaSet, status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object with another status: its labels and annotations have to be there, else they would be lost."""
    metadata = {key: value for key, value in map_at(owner.raw, "metadata").items() if key != "managedFields"}
    kind = {"apiVersion": owner.target.api_version, "kind": owner.target.kind}
    return {**owner.raw, **kind, "metadata": metadata, "status": status}
