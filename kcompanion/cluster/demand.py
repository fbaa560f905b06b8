"""Reading on demand: judge, read what the judgement wanted, judge anew, until it wants nothing more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from kcompanion.cluster.session import Session
from kcompanion.model.ask import Ask, Verb
from kcompanion.model.world import World

ROUNDS = 8  # a chain claim → volume → class → node is four; more than this is a loop of ours
FEW = 6  # objects of one resource that are read one by one; more are read as a list
T = TypeVar("T")


def settle(session: Session, work: Callable[[World], T], first: Iterable[Ask] = (), *, logs: bool = False) -> T:
    """The result of `work` once all it wants was read, or asked in vain.

    Args:
        session: whom to ask.
        work: a pure function of a World; it catches NotKnown itself and says what it could not tell.
        first: what it is known to want, to save a round.
        logs: whether it may want the last lines of containers.
    """
    snapshot = session.read(first)
    for _ in range(ROUNDS):
        world = World(snapshot, logs=logs)
        result = work(world)
        wanted = [ask for ask in widened(world.wanted.values()) if ask.key not in snapshot.readings]
        if not wanted:
            return result
        snapshot = session.read(wanted)
    return work(World(snapshot, logs=logs))


def widened(asks: Iterable[Ask]) -> list[Ask]:
    """The questions, with many alike replaced by the list that answers them all."""
    by_space = _together(asks, _one_object, _list_of_space)
    return _together(by_space, _one_space, _list_of_cluster)


def _together(asks: Iterable[Ask], alike: Callable[[Ask], object | None], wider: Callable[[Ask], Ask]) -> list[Ask]:
    """The questions, where more than FEW are alike the one that answers them."""
    given = list(asks)
    counts = Counter(alike(ask) for ask in given)
    kept = (wider(ask) if alike(ask) is not None and counts[alike(ask)] > FEW else ask for ask in given)
    return list({ask.key: ask for ask in kept}.values())


def _one_object(ask: Ask) -> object | None:
    """Resource and namespace of a question about one object; None for any other question."""
    narrow = ask.verb is Verb.GET or (ask.verb is Verb.LIST and ask.fields)
    return (ask.resource, ask.namespace) if narrow else None


def _list_of_space(ask: Ask) -> Ask:
    return replace(ask, verb=Verb.LIST, name=None, fields="", selector="")


def _one_space(ask: Ask) -> object | None:
    """The resource of a question for everything in one namespace; None for any other question."""
    return ask.resource if ask.verb is Verb.LIST and ask.namespace and not (ask.fields or ask.selector) else None


def _list_of_cluster(ask: Ask) -> Ask:
    return replace(ask, namespace=None)
