"""The cases by number, and the controllers that are put through them.

A case is written once. `builtin` is Kubernetes's own controller: what it does not pass is wrong in the case.
`ours-apps` is our operator in its place, `ours-crs` the same engine on our own kind.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.acceptance.bed import Bed

Case = Callable[["Bed"], Awaitable[None]]
PATIENCE = 60.0


@dataclass(frozen=True)
class Target:
    """A controller under test and the kind that it keeps."""

    name: str
    operator: str  # our --target; empty for the built-in controller
    api_version: str
    kind: str
    plural: str
    component: str  # of its events

    @property
    def path(self) -> str:
        """Where the kind lives in a namespace, after `/namespaces/NS`."""
        return f"/apis/{self.api_version}"

    @property
    def lease(self) -> str:
        """What two of them contend for, in kube-system."""
        return f"kcompanion-{self.operator}" if self.operator else "kcompanion-acceptance"

    def __str__(self) -> str:
        return self.name


_APPS = ("apps/v1", "ReplicaSet", "replicasets", "replicaset-controller")
BUILT_IN = Target("builtin", "", *_APPS)
OURS_APPS = Target("ours-apps", "replicasets.apps", *_APPS)
OURS_CRS = Target(
    "ours-crs",
    "companionreplicasets.kcompanion.dev",
    "kcompanion.dev/v1alpha1",
    "CompanionReplicaSet",
    "companionreplicasets",
    "companionreplicaset-controller",
)
TARGETS = (BUILT_IN, OURS_APPS, OURS_CRS)
APPS = (BUILT_IN, OURS_APPS)
OURS = (OURS_APPS, OURS_CRS)


class Turn(enum.Enum):
    """Beside what a case runs."""

    TOGETHER = "other cases, all with one controller for every namespace"
    ALONE = "nothing: it stops or restarts that controller"
    OWN = "others that bring a controller of their own, limited to their namespace, when the shared one has ended"


@dataclass(frozen=True)
class Entry:
    """One case: what it is called, where it applies, and which of upstream's integration tests it repeats."""

    number: str
    title: str
    run: Case
    targets: tuple[Target, ...]
    turn: Turn
    full: tuple[Target, ...]  # where it is left to the long run
    upstream: tuple[str, ...]
    patience: float
    strict: bool = False  # whether it holds the bounds that are promised, and not only what a busy machine keeps

    def __str__(self) -> str:
        return self.number


CASES: dict[str, Entry] = {}


def case(
    number: str,
    title: str,
    *,
    only: tuple[Target, ...] = TARGETS,
    turn: Turn = Turn.TOGETHER,
    full: tuple[Target, ...] = (BUILT_IN,),
    upstream: tuple[str, ...] = (),
    patience: float = 180.0,
    bounded: bool = False,
) -> Callable[[Case], Case]:
    """Enters a function into the catalogue; one that is bounded twice, for the long run alone and strictly."""

    def enter(function: Case) -> Case:
        assert number not in CASES, number
        entry = Entry(number, title, function, only, turn, full, upstream, patience)
        CASES[number] = entry
        if bounded:
            strictly = f"{number}-strict"
            CASES[strictly] = replace(entry, number=strictly, turn=Turn.ALONE, full=TARGETS, strict=True)
        return function

    return enter


def now() -> str:
    """The time as the API writes it."""
    return stamp(0)


def stamp(seconds: float) -> str:
    """That many seconds from now, as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
