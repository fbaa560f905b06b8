"""The last step of a pod's way: which Services send it traffic, told by the EndpointSlices that hold it."""

from __future__ import annotations

from collections.abc import Iterator

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
from kcompanion.model.message import say
from kcompanion.model.selectors import matches
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.trace.steps import State, Step

ACTOR = "endpointslice-controller"
_SERVICE = "kubernetes.io/service-name"
# The time of the change of a pod or Service that led to the last write of the slice.
_TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"


def endpoints(pod: Object, world: World) -> Iterator[Step]:
    """One step per Service whose slices hold the pod, or that selects it and does not hold it yet.

    Raises:
        NotKnown: EndpointSlices or Services could not be listed.
    """
    space, uid = namespace_of(pod), text_at(pod, "metadata", "uid")
    slices = world.all(r.ENDPOINTSLICES, space)
    services = world.all(r.SERVICES, space)
    held = set()
    for piece in slices:
        for endpoint in maps_at(piece, "endpoints"):
            if text_at(endpoint, "targetRef", "uid") == uid:
                held.add(labels_of(piece).get(_SERVICE))
                yield _held(pod, piece, ready=map_at(endpoint, "conditions").get("ready") is not False)
    for service in services:
        if name_of(service) not in held and _selects(service, pod):
            told = say("trace.endpoints.not_yet", service=name_of(service))
            yield Step("endpoints", ACTOR, told, "EndpointSlices", state=State.OPEN)
    if not held and not any(_selects(service, pod) for service in services):
        yield Step("no_service", "-", say("trace.endpoints.none"), "Services")


def _selects(service: Object, pod: Object) -> bool:
    selector = map_at(service, "spec", "selector")
    text = ",".join(f"{key}={value}" for key, value in selector.items())
    return bool(selector) and matches(text, labels_of(pod))


def _held(pod: Object, piece: Object, *, ready: bool) -> Step:
    """The slice tells the time of its last trigger only; it is this pod's when it is the second the pod got Ready."""
    service = str(labels_of(piece).get(_SERVICE) or name_of(piece))
    trigger = annotations_of(piece).get(_TRIGGER)
    became = text_at(condition(pod, "Ready"), "lastTransitionTime")
    values = {"service": service, "slice": name_of(piece)}
    if not ready:
        return Step("endpoints", ACTOR, say("trace.endpoints.not_ready", **values), f"EndpointSlice {name_of(piece)}")
    if isinstance(trigger, str) and trigger[:19] == became[:19] and became:
        told = say("trace.endpoints.held", **values)
        return Step("endpoints", ACTOR, told, f"EndpointSlice {name_of(piece)}", at=became)
    told = say("trace.endpoints.held_since_unknown", **values)
    return Step("endpoints", ACTOR, told, f"EndpointSlice {name_of(piece)}", state=State.MISSING)


def probe_failures(events: list[Event], container: str) -> Event | None:
    """The latest event about a probe that failed."""
    mine = [e for e in events if e.reason == "Unhealthy" and e.path.endswith(f"{{{container}}}")]
    return max(mine, key=lambda e: e.last, default=None)
