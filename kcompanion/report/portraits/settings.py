"""ConfigMaps and Secrets: which keys there are, who uses which, and what is asked for and missing. Never a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model import resources as r
from kcompanion.model.fields import dig, map_at, maps_at, name_of, text_at
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, say
from kcompanion.model.quantities import human_bytes
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.report.document import Cell, Section, Table, columns
from kcompanion.report.portraits import common
from kcompanion.report.portraits.sight import Fact, Part, Sight, facts, label, lesson, named

_SIZE = re.compile(r"<scrubbed (\d+) bytes?")
RESOURCES: Mapping[str, Resource] = {"ConfigMap": r.CONFIGMAPS, "Secret": r.SECRETS}
# Where a kind is named: (in env, in envFrom, in a volume, in a projected volume, and the field of its name there).
_WORDS = {
    "ConfigMap": ("configMapKeyRef", "configMapRef", "configMap", "name"),
    "Secret": ("secretKeyRef", "secretRef", "secret", "secretName"),
}


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a pod uses a ConfigMap or Secret; an empty key is all of them."""

    kind: str
    name: str
    key: str
    pod: str
    where: str  # `env LEVEL of web`, `volume settings`
    optional: bool


def uses(pod: Object, kind: str) -> Iterator[Use]:
    """Every use of the kind in a pod's spec."""
    in_env, from_env, in_volume, name_field = _WORDS[kind]
    who = name_of(pod)
    for listed in ("initContainers", "containers", "ephemeralContainers"):
        for container in maps_at(pod, "spec", listed):
            box = text_at(container, "name")
            for entry in maps_at(container, "env"):
                if found := map_at(entry, "valueFrom", in_env):
                    where = f"env {text_at(entry, 'name')} ({box})"
                    yield _use(kind, found, "name", who, where, text_at(found, "key"))
            for entry in maps_at(container, "envFrom"):
                if found := map_at(entry, from_env):
                    yield _use(kind, found, "name", who, f"envFrom ({box})")
    for volume in maps_at(pod, "spec", "volumes"):
        called = f"volume {text_at(volume, 'name')}"
        if found := map_at(volume, in_volume):
            yield from _of_volume(kind, found, name_field, who, called)
        for source in maps_at(volume, "projected", "sources"):
            if found := map_at(source, in_volume):
                yield from _of_volume(kind, found, "name", who, called)
    if kind == "Secret":
        for entry in maps_at(pod, "spec", "imagePullSecrets"):
            # the kubelet goes on without a pull secret that is not there
            yield Use(kind, text_at(entry, "name"), "", who, "imagePullSecrets", optional=True)


def _of_volume(kind: str, found: Mapping[str, Any], field: str, who: str, where: str) -> Iterator[Use]:
    keys = [text_at(item, "key") for item in maps_at(found, "items")]
    yield from (_use(kind, found, field, who, where, key) for key in keys or [""])


def _use(kind: str, found: Mapping[str, Any], field: str, who: str, where: str, key: str = "") -> Use:
    return Use(kind, text_at(found, field), key, who, where, found.get("optional") is True)


def keys_of(item: Object) -> dict[str, str]:
    """Key to what stands for its value: only sizes are left of it."""
    return {
        str(key): str(value)
        for part in ("data", "binaryData", "stringData")
        for key, value in map_at(item, part).items()
    }


def missing(world: World, kind: str, space: str) -> list[tuple[str, str, Use]]:
    """(name, key, use) of what pods of a namespace ask for that is not there; an empty key is the whole object.

    Raises:
        NotKnown: pods or the objects could not be listed.
    """
    there = {name_of(item): keys_of(item) for item in world.all(RESOURCES[kind], space)}
    found = []
    for pod in world.all(r.PODS, space):
        for use in uses(pod, kind):
            if use.optional or not use.name or text_at(pod, "status", "phase") in ("Succeeded", "Failed"):
                continue
            if use.name not in there:
                found.append((use.name, "", use))
            elif use.key and use.key not in there[use.name]:
                found.append((use.name, use.key, use))
    return found


def missing_section(world: World, kind: str, spaces: Iterable[str]) -> Iterator[Section]:
    """What is asked for in namespaces and not there."""
    rows: list[tuple[Cell, ...]] = [
        (f"{space}/{name}", key or None, use.pod, use.where)
        for space in spaces
        for name, key, use in missing(world, kind, space)
    ]
    if rows:
        title = say("portrait.section.missing", kind=kind, count=len(rows))
        yield Section(title, [Table(columns("NAME KEY POD WHERE"), rows[: common.MANY])], Status.FAIL)


def about(sight: Sight) -> Iterator[Fact]:
    """Type, immutability."""
    if kind := text_at(sight.item, "type"):
        yield label("type"), kind
    if dig(sight.item, "immutable") is True:
        yield label("immutable"), say("portrait.settings.immutable")
    if sight.ref.kind == "Secret":
        yield label("values"), say("portrait.settings.values")


def keys(sight: Sight) -> Iterator[Section]:
    """Each key with its size, and who uses it."""
    found = _used(sight)
    there = keys_of(sight.item)
    whole = sorted({use.pod for use in found if not use.key})
    rows: list[tuple[Cell, ...]] = []
    for key in sorted({*there, *(use.key for use in found if use.key)}):
        users = sorted({f"{use.pod}: {use.where}" for use in found if use.key == key})
        state: Cell = _size(there[key]) if key in there else say("portrait.settings.missing_key")
        rows.append((key, state, named(users, 2) if users else named(whole, 2) if whole else None))
    yield from common.bounded(sight, "keys", "KEY SIZE USED_BY", rows)


def _used(sight: Sight) -> list[Use]:
    pods = sight.world.all(r.PODS, sight.space)
    return [use for pod in pods for use in uses(pod, sight.ref.kind) if use.name == sight.ref.name]


def used_by(sight: Sight) -> Iterator[Section]:
    """The pods that use it as a whole or in part, and how a change reaches them."""
    rows: list[tuple[Cell, ...]] = [
        (use.pod, use.where, use.key or "*", _arrives(use))
        for use in sorted(_used(sight), key=lambda u: (u.pod, u.where))
    ]
    yield from common.bounded(sight, "uses", "POD WHERE KEY A_CHANGE_ARRIVES", rows)


def _arrives(use: Use) -> Message:
    word = "volume" if use.where.startswith("volume ") else "pull" if use.where == "imagePullSecrets" else "env"
    return say(f"portrait.settings.arrives_{word}")


def unused(sight: Sight) -> Iterator[Fact]:
    """That no pod of the namespace uses it."""
    if not _used(sight):
        yield label("used_by"), say("portrait.settings.unused")


def _size(value: str) -> str:
    told = _SIZE.search(value)
    return human_bytes(int(told[1]) if told else len(value.encode()))


SETTINGS: tuple[Part, ...] = (
    facts(about, unused, common.created, common.deletion),
    keys,
    used_by,
    lesson("settings", 2),
)
