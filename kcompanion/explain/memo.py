"""Indexes that rules share: made once for a World, however many objects ask for them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from kcompanion.model.world import World

P = ParamSpec("P")
T = TypeVar("T")


def per_world(make: Callable[Concatenate[World, P], T]) -> Callable[Concatenate[World, P], T]:
    """Keeps what `make(world, *args)` returned for as long as the World lives; NotKnown is not kept."""
    kept: WeakKeyDictionary[World, dict[Hashable, T]] = WeakKeyDictionary()

    def made(world: World, /, *args: P.args, **kwargs: P.kwargs) -> T:
        mine = kept.setdefault(world, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in mine:
            mine[key] = make(world, *args, **kwargs)
        return mine[key]

    made.__doc__ = make.__doc__
    return made
