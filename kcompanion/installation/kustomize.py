"""The part of kustomize that our own manifests use: resources, a namespace, a suffix of names, JSON patches.

So that they can be applied from an installed wheel, where neither kustomize nor kubectl need be. A test compares what
comes out with what `kubectl kustomize` makes of the same folders; a field that is not known here is an error.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import Any

import yaml

Item = dict[str, Any]
_KNOWN = frozenset({"apiVersion", "kind", "resources", "namespace", "nameSuffix", "patches"})
_CLUSTER_WIDE = frozenset({"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"})
_NEVER_RENAMED = frozenset({"Namespace", "CustomResourceDefinition"})
FILE = "kustomization.yaml"


def render(root: Traversable, folder: str) -> list[Item]:
    """The objects of a kustomization, in the order in which they are named.

    Raises:
        ValueError: it uses what is not known here.
    """
    plan = yaml.safe_load(_at(root, folder, FILE).read_text(encoding="utf-8"))
    if unknown := set(plan) - _KNOWN:
        raise ValueError(f"{folder}/{FILE}: {', '.join(sorted(unknown))} is not supported")
    items = [item for entry in plan.get("resources", ()) for item in _resource(root, folder, entry)]
    for patch in plan.get("patches", ()):
        items = [_patched(item, patch) if _meant(item, patch["target"]) else item for item in items]
    if suffix := plan.get("nameSuffix"):
        items = _renamed(items, suffix)
    if namespace := plan.get("namespace"):
        items = [_moved(item, namespace) for item in items]
    return items


def _at(root: Traversable, *parts: str) -> Traversable:
    """A file below the root; `..` is taken out first, since not every Traversable knows it."""
    path: list[str] = []
    for part in "/".join(parts).split("/"):
        if part == "..":
            path.pop()
        elif part not in ("", "."):
            path.append(part)
    at = root
    for part in path:
        at = at / part
    return at


def _resource(root: Traversable, folder: str, entry: str) -> Iterator[Item]:
    file = _at(root, folder, entry)
    if file.is_dir():
        yield from render(root, f"{folder}/{entry}")
        return
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        yield copy.deepcopy(document)  # YAML anchors make shared parts, and patches must not


def _meant(item: Item, target: Mapping[str, str]) -> bool:
    return (item["kind"], item["metadata"]["name"]) == (target["kind"], target["name"])


def _patched(item: Item, patch: Mapping[str, Any]) -> Item:
    made = copy.deepcopy(item)
    for step in yaml.safe_load(patch["patch"]):
        *parents, last = (word.replace("~1", "/").replace("~0", "~") for word in step["path"].split("/")[1:])
        at: Any = made
        for word in parents:
            at = at[int(word)] if isinstance(at, list) else at[word]
        key = int(last) if isinstance(at, list) else last
        if step["op"] == "remove":
            del at[key]
        elif step["op"] == "add" and isinstance(at, list):
            at.insert(key, step["value"])
        elif step["op"] in ("add", "replace"):
            at[key] = step["value"]
        else:
            raise ValueError(f"the patch operation {step['op']} is not supported")
    return made


def _renamed(items: list[Item], suffix: str) -> list[Item]:
    """New names, and the places that refer to them."""
    made = copy.deepcopy(items)
    names = {(item["kind"], item["metadata"]["name"]) for item in made if item["kind"] not in _NEVER_RENAMED}
    for item in made:
        if item["kind"] not in _NEVER_RENAMED:
            item["metadata"]["name"] += suffix
        for kind, holder, field in _references(item):
            if (kind, holder[field]) in names:
                holder[field] += suffix
    return made


def _references(item: Item) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Kind, where it stands and in which field: the references to other objects."""
    if role := item.get("roleRef"):
        yield role["kind"], role, "name"
    for subject in item.get("subjects", ()):
        yield subject["kind"], subject, "name"
    pod = item.get("spec", {}).get("template", {}).get("spec", {})
    if "serviceAccountName" in pod:
        yield "ServiceAccount", pod, "serviceAccountName"


def _moved(item: Item, namespace: str) -> Item:
    made = copy.deepcopy(item)
    if made["kind"] not in _CLUSTER_WIDE:
        made["metadata"]["namespace"] = namespace
    for subject in made.get("subjects", ()):
        subject["namespace"] = namespace
    return made
