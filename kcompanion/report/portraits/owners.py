"""Whose an object is: the chain of controllers above it, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.model.fields import annotations_of, maps_at, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.report.portraits.sight import Fact, Sight, label

DEEPEST = 6  # a chain longer than that goes in circles
MIRROR = "kubernetes.io/config.mirror"
_BY_KIND: Mapping[tuple[str, str], Resource] = {(one.group, one.kind): one for one in KNOWN}


def controller(item: Object) -> Mapping[str, Any]:
    """The owner reference of the controller, empty when nothing controls the object."""
    return next((one for one in maps_at(item, "metadata", "ownerReferences") if one.get("controller") is True), {})


def chain(item: Object, world: World) -> list[str]:
    """`["ReplicaSet web-5c8", "Deployment web"]`: the controllers above, the topmost last.

    Kinds that are not known by heart end the chain: to look further, discovery would have to be read.

    Raises:
        NotKnown: an owner could not be looked up.
    """
    names: list[str] = []
    above: Object | None = item
    space = text_at(item, "metadata", "namespace")
    while above is not None and len(names) < DEEPEST:
        owner = controller(above)
        if not owner:
            break
        kind, name = text_at(owner, "kind"), text_at(owner, "name")
        names.append(f"{kind} {name}")
        resource = _BY_KIND.get((text_at(owner, "apiVersion").rpartition("/")[0], kind))
        # these have no controller as a rule; looking would cost a request
        if resource is None or kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Node"):
            break
        above = world.get(resource, name, space)
    return names


def belongs(sight: Sight) -> Iterator[Fact]:
    """The fact: the topmost owner first, as one reads a tree."""
    if text_at(annotations_of(sight.item), MIRROR):
        yield label("owner"), say("portrait.owner.mirror", node=text_at(sight.item, "spec", "nodeName"))
        return
    names = chain(sight.item, sight.world)
    if names:
        yield label("owner"), " → ".join(reversed(names))
    elif sight.ref.kind == "Pod":
        yield label("owner"), say("portrait.owner.none")


def nearest(item: Object) -> str:
    """`ReplicaSet web-5c8`: who controls the object, empty when nobody does."""
    owner = controller(item)
    return f"{text_at(owner, 'kind')} {text_at(owner, 'name')}" if owner else ""


def gone(name: str) -> Message:
    """A name, marked as one of something that does not exist."""
    return say("portrait.missing", name=name)
