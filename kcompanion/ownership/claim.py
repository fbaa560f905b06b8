"""Who claims what among the objects that were read: which controller would keep, release or adopt an object.

The rule itself is the operator's own (`kcompanion.reconcile.claims`). Here is what each kind of controller hands to
it: the ReplicaSet controller leaves out finished pods and those being deleted, a StatefulSet looks at the name too, a
finished Job claims nothing any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import condition, labels_of, map_at, name_of, namespace_of, text_at
from kcompanion.model.podresources import ENDED
from kcompanion.model.resources import Resource
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.ownership.owners import Entity, controller_of
from kcompanion.reconcile.claims import Claim, Has
from kcompanion.reconcile.claims import claim as decided

# What each kind of controller claims.
CLAIMS: Mapping[Resource, Resource] = {
    r.DEPLOYMENTS: r.REPLICASETS,
    r.REPLICASETS: r.PODS,
    r.REPLICATIONCONTROLLERS: r.PODS,
    r.COMPANIONREPLICASETS: r.PODS,
    r.STATEFULSETS: r.PODS,
    r.DAEMONSETS: r.PODS,
    r.JOBS: r.PODS,
}
# Those that count pods and leave out the finished ones and those being deleted (FilterActivePods).
COUNTING = frozenset({"ReplicaSet", "ReplicationController", "CompanionReplicaSet"})
_PARENT = re.compile(r"(.*)-[0-9]+$")
_BUILT_IN_JOB_CONTROLLER = "kubernetes.io/job-controller"


@dataclass(frozen=True)
class Controller(Entity):
    """An object that claims others by a selector."""

    @property
    def claimed(self) -> Resource:
        """The resource it claims objects of."""
        return CLAIMS[self.resource]

    @cached_property
    def selector(self) -> Mapping[str, Any] | None:
        """Its LabelSelector; a ReplicationController's is a plain mapping."""
        if self.resource == r.REPLICATIONCONTROLLERS:
            return {"matchLabels": map_at(self.item, "spec", "selector")}
        found = self.item.get("spec", {}).get("selector") if isinstance(self.item.get("spec"), Mapping) else None
        return found if isinstance(found, Mapping) else None

    @property
    def selector_text(self) -> str:
        return selector_text(self.selector)

    @cached_property
    def template_labels(self) -> Mapping[str, Any]:
        """The labels of what it makes."""
        return map_at(self.item, "spec", "template", "metadata", "labels")

    @cached_property
    def at_work(self) -> bool:
        """Whether it still looks at all: a finished Job does not, nor one that another program manages."""
        if not (map_at(self.selector, "matchLabels") or (self.selector or {}).get("matchExpressions")):
            return False  # selects everything: the controllers refuse to work with that
        if self.resource != r.JOBS:
            return True
        done = any(condition(self.item, word).get("status") == "True" for word in ("Complete", "Failed"))
        return not done and text_at(self.item, "spec", "managedBy") in ("", _BUILT_IN_JOB_CONTROLLER)

    def takes(self, item: Object, labels: Mapping[str, Any] | None = None) -> bool:
        """Whether selector (and, for a StatefulSet, the name) fit; `labels` in the place of the object's own."""
        if not selects(self.selector, labels_of(item) if labels is None else labels):
            return False
        if self.resource != r.STATEFULSETS:
            return True
        found = _PARENT.match(name_of(item))
        return found is not None and found[1] == self.ref.name


def active(pod: Object) -> bool:
    """Whether a pod counts for a controller: not finished, not being deleted."""
    finished = text_at(pod, "status", "phase") in ENDED
    return not finished and not text_at(pod, "metadata", "deletionTimestamp")


def claim(
    controller: Controller, item: Object, labels: Mapping[str, Any] | None = None, *, freed: bool = False
) -> Claim:
    """What the controller does about an object of the kind it claims.

    Args:
        controller: who claims.
        item: the object as it is.
        labels: the labels it is thought to have; its own if not given.
        freed: whether to think its controller reference away.
    """
    owner = None if freed else controller_of(item)
    if namespace_of(item) != controller.ref.namespace or (owner is not None and owner.uid != controller.uid):
        return Claim.NOTHING
    fits = controller.takes(item, labels)
    if owner is None and not fits:  # most pairs of many
        return Claim.NOTHING
    if not controller.at_work or (controller.ref.kind in COUNTING and not active(item)):
        return Claim.NOTHING
    return decided(
        Has.NOBODYS if owner is None else Has.OURS,
        fits=fits,
        controller_deleting=controller.deleting,
        deleting=bool(text_at(item, "metadata", "deletionTimestamp")),
    )


def controllers_in(namespace: str, claimed: Resource, world: World) -> list[Controller]:
    """The controllers of a namespace (or of all) that claim objects of a resource, by kind and name.

    Raises:
        NotKnown: a kind of controller could not be listed.
    """
    kinds = [resource for resource, what in CLAIMS.items() if what == claimed]
    listed = listed_together(kinds, namespace, world)
    return [
        controller
        for resource in kinds
        for controller in sorted((Controller(resource, item) for item in listed[resource]), key=lambda one: one.ref)
    ]


def listed_together(resources: Iterable[Resource], namespace: str, world: World) -> Mapping[Resource, Sequence[Object]]:
    """The objects of several resources, so that all that is not known yet is read in one round.

    Raises:
        NotKnown: one of them could not be listed.
    """
    found: dict[Resource, Sequence[Object]] = {}
    unknown: NotKnown | None = None
    for resource in resources:
        try:
            found[resource] = world.all(resource, namespace)
        except NotKnown as missing:
            unknown = missing
    if unknown is not None:
        raise unknown
    return found
