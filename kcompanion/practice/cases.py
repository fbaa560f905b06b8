"""An exercise made ready for one namespace: its objects as they will be created, and what has to hold in the end."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, name_of
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.practice.exercises import Exercise
from kcompanion.practice.faults import BY_KIND, Item, containers, pod_specs
from kcompanion.practice.goals import GOALS, Goal
from kcompanion.practice.programs import portable
from kcompanion.trace.manifest import MANAGED_BY

PRACTICE = "kcompanion.dev/practice"  # the label of everything an exercise makes; its value is the run
# Rules of a namespace come before what they are to forbid, and configuration before what uses it.
_FIRST: tuple[Resource, ...] = (r.RESOURCEQUOTAS, r.LIMITRANGES, r.CONFIGMAPS, r.SECRETS, r.SERVICES)


@dataclass(frozen=True)
class Case:
    exercise: Exercise
    namespace: str
    image: str
    space: Item  # the namespace itself
    items: tuple[Item, ...]
    target: Ref  # what `explain` is asked about
    goals: tuple[Goal, ...]


def case(exercise: Exercise, namespace: str, image: str, run: str = "") -> Case:
    """The exercise in a namespace, with an image of the learner's choice."""
    fault = exercise.fault
    labels = {MANAGED_BY: "kcompanion", **({PRACTICE: run} if run else {})}
    items = [_portable(item, image) for item in fault.items]
    if not exercise.alone:
        items = [_mendable(item) for item in items]
    items = sorted((_placed(item, namespace, labels) for item in items), key=_order)
    kind = "Pod" if exercise.alone else _kind_of(fault.kind, fault.target, items)
    return Case(
        exercise,
        namespace,
        image,
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {**labels, **fault.labels}},
        },
        tuple(items),
        Ref(kind, fault.target, namespace),
        tuple(_goal(item) for item in items if item["kind"] in GOALS),
    )


def _kind_of(kind: str, name: str, items: Sequence[Item]) -> str:
    """The kind of what is explained: that of the Deployment where a pod was put under one."""
    kinds = [item["kind"] for item in items if name_of(item) == name]
    return kind if kind in kinds else "Deployment"


def _goal(item: Item) -> Goal:
    asked = dig(item, "spec", "replicas")
    return Goal(Ref(item["kind"], name_of(item), item["metadata"]["namespace"]), 1 if asked is None else int(asked))


def _order(item: Item) -> int:
    resource = BY_KIND[item["kind"]]
    return _FIRST.index(resource) if resource in _FIRST else len(_FIRST)


def _portable(item: Item, image: str) -> dict[str, Any]:
    made = copy.deepcopy(dict(item))
    for spec in pod_specs(made):
        for container in containers(spec):
            changed = portable(container, image)
            assert isinstance(container, dict)  # noqa: S101 - tells mypy what a copy of YAML is
            container.clear()
            container.update(changed)
    return made


def _mendable(item: dict[str, Any]) -> dict[str, Any]:
    """A pod that is to run for ever, under a Deployment of its name: that can be edited, a pod hardly."""
    spec = map_at(item, "spec")
    if item["kind"] != "Pod" or spec.get("restartPolicy", "Always") != "Always":
        return item
    name = name_of(item)
    labels = dict(labels_of(item)) or {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def _placed(item: Item, namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    meta = map_at(item, "metadata")
    return {**item, "metadata": {**meta, "namespace": namespace, "labels": {**labels_of(item), **labels}}}
