"""Objects of any kind, by what all kinds have in common: conditions and finalizers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.shortage import about
from kcompanion.model.fields import dig, maps_at, text_at, texts_at
from kcompanion.model.finding import Severity, Step
from kcompanion.model.message import say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age
from kcompanion.model.world import World

BOOK = RuleBook("rule_any")
_DOCS = "https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md"
# Kinds whose conditions have rules of their own, or mean something else than their names say.
_OWN = frozenset(
    (
        *("Pod", "Node", "Namespace", "Service", "Ingress", "NetworkPolicy"),
        *("Deployment", "ReplicaSet", "CompanionReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"),
        *("Job", "CronJob", "HorizontalPodAutoscaler", "PodDisruptionBudget"),
        *("PersistentVolumeClaim", "PersistentVolume", "VolumeAttachment", "ResourceClaim"),
    )
)
# The API conventions ask for Ready or Succeeded; the others are those of APIServices, CRDs and well-known operators.
_GOOD = ("Ready", "Available", "Established", "NamesAccepted", "Healthy", "Synced", "Reconciled", "Programmed")
_BAD = ("Degraded", "Failed", "Stalled", "ReconcileError", "Failure")
_PATIENCE = 60  # seconds a condition may be bad before it is told
_UNKNOWN = 300  # … and may be Unknown
_FINALIZED = 60  # seconds a deletion may take


@BOOK.rule("KC5269", kind="*", severity=Severity.WARNING, rank=Rank.SYMPTOM, read=_DOCS + "#typical-status-properties")
def condition_bad(item: Object | Pod, world: World) -> Iterator[Cause]:
    """Any object whose own conditions say that it is not well."""
    if isinstance(item, Pod) or text_at(item, "kind") in _OWN or dig(item, "metadata", "deletionTimestamp"):
        return
    if dig(item, "spec", "suspend") is True:
        return
    ref = about(item)
    made = text_at(item, "metadata", "creationTimestamp")
    found = [c for c in maps_at(item, "status", "conditions") if _is_bad(c, made, world)]
    for one in found[:1]:
        type_, status = text_at(one, "type"), text_at(one, "status")
        said, reason = text_at(one, "message"), text_at(one, "reason")
        variant = "cause" if said else "cause_reason" if reason else "cause_bare"
        yield Cause(
            {"kind": ref.kind, "type": type_, "status": status, "reason": reason or "-", "said": said or "-"},
            tuple(
                seen(ref, f"status.conditions[{c['type']}]", _words(c), text_at(c, "lastTransitionTime")) for c in found
            ),
            (_look(ref),),
            variant=variant,
        )


def _is_bad(one: Mapping[str, Any], made: str, world: World) -> bool:
    age = world.since(text_at(one, "lastTransitionTime") or made) or 0
    type_, status = one.get("type"), one.get("status")
    if type_ in _GOOD:
        return (status == "False" and age >= _PATIENCE) or (status == "Unknown" and age >= _UNKNOWN)
    return type_ in _BAD and status == "True" and age >= _PATIENCE


def _words(one: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (text_at(one, "status"), text_at(one, "reason"), text_at(one, "message"))))


def _look(ref: Ref) -> Step:
    space = f" -n {ref.namespace}" if ref.namespace else ""
    return inspect(f"kubectl get {ref.kind.lower()} {ref.name}{space} -o yaml")


# Whose deletion has rules of its own.
_ENDING = frozenset(("Pod", "Namespace", "PersistentVolumeClaim", "PersistentVolume"))
_GARBAGE = ("foregroundDeletion", "orphan")


@BOOK.rule(
    "KC5271",
    kind="*",
    severity=Severity.WARNING,
    rank=Rank.TERMINATING,
    read="https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/",
)
def deletion_held(item: Object | Pod, world: World) -> Iterator[Cause]:
    """Somebody deleted it, but a finalizer keeps it."""
    if isinstance(item, Pod) or text_at(item, "kind") in _ENDING:
        return
    deleted = text_at(item, "metadata", "deletionTimestamp")
    age = world.since(deleted)
    finalizers = texts_at(item, "metadata", "finalizers")
    if age is None or age < _FINALIZED or not finalizers:
        return
    ref = about(item)
    waits = set(finalizers) <= set(_GARBAGE)
    yield Cause(
        {"kind": ref.kind, "age": human_age(age), "finalizers": ", ".join(finalizers)},
        (
            seen(ref, "metadata.deletionTimestamp", deleted, deleted),
            seen(ref, "metadata.finalizers", ", ".join(finalizers)),
        ),
        (_look(ref), change(text=say(f"rule_any.kc5271.do{'_garbage' if waits else ''}"))),
        variant="cause_garbage" if waits else "cause",
    )
