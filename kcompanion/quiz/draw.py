"""A quiz: questions drawn by a seed, and beside them what was not asked, and why not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.model.world import NotKnown, World
from kcompanion.quiz.makers import MAKERS
from kcompanion.quiz.question import Ground, Maker, Question


@dataclass(frozen=True)
class Asked:
    """A question, and what made it."""

    maker: Maker
    question: Question


@dataclass(frozen=True)
class NotAsked:
    """A kind of question this cluster gave no honest answer to: `why` is material, namespace, odd or gap."""

    maker: Maker
    why: str
    gap: Gap | None = None


@dataclass(frozen=True)
class Quiz:
    """The questions in their order. The same cluster, read at the same moment, and seed give the same ones."""

    seed: int
    asked: tuple[Asked, ...]
    not_asked: tuple[NotAsked, ...]
    spare: int  # further questions there would have been

    @property
    def undecided(self) -> bool:
        """Whether nothing can be asked for want of knowledge."""
        return not self.asked and any(one.gap is not None for one in self.not_asked)


def draw(
    world: World, snapshot: Snapshot, namespace: str, *, seed: int, count: int, topics: Collection[str] = ()
) -> Quiz:
    """Makes one question of every kind, as far as the cluster allows, and takes `count` of them by the seed.

    Every kind throws dice of its own, so that what one finds does not change another's question.
    """
    made: list[Asked] = []
    missed: list[NotAsked] = []
    for maker in MAKERS:
        if topics and maker.topic not in topics:
            continue
        found = _made(maker, world, snapshot, namespace, seed)
        if isinstance(found, Question):
            made.append(Asked(maker, found))
        else:
            missed.append(found)
    Random(seed).shuffle(made)  # noqa: S311 - a quiz keeps no secrets
    return Quiz(seed, tuple(made[:count]), tuple(missed), max(0, len(made) - count))


def _made(maker: Maker, world: World, snapshot: Snapshot, namespace: str, seed: int) -> Question | NotAsked:
    if maker.wide and namespace:
        return NotAsked(maker, "namespace")
    dice = Random(f"{seed}/{maker.id}")  # noqa: S311 - as above
    try:
        question = maker.make(Ground(world, snapshot, namespace, dice))
    except NotKnown as unknown:
        return NotAsked(maker, "gap", unknown.gap)
    except Exception:  # noqa: BLE001 - an odd object must not take the other questions with it
        return NotAsked(maker, "odd")
    return question or NotAsked(maker, "material")
