"""The demo manifests as they ship: what is broken, what to look at, and what keeps one from being an exercise.

A demo can be an exercise if a learner can mend it with kubectl inside one namespace, on any cluster. That is read off
the demo itself (`obstacles`), not decided demo by demo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from kcompanion.installation.manifests import folder
from kcompanion.model.kinds import SHORT_NAMES
from kcompanion.model.resources import KNOWN, Resource
from kcompanion.practice.programs import NotTranslated, portable

Item = Mapping[str, Any]
BY_KIND: Mapping[str, Resource] = {resource.kind: resource for resource in KNOWN}
_LAB = re.compile(r"kcompanion-(?:worker|control-plane)|localhost:5001")  # nodes and registry of the lab
_WAITS = ("wait", "rollout")  # kubectl commands that change nothing
_LABEL = ("label", "namespace", "{namespace}")


@dataclass(frozen=True)
class Fault:
    """A demo: its objects, and the one whose explanation names the cause `code`."""

    name: str
    kind: str
    target: str
    items: tuple[Item, ...]
    labels: Mapping[str, str]  # of its namespace
    among: bool  # the cause need not be the deepest one
    obstacles: tuple[str, ...]

    @property
    def code(self) -> str:
        return self.name.partition("-")[0]


def names() -> tuple[str, ...]:
    """Every demo that shows a fault."""
    return tuple(sorted(one.name for one in _demos().iterdir() if one.name.startswith("KC")))


@cache
def fault(name: str) -> Fault:
    """A demo by the name of its folder."""
    here = _demos() / name
    told = yaml.safe_load((here / "demo.yaml").read_text(encoding="utf-8"))
    manifest = (here / "manifest.yaml").read_text(encoding="utf-8") if (here / "manifest.yaml").is_file() else ""
    items = tuple(item for item in yaml.safe_load_all(manifest) if item)
    commands = [[str(word) for word in line] for key in ("before", "after", "undo") for line in told.get(key, ())]
    word, _, target = str(told["explain"]).partition("/")
    short = SHORT_NAMES.get(word)
    kind = short.kind if short else next((one.kind for one in KNOWN if one.kind.lower() == word), word)
    labels = dict(pair.split("=", 1) for line in commands if tuple(line[:3]) == _LABEL for pair in line[3:])
    found = tuple(_obstacles(told, items, commands, manifest))
    return Fault(name, kind, target, items, labels, bool(told.get("among")), found)


def _demos() -> Traversable:
    return folder() / "demo"


def _obstacles(
    told: Mapping[str, Any], items: Sequence[Item], commands: Sequence[Sequence[str]], manifest: str
) -> Iterator[str]:
    """Why a demo cannot be mended in one namespace of any cluster."""
    if told.get("exclusive") or told.get("at"):
        yield "exclusive"
    if any(not BY_KIND[item["kind"]].namespaced for item in items if item["kind"] in BY_KIND):
        yield "cluster-scoped"
    if _LAB.search(manifest) or any(_LAB.search(word) for line in commands for word in line):
        yield "lab"
    if any(line[0] not in _WAITS and tuple(line[:3]) != _LABEL for line in commands):
        yield "commands"
    if " " in str(told["explain"]):
        yield "selector"
    try:
        for item in items:
            for spec in pod_specs(item):
                for container in containers(spec):
                    portable(container, "")
    except NotTranslated:
        yield "program"


def pod_specs(item: Item) -> Iterator[Mapping[str, Any]]:
    """The pod's spec in a pod or in whatever makes pods."""
    spec: Any = item.get("spec")
    if item.get("kind") == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if item.get("kind") == "Pod":
        yield spec
    elif isinstance(spec, Mapping) and "template" in spec:
        yield spec["template"]["spec"]


def containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("initContainers", "containers"):
        yield from spec.get(key, ())
