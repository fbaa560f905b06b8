"""What a command line names: `pod web-1`, `pod/web-1 deploy/web`, `pods -l app=web`, as kubectl reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kcompanion.cli.options import Options
from kcompanion.errors import NotFound, UsageError
from kcompanion.model.ask import Outcome, getting
from kcompanion.model.fields import name_of, namespace_of
from kcompanion.model.kinds import resource_called
from kcompanion.model.refs import Ref
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World


@dataclass(frozen=True)
class Target:
    """An object that was asked for, or the gap in its place."""

    resource: Resource
    ref: Ref
    item: Object


@dataclass(frozen=True)
class Absent:
    """An object that was named and does not exist."""

    resource: Resource
    name: str
    namespace: str

    @property
    def ref(self) -> Ref:
        return Ref(self.resource.kind, self.name, self.namespace)

    @property
    def error(self) -> NotFound:
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return NotFound(
            f'{self.resource.name} "{self.name}" not found{where}', f"kubectl get {self.resource.plural} -A"
        )


def pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """(type, name) of each object named; an empty name means all of the type.

    Raises:
        UsageError: `TYPE NAME` and `TYPE/NAME` are mixed, or nothing is named.
    """
    if not words:
        raise UsageError("name an object: TYPE NAME or TYPE/NAME", "for example: pod web-1, or pod/web-1")
    slashed = ["/" in word for word in words]
    if all(slashed):
        found = [(kind, name) for kind, _, name in (word.partition("/") for word in words)]
        if odd := next((word for word, pair in zip(words, found, strict=True) if not all(pair) or "/" in pair[1]), ""):
            raise UsageError(f"{odd!r} is no TYPE/NAME", "for example: pod/web-1")
        return found
    if any(slashed):
        raise UsageError("TYPE NAME and TYPE/NAME cannot be mixed", "write all as TYPE/NAME")
    return [(kind, name) for kind in words[0].split(",") for name in (words[1:] or [""])]


def namespace_of_options(options: Options, world: World) -> str:
    """The namespace the options mean; empty is all of them."""
    return "" if options.all_namespaces else options.namespace or world.snapshot.origin.namespace or "default"


def find(words: Sequence[str], options: Options, world: World) -> list[Target]:
    """The objects that were named, all of them.

    Raises:
        UsageError: the words make no sense.
        NotFound: there is no such type or object, or nothing matches.
        NotKnown: not read yet, or not readable.
    """
    found, absent = find_some(words, options, world)
    if absent:
        raise absent[0].error
    return found


def find_some(words: Sequence[str], options: Options, world: World) -> tuple[list[Target], list[Absent]]:
    """The objects that were named, and those of them that do not exist.

    Raises:
        UsageError: the words make no sense.
        NotFound: there is no such type, nothing matches, or nothing that was named exists.
        NotKnown: not read yet, or not readable.
    """
    space = namespace_of_options(options, world)
    named = pairs(words)
    if options.selector and any(name for _, name in named):
        raise UsageError("a name and -l exclude each other", "name the object, or select by labels")
    if options.all_namespaces and any(name for _, name in named):
        raise UsageError("a name and -A exclude each other", "name the namespace with -n")
    found: list[Target] = []
    absent: list[Absent] = []
    unknown: NotKnown | None = None
    for word, name in named:
        try:
            resource = resource_called(word, world)
            items = _of(resource, name, space, options.selector, world)
            found += items
            if name and not items:
                absent.append(Absent(resource, name, space if resource.namespaced else ""))
        except NotKnown as gap:  # go on, so that everything wanted is read in one round
            unknown = gap
    if unknown is not None:
        raise unknown
    if not found and absent:
        raise absent[0].error
    if not found:
        where = f"in namespace {space}" if space else "in any namespace"
        what = f"no {words[0]} with labels {options.selector!r}" if options.selector else f"no {words[0]}"
        raise NotFound(f"there is {what} {where}", "-A looks into all namespaces")
    return found, absent


def _of(resource: Resource, name: str, space: str, selector: str, world: World) -> list[Target]:
    scope = space if resource.namespaced else ""
    if not name:
        items = world.all(resource, scope, selector)
        return [Target(resource, _ref(resource, item), item) for item in items]
    item = world.get(resource, name, scope)
    return [] if item is None else [Target(resource, _ref(resource, item), item)]


def _ref(resource: Resource, item: Object) -> Ref:
    return Ref(resource.kind, name_of(item), namespace_of(item))


def find_with_managed_fields(kind: str, name: str, options: Options, world: World) -> list[Target]:
    """The named object with its managedFields, as far as they can be had: recordings may hold it without them.

    Raises:
        NotFound: there is no such type or object.
        NotKnown: not read yet, or not readable.
    """
    resource = resource_called(kind, world)
    space = namespace_of_options(options, world)
    if not space and resource.namespaced:
        raise UsageError("a name and -A exclude each other", "name the namespace with -n")
    ask = getting(resource, name, space if resource.namespaced else None, keep_managed_fields=True)
    reading = world.snapshot.reading(ask)
    if ask.key in world.snapshot.readings and reading.outcome is Outcome.NOT_ASKED:
        found = _of(resource, name, space, "", world)
    else:
        body = world.ask(ask).body
        found = [Target(resource, _ref(resource, body), body)] if isinstance(body, dict) else []
    if not found:
        raise Absent(resource, name, space if resource.namespaced else "").error
    return found
