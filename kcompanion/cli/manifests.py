"""The objects that a manifest names: for `-f FILE`, as kubectl reads it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kcompanion.cli.options import Options
from kcompanion.cli.targets import Target, namespace_of_options
from kcompanion.errors import NotFound, UsageError
from kcompanion.model.fields import maps_at, text_at
from kcompanion.model.kinds import resource_called
from kcompanion.model.refs import Ref
from kcompanion.model.world import NotKnown, World

MOST = 10 * 1024 * 1024  # bytes; a manifest is a text of people


@dataclass(frozen=True, slots=True)
class Named:
    """An object that a manifest names; the namespace may be left to the command line."""

    kind: str
    group: str
    name: str
    namespace: str

    @property
    def word(self) -> str:
        """As discovery calls it: `Deployment.apps`, `Pod`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


def named_in(file: str) -> tuple[Named, ...]:
    """The objects in a file of YAML or JSON documents; `-` is the standard input.

    Raises:
        UsageError: it cannot be read, or names nothing.
    """
    try:
        text = sys.stdin.read(MOST) if file == "-" else Path(file).read_text(encoding="utf-8")
        documents = list(yaml.safe_load_all(text))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"{file} cannot be read: {reason}", "-f takes a file, or - for the standard input") from error
    except (yaml.YAMLError, RecursionError) as error:
        first = " ".join(str(error).split())[:120]
        raise UsageError(
            f"{file} is no YAML: {first}", "kubectl apply --dry-run=client -f FILE checks it too"
        ) from error
    found = tuple(_objects(documents))
    if not found:
        raise UsageError(f"{file} names no object", "a manifest has apiVersion, kind and metadata.name")
    return found


def _objects(documents: list[Any]) -> Iterator[Named]:
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        if text_at(document, "kind").endswith("List") and isinstance(document.get("items"), list):
            yield from _objects(list(maps_at(document, "items")))
        elif text_at(document, "kind") and text_at(document, "metadata", "name"):
            group, slash, _ = text_at(document, "apiVersion").partition("/")
            yield Named(
                text_at(document, "kind"),
                group if slash else "",
                text_at(document, "metadata", "name"),
                text_at(document, "metadata", "namespace"),
            )


def find(named: tuple[Named, ...], options: Options, world: World) -> tuple[list[Target], list[Ref]]:
    """The objects of a manifest that exist, and the names of those that do not.

    Raises:
        NotKnown: not read yet, or not readable.
        NotFound: none of them exists.
    """
    space = namespace_of_options(options, world)
    there: list[Target] = []
    missing: list[Ref] = []
    unknown: NotKnown | None = None
    for one in named:
        scope = one.namespace or space
        try:
            resource = resource_called(one.word, world)
            scope = scope if resource.namespaced else ""
            item = world.get(resource, one.name, scope)
        except NotFound:
            missing.append(Ref(one.kind, one.name, one.namespace))
        except NotKnown as gap:  # go on, so that everything wanted is read in one round
            unknown = gap
        else:
            ref = Ref(resource.kind, one.name, scope)
            if item is None:
                missing.append(ref)
            else:
                there.append(Target(resource, ref, item))
    if unknown is not None:
        raise unknown
    if not there:
        raise NotFound(f"nothing of it exists: {', '.join(map(str, missing[:5]))}", "kubectl apply -f FILE makes them")
    return there, missing
