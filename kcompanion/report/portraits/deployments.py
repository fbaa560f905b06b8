"""A Deployment: the arithmetic of its replicas, its strategy, its revisions, and what changed between the last two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import annotations_of, dig, map_at, maps_at, name_of, text_at
from kcompanion.model.message import say
from kcompanion.model.snapshot import Object
from kcompanion.report.document import Cell, Lines, Section, Table, columns
from kcompanion.report.portraits import common, events
from kcompanion.report.portraits.common import count_at
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson, named

REVISION = "deployment.kubernetes.io/revision"
FEW = 3  # revisions
HASH = "pod-template-hash"


def replicas(sight: Sight) -> Iterator[Fact]:
    """Desired, updated, ready, available."""
    desired = dig(sight.item, "spec", "replicas")
    yield (
        label("replicas"),
        say(
            "portrait.deployment.replicas",
            desired=desired if isinstance(desired, int) else 1,
            updated=count_at(sight.item, "status", "updatedReplicas"),
            total=count_at(sight.item, "status", "replicas"),
            ready=count_at(sight.item, "status", "readyReplicas"),
            available=count_at(sight.item, "status", "availableReplicas"),
        ),
    )
    if dig(sight.item, "spec", "paused") is True:
        yield label("paused"), say("portrait.deployment.paused", name=sight.ref.name, namespace=sight.space)
    generation, seen = dig(sight.item, "metadata", "generation"), dig(sight.item, "status", "observedGeneration")
    if isinstance(generation, int) and isinstance(seen, int) and seen < generation:
        yield label("observed"), say("portrait.deployment.unobserved", seen=seen, generation=generation)


def strategy(sight: Sight) -> Iterator[Fact]:
    """How a new revision replaces the old one, in numbers of pods."""
    if text_at(sight.item, "spec", "strategy", "type") == "Recreate":
        yield label("strategy"), say("portrait.deployment.recreate")
        return
    desired = dig(sight.item, "spec", "replicas")
    wanted = desired if isinstance(desired, int) else 1
    rolling = map_at(sight.item, "spec", "strategy", "rollingUpdate")
    surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    fewer = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    if surge == fewer == 0:
        fewer = 1  # ResolveFenceposts in pkg/controller/deployment/util: both 0 would never move
    yield (
        label("strategy"),
        say("portrait.deployment.rolling", surge=surge, fewer=fewer, least=max(0, wanted - fewer), most=wanted + surge),
    )


def share(value: object, whole: int, *, up: bool) -> int:
    """A count, or a percentage of a whole; surges are rounded up, what may be missing down."""
    if isinstance(value, int):
        return value
    digits = str(value).rstrip("%")
    if not digits.isdigit():
        return 0
    part = int(digits) * whole / 100
    return math.ceil(part) if up else math.floor(part)


def revisions(sight: Sight) -> Iterator[Section]:
    """Its ReplicaSets, the newest first; those without pods are kept to go back to."""
    sets = sorted(sight.world.children(sight.item, r.REPLICASETS), key=_revision, reverse=True)
    kept = sets if sight.whole else sets[:FEW]
    rows: list[tuple[Cell, ...]] = [
        (
            _revision(one) or None,
            name_of(one),
            count_at(one, "status", "replicas"),
            count_at(one, "status", "readyReplicas"),
            sight.age(dig(one, "metadata", "creationTimestamp")),
            ", ".join(images(one)),
        )
        for one in kept
    ]
    if not rows:
        return
    blocks: list[Table | Lines] = [Table(columns("REVISION REPLICASET PODS READY AGE IMAGES"), rows)]
    if len(sets) > len(kept):
        blocks.append(Lines([say("portrait.rows_left", count=len(sets) - len(kept))]))
    if len(sets) > 1:
        changed = list(changes(sets[1], sets[0]))
        if changed:
            told = say(
                "portrait.deployment.changed",
                old=_revision(sets[1]),
                new=_revision(sets[0]),
                what=named(changed, 4),
            )
            blocks.append(Lines([told]))
    yield Section(say("portrait.section.revisions"), blocks)


def _revision(item: Object) -> int:
    word = text_at(annotations_of(item), REVISION)
    return int(word) if word.isdigit() else 0


def images(item: Object) -> Iterator[str]:
    """The images of a template's containers."""
    yield from (text_at(one, "image") for one in maps_at(item, "spec", "template", "spec", "containers"))


def changes(old: Object, new: Object) -> Iterator[str]:
    """The paths at which two templates differ; images with their values."""
    before, after = (dict(_leaves(map_at(one, "spec", "template"), "")) for one in (old, new))
    for path in sorted({*before, *after}):
        if before.get(path) == after.get(path) or path.endswith(HASH):
            continue
        if path.endswith(".image"):
            yield f"{path} {before.get(path, '-')} → {after.get(path, '-')}"
        else:
            yield path


def _leaves(node: Any, path: str) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - JSON
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            word = text_at(value, "name") or str(index)
            yield from _leaves(value, f"{path}[{word}]")
    else:
        yield path, node


def rolling(sight: Sight) -> Iterator[Section]:
    """The pods of a Deployment, through its ReplicaSets."""
    sets = sight.world.children(sight.item, r.REPLICASETS)
    pods = [pod for one in sets for pod in sight.world.children(one, r.PODS)]
    yield from common.pods_table(sight, pods)


def _unhappy(sight: Sight) -> bool:
    wanted = {"Available": "True", "Progressing": "True", "ReplicaFailure": "False"}
    told = maps_at(sight.item, "status", "conditions")
    return any(wanted.get(text_at(one, "type"), "True") != text_at(one, "status") for one in told)


DEPLOYMENT: tuple[Part, ...] = (
    facts(replicas, strategy, common.selector, common.created, common.deletion),
    revisions,
    rolling,
    common.when(_unhappy, common.conditions),
    common.when(_unhappy, events.recent),
    lesson("deployment", 2),
)
