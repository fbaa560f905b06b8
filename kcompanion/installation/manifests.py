"""What `kcompanion operator install` applies: the manifests that ship with kcompanion, for a target and an image."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from importlib import resources as files
from importlib.resources.abc import Traversable
from pathlib import Path

from kcompanion.installation.kustomize import Item, render
from kcompanion.model import resources as r
from kcompanion.model.resources import Resource
from kcompanion.reconcile.target import BUILT_IN, COMPANION, Target

NAMESPACE = "kcompanion-system"
PART_OF = ("app.kubernetes.io/part-of", "kcompanion")  # what has this label is ours to change and to remove
SELECTOR = "app.kubernetes.io/name=kcompanion-operator"
PORT = 8080
_FOLDERS = {COMPANION.name: "operator", BUILT_IN.name: "operator/overlays/stand-in"}
# What others need comes first; removal goes the other way round.
_ORDER: tuple[Resource, ...] = (
    r.NAMESPACES,
    r.CRDS,
    r.SERVICEACCOUNTS,
    r.ROLES,
    r.CLUSTERROLES,
    r.ROLEBINDINGS,
    r.CLUSTERROLEBINDINGS,
    r.NETWORKPOLICIES,
    r.PDBS,
    r.DEPLOYMENTS,
    r.DAEMONSETS,
)
_BY_KIND: Mapping[str, Resource] = {resource.kind: resource for resource in _ORDER}
WORKLOADS = (r.DEPLOYMENTS, r.DAEMONSETS)


def folder() -> Traversable:
    """Where the manifests are: in the wheel beside the code, in a checkout beside the packages."""
    shipped = files.files("kcompanion") / "manifests"
    return shipped if shipped.is_dir() else Path(__file__).resolve().parents[2] / "manifests"


def manifests(target: Target, image: str = "") -> list[Item]:
    """The objects to apply, in order; with another image if one is named."""
    items = sorted(render(folder(), _FOLDERS[target.name]), key=lambda item: _ORDER.index(resource_of(item)))
    return [_with_image(item, image) if image and resource_of(item) in WORKLOADS else item for item in items]


def resource_of(item: Item) -> Resource:
    return _BY_KIND[item["kind"]]


def namespace_of(item: Item) -> str | None:
    name: str | None = item["metadata"].get("namespace")
    return name


def workload(items: Sequence[Item]) -> Item:
    """The one that runs the operator."""
    return next(item for item in items if resource_of(item) in WORKLOADS)


def image_of(items: Sequence[Item]) -> str:
    name: str = workload(items)["spec"]["template"]["spec"]["containers"][0]["image"]
    return name


def lease_of(target: Target) -> str:
    """The Lease in kube-system that decides who acts for a target."""
    return f"kcompanion-{target.name}"


def _with_image(item: Item, image: str) -> Item:
    made = copy.deepcopy(item)
    made["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return made
