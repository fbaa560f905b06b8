"""The ReplicaSet that is reconciled, with its selector made ready: it is asked about every pod at every sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kcompanion.model.fields import dig, labels_of, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.selectors import selects
from kcompanion.model.snapshot import Object
from kcompanion.reconcile.pod import controller_of, version_of
from kcompanion.reconcile.target import Key, Target

_OPERATORS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """What decides about a ReplicaSet; `raw` is the object itself, since a status is written with the whole of it."""

    target: Target
    namespace: str
    name: str
    uid: str
    version: int = 0
    generation: int = 0
    replicas: int = 1
    min_ready_seconds: int = 0
    selector: Mapping[str, Any] = field(default_factory=dict)
    template: Mapping[str, Any] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    deleted_at: str = ""  # its deletionTimestamp
    controller_uid: str = ""  # of its Deployment, if it has one
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    selects: Callable[[Mapping[str, str]], bool] = field(default=lambda _: False, repr=False, compare=False)

    @property
    def key(self) -> Key:
        return Key(self.namespace, self.name)

    @property
    def deleting(self) -> bool:
        return bool(self.deleted_at)

    @property
    def template_labels(self) -> Mapping[str, Any]:
        return labels_of(self.template)

    @property
    def valid(self) -> bool:
        """Whether its selector can be read and takes not just everything; without that nothing is done."""
        return usable(self.selector)


def replicaset_of(target: Target, item: Object) -> ReplicaSet:
    """The ReplicaSet in an object of the API; like `pod_of` it never fails."""
    selector = map_at(item, "spec", "selector")
    reference = controller_of(item)
    return ReplicaSet(
        target=target,
        namespace=namespace_of(item),
        name=name_of(item),
        uid=text_at(item, "metadata", "uid"),
        version=version_of(item),
        generation=_number(item, "metadata", "generation"),
        replicas=_number(item, "spec", "replicas", default=1),
        min_ready_seconds=_number(item, "spec", "minReadySeconds"),
        selector=selector,
        template=map_at(item, "spec", "template"),
        status=map_at(item, "status"),
        deleted_at=text_at(item, "metadata", "deletionTimestamp"),
        controller_uid=reference.uid if reference else "",
        raw=item,
        selects=compiled(selector),
    )


def usable(selector: Mapping[str, Any]) -> bool:
    """Whether a selector asks for something, and for nothing unheard of."""
    expressions = tuple(maps_at(selector, "matchExpressions"))
    return bool(map_at(selector, "matchLabels") or expressions) and all(
        text_at(expression, "operator") in _OPERATORS for expression in expressions
    )


def compiled(selector: Mapping[str, Any]) -> Callable[[Mapping[str, str]], bool]:
    """`model.selectors.selects` for one selector, quick where it has labels only, as nearly all have."""
    if not usable(selector):
        return lambda _: False
    if selector.get("matchExpressions"):
        return lambda labels: selects(selector, labels)
    wanted = map_at(selector, "matchLabels").items()
    return lambda labels: wanted <= labels.items()


def _number(item: Object, *path: str, default: int = 0) -> int:
    value = dig(item, *path)
    return value if type(value) is int else default
