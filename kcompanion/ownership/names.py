"""What the parts of a generated name are: whose name it begins with, the hash of the template, an ordinal, a minute."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from kcompanion.model.fields import labels_of, name_of, text_at
from kcompanion.model.snapshot import Object
from kcompanion.model.times import format_time
from kcompanion.ownership.owners import Entity

HASH_LABEL = "pod-template-hash"
RANDOM = 5  # characters that the API server appends to metadata.generateName
# apiserver/pkg/storage/names/generate.go: what comes before them is cut to fit a DNS label of 63
LONGEST_BASE = 63 - RANDOM
# utilrand's letters: no vowels and no 0, 1, 3, so that no words come about
_SUFFIX = re.compile(rf"[bcdfghjklmnpqrstvwxz2456789]{{{RANDOM}}}")
_ORDINAL = re.compile(r"(.*)-([0-9]+)")
_MINUTES = re.compile(r"[0-9]{6,}")


class Meaning(StrEnum):
    """What a part of a name is."""

    OWNER = "owner"
    HASH = "hash"
    RANDOM = "random"
    ORDINAL = "ordinal"
    INDEX = "index"
    MINUTE = "minute"
    NODE = "node"
    GIVEN = "given"


@dataclass(frozen=True)
class Part:
    """A piece of a name; `of` is the kind whose name it repeats, or what it stands for (a time)."""

    text: str
    meaning: Meaning
    of: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "meaning": self.meaning.value, "of": self.of}


@dataclass(frozen=True)
class Name:
    """A name in its parts. `hash_matches` is None where no hash has to match."""

    parts: tuple[Part, ...]
    hash_matches: bool | None = None


def name_parts(entity: Entity, owner: Entity | None, grandparent: Entity | None = None) -> Name:
    """The parts of an object's name, given its controller and the controller of that; one GIVEN part if unknown."""
    name = entity.ref.name
    read = _READERS.get((entity.ref.kind, owner.ref.kind if owner else ""))
    parts = read(entity.item, owner, grandparent) if read and owner else ()
    return Name(parts or (Part(name, Meaning.GIVEN),), _hash_matches(entity, owner))


def _hash_matches(entity: Entity, owner: Entity | None) -> bool | None:
    """Whether the label pod-template-hash is the one of the name and of the owner."""
    if owner is None:
        return None
    own = labels_of(entity.item).get(HASH_LABEL)
    if entity.ref.kind == "ReplicaSet" and owner.ref.kind == "Deployment":
        selected = text_at(entity.item, "spec", "selector", "matchLabels", HASH_LABEL)
        return isinstance(own, str) and entity.ref.name.endswith(f"-{own}") and selected in ("", own)
    if entity.ref.kind == "Pod" and owner.ref.kind == "ReplicaSet":
        wanted = labels_of(owner.item).get(HASH_LABEL)
        return None if own is None and wanted is None else own == wanted
    return None


def generated_from(name: str) -> str:
    """What the API server keeps of `name-` when it generates a name from it."""
    return f"{name}-"[:LONGEST_BASE]


def _generated(item: Object, owner: Entity) -> str | None:
    """The random end of a name that was generated from the owner's; None when it was not."""
    base = generated_from(owner.ref.name)
    rest = name_of(item).removeprefix(base)
    return rest if rest != name_of(item) and _SUFFIX.fullmatch(rest) else None


def _of_replicaset(item: Object, owner: Entity, grandparent: Entity | None) -> tuple[Part, ...]:
    suffix = _generated(item, owner)
    if suffix is None:
        return ()
    base = name_of(item).removesuffix(suffix).removesuffix("-")
    if grandparent is None:
        return Part(base, Meaning.OWNER, owner.ref.kind), Part(suffix, Meaning.RANDOM)
    above = _replicaset(owner.item, grandparent, None)
    cut = grandparent.ref.name
    if not above or not base.startswith(f"{cut}-"):
        return Part(base, Meaning.OWNER, owner.ref.kind), Part(suffix, Meaning.RANDOM)
    return (
        Part(cut, Meaning.OWNER, grandparent.ref.kind),
        Part(base.removeprefix(f"{cut}-"), Meaning.HASH),
        Part(suffix, Meaning.RANDOM),
    )


def _replicaset(item: Object, owner: Entity, _: Entity | None) -> tuple[Part, ...]:
    hashed = text_at(item, "metadata", "labels", HASH_LABEL)
    base, name = owner.ref.name, name_of(item)
    if not hashed or name != f"{base}-{hashed}":
        return ()
    return Part(base, Meaning.OWNER, owner.ref.kind), Part(hashed, Meaning.HASH)


def _of_statefulset(item: Object, owner: Entity, _: Entity | None) -> tuple[Part, ...]:
    found = _ORDINAL.fullmatch(name_of(item))
    if found is None or found[1] != owner.ref.name:
        return ()
    return Part(found[1], Meaning.OWNER, owner.ref.kind), Part(found[2], Meaning.ORDINAL)


def _random_only(item: Object, owner: Entity, _: Entity | None) -> tuple[Part, ...]:
    suffix = _generated(item, owner)
    if suffix is None:
        return ()
    base = name_of(item).removesuffix(suffix).removesuffix("-")
    return Part(base, Meaning.OWNER, owner.ref.kind), Part(suffix, Meaning.RANDOM)


def _of_job(item: Object, owner: Entity, _: Entity | None) -> tuple[Part, ...]:
    index = text_at(item, "metadata", "labels", "batch.kubernetes.io/job-completion-index")
    base, name = owner.ref.name, name_of(item)
    prefix = f"{base}-{index}-"
    if index and name.startswith(prefix) and _SUFFIX.fullmatch(name.removeprefix(prefix)):
        return (
            Part(base, Meaning.OWNER, owner.ref.kind),
            Part(index, Meaning.INDEX),
            Part(name.removeprefix(prefix), Meaning.RANDOM),
        )
    return _random_only(item, owner, None)


def _of_cronjob(item: Object, owner: Entity, _: Entity | None) -> tuple[Part, ...]:
    """The minute since 1970 for which the Job was scheduled (getTimeHashInMinutes)."""
    rest = name_of(item).removeprefix(f"{owner.ref.name}-")
    if rest == name_of(item) or not _MINUTES.fullmatch(rest):
        return ()
    try:
        moment = format_time(datetime.fromtimestamp(int(rest) * 60, UTC))
    except (ValueError, OverflowError, OSError):
        return ()
    return Part(owner.ref.name, Meaning.OWNER, owner.ref.kind), Part(rest, Meaning.MINUTE, moment)


def _of_node(item: Object, owner: Entity, _: Entity | None) -> tuple[Part, ...]:
    base = name_of(item).removesuffix(f"-{owner.ref.name}")
    if base == name_of(item):
        return ()
    return Part(base, Meaning.GIVEN), Part(owner.ref.name, Meaning.NODE)


_READERS: Mapping[tuple[str, str], Callable[[Object, Entity, Entity | None], tuple[Part, ...]]] = {
    ("ReplicaSet", "Deployment"): _replicaset,
    ("Pod", "ReplicaSet"): _of_replicaset,
    ("Pod", "ReplicationController"): _random_only,
    ("Pod", "CompanionReplicaSet"): _random_only,
    ("Pod", "DaemonSet"): _random_only,
    ("Pod", "StatefulSet"): _of_statefulset,
    ("Pod", "Job"): _of_job,
    ("Job", "CronJob"): _of_cronjob,
    ("Pod", "Node"): _of_node,
}
