"""Services with what stands behind them: ready endpoints of how many, and the pods' names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.controlplane.lifesigns import silent_nodes
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, maps_at, name_of, namespace_of, text_at, texts_at
from kcompanion.model.finding import Status, worst
from kcompanion.model.message import say
from kcompanion.model.selectors import selector_text, selects
from kcompanion.model.snapshot import Object
from kcompanion.ownership.tree import Forest
from kcompanion.report.document import Block, Cell, Lines, Table, columns
from kcompanion.report.whole.gathered import Gathered

ROWS = 150
NAMED = 2  # endpoints by name
_SERVICE = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Service:
    """A Service as its object and its EndpointSlices show it; `ready` is None where slices could not be read."""

    namespace: str
    name: str
    type: str
    address: str
    ports: tuple[str, ...]
    selector: str
    ready: int | None
    endpoints: int | None
    targets: tuple[str, ...]
    status: Status | None

    def to_json(self) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "type": self.type,
            "clusterIP": self.address or None,
            "ports": list(self.ports),
            "selector": self.selector or None,
            "readyEndpoints": self.ready,
            "endpoints": self.endpoints,
            "targets": list(self.targets),
            "status": self.status.value if self.status else None,
        }


def services(found: Gathered) -> list[Service]:
    """The Services in scope by namespace and name."""
    slices: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for item in found.objects(r.ENDPOINTSLICES):
        known = slices[namespace_of(item), str(labels_of(item).get(_SERVICE, ""))]
        for endpoint in maps_at(item, "endpoints"):
            # a pod with two families of addresses, or behind ports of several slices, is still one
            key = text_at(endpoint, "targetRef", "uid") or ", ".join(texts_at(endpoint, "addresses"))
            if key not in known or _ready(endpoint):
                known[key] = endpoint
    complete = found.read(r.ENDPOINTSLICES)
    items = [item for item in found.objects(r.SERVICES) if _in_scope(item, found)]
    items.sort(key=lambda item: (namespace_of(item), name_of(item)))
    return [
        _service(item, list(slices[namespace_of(item), name_of(item)].values()) if complete else None, found)
        for item in items
    ]


def _in_scope(service: Object, found: Gathered) -> bool:
    if found.scope.kind in ("cluster", "namespace"):
        return True
    return _serves(service, found.grown.forest)


def _serves(service: Object, forest: Forest) -> bool:
    chosen = map_at(service, "spec", "selector")
    pods = (node.entity for node in forest.walk() if node.entity.resource == r.PODS)
    return bool(chosen) and any(
        pod.ref.namespace == namespace_of(service) and selects({"matchLabels": chosen}, pod.labels) for pod in pods
    )


def _service(item: Object, endpoints: Sequence[Any] | None, found: Gathered) -> Service:
    space, name = namespace_of(item), name_of(item)
    verdict = found.sweep.verdicts.get(f"Service/{space}/{name}")
    called = None if endpoints is None else [one for one in endpoints if _ready(one)]
    # until the node controller notices, the endpoints of a dead node are still called ready
    silent = silent_nodes(found.snapshot)
    ready = None if called is None else [one for one in called if text_at(one, "nodeName") not in silent]
    named = sorted(text_at(one, "targetRef", "name") or ", ".join(texts_at(one, "addresses")) for one in ready or ())
    chosen = map_at(item, "spec", "selector")
    return Service(
        space,
        name,
        text_at(item, "spec", "type") or "ClusterIP",
        text_at(item, "spec", "clusterIP") or text_at(item, "spec", "externalName"),
        tuple(_port(port) for port in maps_at(item, "spec", "ports")),
        selector_text({"matchLabels": chosen}) if chosen else "",
        None if ready is None else len(ready),
        None if endpoints is None else len(endpoints),
        tuple(named),
        _status(verdict.status if verdict else None, len(called or ()), len(ready or ())),
    )


def _ready(endpoint: Object) -> bool:
    return dig(endpoint, "conditions", "ready") is not False  # none means ready (discovery/v1 EndpointConditions)


def _status(judged: Status | None, called: int, ready: int) -> Status | None:
    """What the rules say; worse where some or all that should answer have fallen silent."""
    if ready == called:
        return judged
    return worst([judged or Status.OK, Status.WARN if ready else Status.FAIL])


def _port(port: Any) -> str:  # noqa: ANN401 - JSON
    told = f"{port.get('port', '?')}/{port.get('protocol') or 'TCP'}"
    return f"{told}→{port['targetPort']}" if "targetPort" in port else told


def blocks(found: Sequence[Service]) -> list[Block]:
    """The table, what is not well first where there are too many."""
    ranked = sorted(found, key=lambda one: one.status in (None, Status.OK))[:ROWS]
    kept = {(one.namespace, one.name) for one in ranked}
    rows: list[list[Cell]] = [
        [
            one.namespace,
            one.name,
            one.status,
            one.type,
            one.address,
            ", ".join(one.ports),
            None if one.ready is None else f"{one.ready}/{one.endpoints}",
            _targets(one),
            one.selector,
        ]
        for one in found
        if (one.namespace, one.name) in kept
    ]
    head = columns("NAMESPACE SERVICE STATUS TYPE ADDRESS PORTS READY ENDPOINTS +SELECTOR")
    made: list[Block] = [Table(head, rows)]
    if len(found) > len(rows):
        made.append(Lines([say("report.more_rows", count=len(found) - len(rows), total=len(found))]))
    return made


def _targets(one: Service) -> Cell:
    names = ", ".join(one.targets[:NAMED])
    more = len(one.targets) - NAMED
    return say("report.and_more", names=names, count=more) if more > 0 else names
