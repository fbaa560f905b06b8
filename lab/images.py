"""Which images a cluster runs on: the official ones where they can be pulled, else the lab's."""

from __future__ import annotations

import enum
from collections.abc import Callable

from lab import cache, docker, envoy, nodeimage, versions
from lab.shell import say

_PULL_PATIENCE = 20.0  # seconds until a registry that does not answer counts as out of reach
_PULL_TIME = 900.0


class Source(enum.Enum):
    """What to do for an image that a cluster needs."""

    PRESENT = "use what is there"
    PULL = "try to pull it, build it if that fails"
    BUILD = "build it"


def source(label: str | None, recipe: str) -> Source:
    """Decides by the label of the image that is there (None: there is none).

    An image without our label is the official one; one of ours is right if its recipe is.
    """
    if label is None:
        return Source.PULL
    return Source.PRESENT if label in ("", recipe) else Source.BUILD


def node() -> str:
    """The node image's name, with an image behind it."""
    return _ensure(versions.NODE_IMAGE, nodeimage.recipe(), nodeimage.build)


def balancer() -> str:
    """The load balancer that kind puts before several API servers."""
    return _ensure(versions.ENVOY_IMAGE, envoy.recipe(), envoy.build)


def _ensure(name: str, recipe: str, build: Callable[[str], None]) -> str:
    with cache.lock("images"):
        decision = source(docker.label(name, nodeimage.LABEL), recipe)
        if decision is Source.PULL:
            say(f"lab: pulling {name} (if the registry answers within {_PULL_PATIENCE:.0f} s) …")
            if docker.pull(name, first=_PULL_PATIENCE, whole=_PULL_TIME):
                return name
            say(f"lab: {name} cannot be pulled here, so it is built from package registries")
        if decision is not Source.PRESENT:
            build(name)
            docker.prune(nodeimage.LABEL)
    return name
