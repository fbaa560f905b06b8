"""What a change of a pod's labels would bring about: who lets it go, who takes it, what is made or deleted then.

Nothing is written. The change is thought through with the rules of `claim`: first the controller that has the pod
releases it, then another may adopt it, then each of them counts its pods again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, name_of, text_at
from kcompanion.model.refs import Ref, ref_of
from kcompanion.model.selectors import selects
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.claim import (
    CLAIMS,
    COUNTING,
    Controller,
    active,
    claim,
    controllers_in,
    listed_together,
)
from kcompanion.ownership.owners import Entity, controller_of
from kcompanion.reconcile.claims import Claim
from kcompanion.reconcile.moments import SECOND, since_1970
from kcompanion.reconcile.pod import Pod, pod_of
from kcompanion.reconcile.victims import victims

Changes = Mapping[str, str | None]  # None takes the label away
_SOON = (0, 5, 15, 30, 60)  # seconds from now at which somebody may change the label
_CONTROLLERS = tuple(resource for resource, claimed in CLAIMS.items() if claimed == r.PODS)


class Then(StrEnum):
    """What a controller does once it has lost or got the pod."""

    CREATES = "creates"
    DELETES = "deletes"
    ENOUGH = "enough"  # it has as many as it wants
    STUCK = "stuck"  # it wants to make a pod whose name is taken
    SAME_NODE = "sameNode"  # a DaemonSet makes one anew on the pod's node
    SURPLUS = "surplus"  # a DaemonSet keeps one pod of those on the node
    JOB = "job"  # a Job makes up for it if completions are still missing


@dataclass(frozen=True)
class Effect:
    """What happens to one controller; `pods` are those that are made (how many) or deleted (which, probably)."""

    controller: Ref
    claim: Claim
    then: Then
    count: int = 0  # pods it has once the labels are changed
    wanted: int | None = None
    made: int = 0
    deleted: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()  # those that may go instead: ages count by powers of two, so the order shifts

    def to_json(self) -> dict[str, Any]:
        return {
            "controller": self.controller.subject,
            "claim": self.claim.value,
            "then": self.then.value,
            "podsThen": self.count,
            "wanted": self.wanted,
            "created": self.made,
            "deleted": list(self.deleted),
            "perhapsInstead": list(self.perhaps),
        }


@dataclass(frozen=True)
class Chosen:
    """A Service, NetworkPolicy or PodDisruptionBudget whose selector fits after the change, or no longer."""

    ref: Ref
    gains: bool

    def to_json(self) -> dict[str, Any]:
        return {"object": self.ref.subject, "gains": self.gains}


@dataclass(frozen=True)
class Preview:
    """What a change of labels would bring about. `rivals` would adopt the pod too; who is first, nobody can tell."""

    pod: Ref
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    effects: tuple[Effect, ...] = ()
    rivals: tuple[Ref, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    gaps: tuple[Gap, ...] = ()
    keeps: Ref | None = None  # the controller that has the pod before and after
    finished: bool = False  # a finished pod counts for nobody
    static: bool = False  # kubelet looks after it, whatever its labels are

    @property
    def changes(self) -> bool:
        return dict(self.before) != dict(self.after)

    def to_json(self) -> dict[str, Any]:
        return {
            "pod": self.pod.subject,
            "before": dict(self.before),
            "after": dict(self.after),
            "keeps": self.keeps.subject if self.keeps else None,
            "effects": [effect.to_json() for effect in self.effects],
            "rivals": [ref.subject for ref in self.rivals],
            "selectedBy": [one.to_json() for one in self.chosen],
        }


def changed(labels: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Labels after a change."""
    kept = {key: value for key, value in labels.items() if key not in changes}
    return {**kept, **{key: value for key, value in changes.items() if value is not None}}


def preview(pod: Object, changes: Changes, world: World) -> Preview:
    """What the change would bring about for controllers, Services, policies and budgets.

    Raises:
        NotKnown: the controllers or pods of the namespace could not all be listed.
    """
    ref = ref_of(pod, "Pod")
    before = labels_of(pod)
    after = changed(before, changes)
    # the selecting kinds first: what they lack is wanted in the same round
    chosen, gaps = _chosen(ref.namespace, before, after, world)
    pods = listed_together((r.PODS, *_CONTROLLERS), ref.namespace, world)[r.PODS]
    controllers = controllers_in(ref.namespace, r.PODS, world)
    releasing = [one for one in controllers if claim(one, pod, after) is Claim.RELEASES]
    keeping = next((one.ref for one in controllers if claim(one, pod, after) is Claim.KEEPS), None)
    freed = bool(releasing) or controller_of(pod) is None
    adopting = [one for one in controllers if freed and claim(one, pod, after, freed=True) is Claim.ADOPTS]
    effects = [_released(one, pod, pods) for one in releasing]
    effects += [_adopted(one, pod, after, pods, controllers, world) for one in adopting[:1]]
    return Preview(
        ref,
        before,
        after,
        tuple(effects),
        tuple(one.ref for one in adopting[1:]),
        chosen,
        gaps,
        keeping,
        not active(pod),
        Entity(r.PODS, pod).mirror,
    )


def _own(controller: Controller, pods: Sequence[Object]) -> list[Object]:
    """The active pods a controller has, and those it is about to adopt."""
    mine = (Claim.KEEPS, Claim.ADOPTS)
    return [pod for pod in pods if active(pod) and claim(controller, pod) in mine]


def _wanted(controller: Controller) -> int:
    found = dig(controller.item, "spec", "replicas")
    return found if isinstance(found, int) else 1


def _released(controller: Controller, pod: Object, pods: Sequence[Object]) -> Effect:
    """What the controller does without the pod."""
    left = [one for one in _own(controller, pods) if name_of(one) != name_of(pod)]
    count = len(left)
    if controller.ref.kind in COUNTING:
        wanted = _wanted(controller)
        missing = max(0, wanted - count)
        then = Then.CREATES if missing else Then.ENOUGH
        return Effect(controller.ref, Claim.RELEASES, then, count, wanted, missing)
    if controller.ref.kind == "StatefulSet":
        return Effect(controller.ref, Claim.RELEASES, Then.STUCK, count, _wanted(controller))
    if controller.ref.kind == "DaemonSet":
        return Effect(controller.ref, Claim.RELEASES, Then.SAME_NODE, count, None, 1)
    return Effect(controller.ref, Claim.RELEASES, Then.JOB, count)


def _adopted(
    controller: Controller,
    pod: Object,
    after: Mapping[str, Any],
    pods: Sequence[Object],
    controllers: Sequence[Controller],
    world: World,
) -> Effect:
    """What the controller does with one pod more."""
    metadata = {**map_at(pod, "metadata"), "labels": dict(after), "ownerReferences": []}
    taken = {**pod, "metadata": metadata}
    those = [one for one in _own(controller, pods) if name_of(one) != name_of(pod)] + [taken]
    count = len(those)
    if controller.ref.kind in COUNTING:
        wanted = _wanted(controller)
        surplus = max(0, count - wanted)
        related = _related(controller, controllers, [*(p for p in pods if name_of(p) != name_of(pod)), taken])
        slim, now = [pod_of(one) for one in those], since_1970(world.now)
        gone, *later = (
            [victim.pod.name for victim in victims(slim, surplus, related, now + seconds * SECOND)] for seconds in _SOON
        )
        if gone:
            perhaps = sorted({name for names in later for name in names} - {*gone})
            return Effect(controller.ref, Claim.ADOPTS, Then.DELETES, count, wanted, 0, tuple(gone), tuple(perhaps))
        return Effect(
            controller.ref,
            Claim.ADOPTS,
            Then.CREATES if count < wanted else Then.ENOUGH,
            count,
            wanted,
            max(0, wanted - count),
        )
    if controller.ref.kind == "DaemonSet":
        node = text_at(pod, "spec", "nodeName")
        more = any(text_at(one, "spec", "nodeName") == node for one in those[:-1])
        return Effect(controller.ref, Claim.ADOPTS, Then.SURPLUS if more else Then.ENOUGH, count)
    if controller.ref.kind == "StatefulSet":
        return Effect(controller.ref, Claim.ADOPTS, Then.ENOUGH, count, _wanted(controller))
    return Effect(controller.ref, Claim.ADOPTS, Then.JOB, count)


def _related(controller: Controller, controllers: Sequence[Controller], pods: Sequence[Object]) -> list[Pod]:
    """The active pods that ReplicaSets of the same owner select."""
    owner = controller_of(controller.item)
    if owner is None:
        return []
    siblings = [
        one
        for one in controllers
        if one.resource == controller.resource and (found := controller_of(one.item)) and found.uid == owner.uid
    ]
    return [pod_of(pod) for pod in pods if active(pod) and any(one.takes(pod) for one in siblings)]


# kind of object, where its selector stands, whether that is a plain mapping of labels
_SELECTING = (
    (r.SERVICES, "selector", True),
    (r.NETWORKPOLICIES, "podSelector", False),
    (r.PDBS, "selector", False),
)


def _chosen(
    namespace: str, before: Mapping[str, Any], after: Mapping[str, Any], world: World
) -> tuple[tuple[Chosen, ...], tuple[Gap, ...]]:
    found: list[Chosen] = []
    gaps: list[Gap] = []
    for resource, field, plain in _SELECTING:
        try:
            items = world.all(resource, namespace)
        except NotKnown as unknown:
            gaps.append(unknown.gap)
            continue
        for item in sorted(items, key=name_of):
            chosen = dig(item, "spec", field)
            fits = [_fits(chosen, labels, plain=plain) for labels in (before, after)]
            if fits[0] != fits[1]:
                found.append(Chosen(ref_of(item, resource.kind), gains=fits[1]))
    return tuple(found), tuple(gaps)


def _fits(selector: object, labels: Mapping[str, Any], *, plain: bool) -> bool:
    if plain:  # a Service without a selector chooses nothing
        return bool(selector) and selects({"matchLabels": selector}, labels)
    return selects(selector, labels)


def parsed(words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """`key=value` and `key-`, as kubectl label takes them.

    Raises:
        ValueError: a word is neither; its argument is the word.
    """
    for word in words:
        key, equals, value = word.partition("=")
        if not equals and word.endswith("-"):
            key, value_or_none = word[:-1], None
        elif equals:
            value_or_none = value
        else:
            raise ValueError(word)
        if not _is_key(key) or (value_or_none is not None and not _is_value(value_or_none)):
            raise ValueError(word)
        yield key, value_or_none


def _is_key(key: str) -> bool:
    """A name like a value's, optionally after a DNS subdomain and a slash."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (prefix and len(prefix) <= 253 and all(map(_is_dns, prefix.split(".")))):
        return False
    return bool(name) and _is_value(name)


def _is_dns(part: str) -> bool:
    return bool(part) and _is_value(part) and part == part.lower() and "_" not in part


def _is_value(value: str) -> bool:
    """At most 63 letters, digits, dashes, dots, underscores, beginning and ending with a letter or digit."""
    if value == "":
        return True
    if len(value) > 63 or not value.isascii():
        return False
    return value[0].isalnum() and value[-1].isalnum() and all(c.isalnum() or c in "-_." for c in value)
