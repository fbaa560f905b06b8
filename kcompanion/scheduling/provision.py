"""Claims that wait for their first consumer: is there a volume that the node reaches, or can one be provisioned?

FindPodVolumes of pkg/scheduler/framework/plugins/volumebinding and FindMatchingVolume of component-helpers, 1.36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import (
    annotations_of,
    dig,
    labels_of,
    map_at,
    maps_at,
    name_of,
    namespace_of,
    text_at,
    texts_at,
)
from kcompanion.model.finding import Evidence
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.refs import Ref
from kcompanion.model.selectors import selects
from kcompanion.model.snapshot import Object
from kcompanion.scheduling.affinity import selector_takes
from kcompanion.scheduling.result import Miss
from kcompanion.scheduling.state import State

SELECTED = "volume.kubernetes.io/selected-node"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
ZERO = Decimal(0)


def misses_of_unbound(
    claims: Sequence[Object], node: Object, state: State, class_of: Callable[[Object], str]
) -> Iterator[Miss]:
    """What keeps unbound claims from getting a volume on a node; `class_of` names a claim's storage class."""
    chosen: set[str] = set()
    for claim in sorted(claims, key=_size):
        selected = text_at(annotations_of(claim), SELECTED)
        if selected and selected != name_of(node):
            yield _miss("selected_elsewhere", 75, claim, node, selected=selected)
            continue
        if not selected:
            volume = _matching(claim, class_of(claim), node, state, chosen)
            if volume is not None:
                chosen.add(name_of(volume))
                continue
        miss = _unprovidable(claim, class_of(claim), node, state)
        if miss is not None:
            yield miss


def _matching(claim: Object, class_name: str, node: Object, state: State, chosen: set[str]) -> Object | None:
    fitting = [
        volume
        for volume in state.world.all(r.PERSISTENTVOLUMES)
        if name_of(volume) not in chosen and _matches(volume, claim, class_name) and _reaches(volume, node)
    ]
    return min(fitting, key=_capacity, default=None)


def _matches(volume: Object, claim: Object, class_name: str) -> bool:
    spec = map_at(volume, "spec")
    reference = map_at(spec, "claimRef")
    mine = (reference.get("name"), reference.get("namespace")) == (name_of(claim), namespace_of(claim))
    if reference and not mine:
        return False
    if _capacity(volume) < _size(claim) or text_at(volume, "metadata", "deletionTimestamp"):
        return False
    if (text_at(spec, "volumeMode") or "Filesystem") != (text_at(claim, "spec", "volumeMode") or "Filesystem"):
        return False
    if text_at(spec, "volumeAttributesClassName") != text_at(claim, "spec", "volumeAttributesClassName"):
        return False
    if mine:
        return True
    selector = dig(claim, "spec", "selector")
    return (
        text_at(volume, "status", "phase") == "Available"
        and (selector is None or selects(selector, labels_of(volume)))
        and text_at(spec, "storageClassName") == class_name
        and set(texts_at(claim, "spec", "accessModes")) <= set(texts_at(spec, "accessModes"))
    )


def _reaches(volume: Object, node: Object) -> bool:
    required = map_at(volume, "spec", "nodeAffinity", "required")
    return not required or selector_takes(required, node)


def _unprovidable(claim: Object, class_name: str, node: Object, state: State) -> Miss | None:
    found = state.world.get(r.STORAGECLASSES, class_name) if class_name else None
    provisioner = text_at(found, "provisioner")
    if not provisioner or provisioner == NO_PROVISIONER:
        return _miss("no_volume", 75, claim, node, **{"class": class_name or "-"})
    if not _topology_allows(found or {}, node):
        return _miss("class_topology", 75, claim, node, **{"class": class_name})
    if not _enough(claim, class_name, provisioner, node, state):
        size = text_at(claim, "spec", "resources", "requests", "storage")
        return _miss("capacity", 76, claim, node, size=size, **{"class": class_name})
    return None


def _topology_allows(found: Object, node: Object) -> bool:
    terms = list(maps_at(found, "allowedTopologies"))
    labels = labels_of(node)
    return not terms or any(
        all(labels.get(text_at(e, "key")) in texts_at(e, "values") for e in maps_at(term, "matchLabelExpressions"))
        for term in terms
    )


def _enough(claim: Object, class_name: str, provisioner: str, node: Object, state: State) -> bool:
    """Whether a driver that tells its capacity has a segment with enough of it that the node reaches."""
    driver = state.world.get(r.CSIDRIVERS, provisioner)
    if driver is None or dig(driver, "spec", "storageCapacity") is not True:
        return True
    return any(
        text_at(one, "storageClassName") == class_name
        and (parse_quantity(one.get("maximumVolumeSize") or one.get("capacity")) or ZERO) >= _size(claim)
        and isinstance(one.get("nodeTopology"), Mapping)
        and selects(one["nodeTopology"], labels_of(node))
        for one in state.world.all(r.CSISTORAGECAPACITIES)
    )


def _miss(kind: str, number: int, claim: Object, node: Object, **values: Any) -> Miss:  # noqa: ANN401 - placeholders
    ref = Ref("PersistentVolumeClaim", name_of(claim), namespace_of(claim))
    told = text_at(claim, "spec", "storageClassName") or "-"
    seen = Evidence(str(ref), "spec.storageClassName", told)
    if "selected" in values:
        seen = Evidence(str(ref), f"metadata.annotations[{SELECTED}]", str(values["selected"]))
    both = {"claim": ref.name, "place": ref.place, "node": name_of(node), **values}
    return Miss(kind, number, both, (seen,), ref)


def _size(claim: Object) -> Decimal:
    return parse_quantity(text_at(claim, "spec", "resources", "requests", "storage")) or ZERO


def _capacity(volume: Object) -> Decimal:
    return parse_quantity(text_at(volume, "spec", "capacity", "storage")) or ZERO
