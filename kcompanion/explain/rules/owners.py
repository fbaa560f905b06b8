"""Controllers that select each other's pods, and owner references that lead nowhere: numbers 166 and 167."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kcompanion.explain.evidence import change, inspect, seen
from kcompanion.explain.memo import per_world
from kcompanion.explain.pod import Pod
from kcompanion.explain.rule import Cause, Rank, RuleBook
from kcompanion.explain.rules.backends import pairs_of
from kcompanion.explain.rules.ownership import controller_of, selector_of
from kcompanion.explain.rules.shortage import about
from kcompanion.model import resources as r
from kcompanion.model.fields import (
    dig,
    map_at,
    maps_at,
    namespace_of,
    text_at,
)
from kcompanion.model.finding import Evidence, Severity
from kcompanion.model.message import say
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World

BOOK = RuleBook("rule_ownership")
_DOCS = "https://kubernetes.io/docs/"
_FRESH = 30  # seconds the garbage collector may take


# ------------------------------------------------------------------------------------------------ overlapping selectors

_WORKLOADS = {
    "Deployment": r.DEPLOYMENTS,
    "StatefulSet": r.STATEFULSETS,
    "DaemonSet": r.DAEMONSETS,
    "ReplicaSet": r.REPLICASETS,
    "ReplicationController": r.REPLICATIONCONTROLLERS,
    "CompanionReplicaSet": r.COMPANIONREPLICASETS,
}
_SERVED_BY_MORE = ("ReplicaSet", "CompanionReplicaSet")  # both may make pods from the same labels


@BOOK.rule(
    "KC5166",
    numbers=(166,),
    kind=tuple(_WORKLOADS),
    severity=Severity.WARNING,
    rank=Rank.OWNERSHIP,
    read=_DOCS + "concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions",
)
def overlapping(item: Object, world: World) -> Iterator[Cause]:
    """Two controllers each select what the other one makes."""
    kind = text_at(item, "kind")
    if controller_of(item) or dig(item, "metadata", "deletionTimestamp"):
        return
    ref = about(item)
    mine = selector_of(item, _WORKLOADS[kind])
    labels = map_at(item, "spec", "template", "metadata", "labels")
    for pair in pairs_of(labels):
        for other_kind, other in _selecting(world, ref.namespace, kind).get(pair, ()):
            theirs = ref_of(other, other_kind)
            made = map_at(other, "spec", "template", "metadata", "labels")
            if theirs == ref or not selects(mine, made):
                continue
            if not selects(selector_of(other, _WORKLOADS[other_kind]), labels):
                continue
            yield Cause(
                {"kind": kind, "other_kind": other_kind, "other": theirs.name, "selector": selector_text(mine)},
                (
                    seen(ref, "spec.selector", selector_text(mine)),
                    seen(theirs, "spec.selector", selector_text(selector_of(other, _WORKLOADS[other_kind]))),
                ),
                (
                    inspect(f"kubectl get pods -n {ref.namespace} -l '{selector_text(mine)}'"),
                    change(text=say("rule_ownership.kc5166.do")),
                ),
                root=min(ref, theirs),
            )


@per_world
def _selecting(world: World, space: str, kind: str) -> Mapping[tuple[str, str], Sequence[tuple[str, Object]]]:
    """The controllers of a kind in a namespace by one label they select, so that no two of them need be compared."""
    kinds = _SERVED_BY_MORE if kind in _SERVED_BY_MORE else (kind,)
    found: dict[tuple[str, str], list[tuple[str, Object]]] = {}
    for one in kinds:
        for item in world.all(_WORKLOADS[one], space):
            pairs = pairs_of(map_at(selector_of(item, _WORKLOADS[one]), "matchLabels"))
            if pairs and not controller_of(item) and not dig(item, "metadata", "deletionTimestamp"):
                found.setdefault(pairs[0], []).append((one, item))
    return found


# ---------------------------------------------------------------------------------------------------- dangling owners


@BOOK.rule(
    "KC5167",
    numbers=(167,),
    kind="*",
    severity=Severity.WARNING,
    rank=Rank.OWNERSHIP,
    read=_DOCS + "concepts/overview/working-with-objects/owners-dependents/",
)
def dangling(item: Pod | Object, world: World) -> Iterator[Cause]:
    """An owner reference whose object does not exist: another uid, another namespace, or deleted."""
    raw = item.raw if isinstance(item, Pod) else item
    age = world.since(text_at(raw, "metadata", "creationTimestamp")) or 0
    if age < _FRESH or dig(raw, "metadata", "deletionTimestamp"):
        return
    ref = item.ref if isinstance(item, Pod) else about(raw)
    space = namespace_of(raw)
    for owner in maps_at(raw, "metadata", "ownerReferences"):
        resource = _resource(owner)
        name, uid = text_at(owner, "name"), text_at(owner, "uid")
        if resource is None:
            continue
        look = inspect(f"kubectl get {resource.plural} -A --field-selector metadata.name={name}")
        told = seen(ref, "metadata.ownerReferences", f"{resource.kind} {name} uid {uid}")
        values = {"kind": ref.kind, "owner_kind": resource.kind, "owner": name, "uid": uid}
        if resource.namespaced and not space:
            step = change(text=say("rule_ownership.kc5167.do"))
            yield Cause(values, (told, *_invalid(ref, world)), (look, step), variant="cause_scope")
            continue
        there = world.get(resource, name, space)
        if there is not None and text_at(there, "metadata", "uid") == uid:
            continue
        owner_ref = Ref(resource.kind, name, space if resource.namespaced else "")
        found = text_at(there, "metadata", "uid") or "not found"
        yield Cause(
            {**values, "found": found},
            (told, seen(owner_ref, "metadata.uid", found)),
            (look, change(text=say("rule_ownership.kc5167.do"))),
            variant="cause" if there is None else "cause_other",
        )


def _invalid(ref: Ref, world: World) -> tuple[Evidence, ...]:
    """What the garbage collector said of it, when that can be read."""
    try:
        events = [e for e in world.events(ref) if e.reason == "OwnerRefInvalidNamespace"]
    except NotKnown:
        return ()
    return tuple(Evidence(f"Event of {ref}", e.reason, e.message, e.last) for e in events[-1:])


def _resource(owner: Mapping[str, Any]) -> Resource | None:
    group = text_at(owner, "apiVersion").rpartition("/")[0]
    return _BY_KIND.get((group, text_at(owner, "kind")))


_BY_KIND = {(one.group, one.kind): one for one in KNOWN}
