"""Events as both APIs write them: core/v1 with a count, events.k8s.io with a series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import dig, text_at


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody reported about an object. Times are the API's texts, empty when not given."""

    kind: str
    namespace: str
    name: str
    uid: str
    type: str  # Normal or Warning
    reason: str
    message: str
    count: int
    first: str
    last: str
    reporter: str  # the component, for example kubelet
    host: str
    path: str  # the part of the object, for example spec.containers{web}
    related: str  # "Kind/name" of a second object


def event_of(item: Mapping[str, Any]) -> Event:
    """One Event object, whichever generation of fields its writer used."""
    about = "involvedObject" if "involvedObject" in item else "regarding"
    count = dig(item, "series", "count") or item.get("count") or item.get("deprecatedCount")
    created = text_at(item, "metadata", "creationTimestamp")
    first = _first(item, "firstTimestamp", "eventTime", "deprecatedFirstTimestamp") or created
    last = text_at(item, "series", "lastObservedTime") or _first(item, "lastTimestamp", "deprecatedLastTimestamp")
    related = text_at(item, "related", "kind"), text_at(item, "related", "name")
    return Event(
        kind=text_at(item, about, "kind"),
        namespace=text_at(item, about, "namespace"),
        name=text_at(item, about, "name"),
        uid=text_at(item, about, "uid"),
        type=text_at(item, "type"),
        reason=text_at(item, "reason"),
        message=text_at(item, "message") or text_at(item, "note"),
        count=count if isinstance(count, int) else 1,
        first=first,
        last=last or first,
        reporter=text_at(item, "reportingComponent") or text_at(item, "source", "component"),
        host=text_at(item, "source", "host") or text_at(item, "deprecatedSource", "host"),
        path=text_at(item, about, "fieldPath"),
        related="/".join(related) if all(related) else "",
    )


def _first(item: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if (value := text_at(item, name))), "")
