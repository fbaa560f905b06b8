"""What a question is, and the ground it grows on: one reading of a cluster, and dice that fall alike for one seed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, TypeVar

from kcompanion.controlplane.inspect import ControlPlane, inspect
from kcompanion.model.ask import Ask, Outcome, listing
from kcompanion.model.fields import name_of, namespace_of
from kcompanion.model.finding import Evidence
from kcompanion.model.message import Message, say
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object, Snapshot, gap_of
from kcompanion.model.world import NotKnown, World

MOST = 4  # choices
Choice = str | int | Message
T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """`right` are the indices of the right choices; `proof` are the fields that make them right."""

    asked: Message
    choices: tuple[Choice, ...]
    right: frozenset[int]
    why: Message
    proof: tuple[Evidence, ...]
    commands: tuple[str, ...]  # kcompanion's first, then kubectl's


@dataclass(frozen=True)
class Maker:
    """One kind of question: what area it belongs to, where its concept is told, and how it is made.

    `make` returns None where the cluster holds no material for it, and lets NotKnown pass where that is not known.
    `wide` are those that look beyond any namespace.
    """

    id: str
    topic: str
    row: str  # of docs/concepts.md
    make: Callable[[Ground], Question | None]
    lesson: str = ""  # of `kcompanion learn`
    wide: bool = False


class Ground:
    """A reading of a cluster for one maker."""

    def __init__(self, world: World, snapshot: Snapshot, namespace: str, dice: Random) -> None:
        self.world = world
        self.snapshot = snapshot  # with the answers to the control plane's own questions
        self.namespace = namespace
        self.dice = dice

    @cached_property
    def plane(self) -> ControlPlane:
        return self.snapshot.once(inspect)

    def read(self, *asks: Ask) -> None:
        """Makes sure that these answers may be relied on.

        Raises:
            NotKnown: one is missing, refused or old.
        """
        for ask in asks:
            reading = self.snapshot.reading(ask)
            if reading.stale or not (reading.ok or reading.outcome is Outcome.ABSENT):
                raise NotKnown(gap_of(reading))

    def all(self, resource: Resource) -> list[Object]:
        """All objects of a kind that are in question, by namespace and name.

        Raises:
            NotKnown: they were not all listed, or only from a cache that may be old.
        """
        space = self.namespace if resource.namespaced else ""
        found = self.world.all(resource, space)
        for ask in (listing(resource, space or None), listing(resource)):
            reading = self.world.snapshot.reading(ask)
            if reading.ok and reading.stale:
                raise NotKnown(gap_of(reading))
        return sorted(found, key=lambda item: (namespace_of(item), name_of(item)))

    def one(self, items: Sequence[T]) -> T | None:
        """One of them by the dice; None of none."""
        return self.dice.choice(items) if items else None

    def first(self, items: Sequence[T], fits: Callable[[T], bool]) -> T | None:
        """One by the dice that fits; no more are looked at than it takes to find one."""
        return next((one for one in self.dice.sample(list(items), len(items)) if fits(one)), None)

    def asked(
        self,
        id: str,
        right: Iterable[Choice],
        wrong: Iterable[Choice],
        *,
        values: dict[str, Any],
        proof: Iterable[Evidence],
        commands: Iterable[str],
    ) -> Question | None:
        """The question with its choices in an order by the dice; None where right or wrong ones are missing.

        Of many wrong ones some are taken, of many right ones too, so that one wrong is always among them.
        """
        good = self._some(right, MOST - 1)
        bad = self._some((one for one in wrong if one not in good), MOST - len(good))
        if not good or not bad:
            return None
        choices = [*good, *bad]
        numbers = [one for one in choices if isinstance(one, int)]
        if len(numbers) == len(choices):
            choices = [*sorted(numbers)]
        else:
            self.dice.shuffle(choices)
        return Question(
            asked=say(f"quiz.{id}.ask", **values),
            choices=tuple(choices),
            right=frozenset(index for index, one in enumerate(choices) if one in good),
            why=say(f"quiz.{id}.why", **values),
            proof=tuple(proof),
            commands=tuple(commands),
        )

    def _some(self, choices: Iterable[Choice], most: int) -> list[Choice]:
        distinct = list(dict.fromkeys(choices))
        return distinct if len(distinct) <= most else self.dice.sample(distinct, most)


def word(id: str) -> Message:
    """A choice in words of the catalogue."""
    return say(f"quiz.{id}")


def place(item: Object) -> str:
    """`shop/web-1`."""
    space = namespace_of(item)
    return f"{space}/{name_of(item)}" if space else name_of(item)


def source(kind: str, item: Object) -> str:
    """`Pod shop/web-1`, as evidence names its object."""
    return f"{kind} {place(item)}"


def kcompanion(words: str, item: Object | None = None) -> str:
    """`kcompanion explain pod web-1 -n shop`."""
    return f"kcompanion {words}{_target(item)}"


def kubectl(words: str, item: Object | None = None, shown: str = "") -> str:
    """`kubectl get pod web-1 -n shop -o jsonpath=…`."""
    return f"kubectl {words}{_target(item)}" + (f" -o {shlex.quote(shown)}" if shown else "")


def _target(item: Object | None) -> str:
    if item is None:
        return ""
    space = namespace_of(item)
    return f" {shlex.quote(name_of(item))}" + (f" -n {shlex.quote(space)}" if space else "")
