"""Steps of a story: who did what, when, how long it took, and where that was read.

The API writes whole seconds. A step whose two ends carry the same second took less than one, and no arithmetic makes
more of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from kcompanion.model.message import Message
from kcompanion.model.snapshot import Gap
from kcompanion.model.times import parse_time

SKEW = 1.0  # seconds that clocks, and times cut to whole seconds, may differ


class State(StrEnum):
    """How far a step is."""

    DONE = "done"
    OPEN = "open"  # it is being waited for
    MISSING = "missing"  # it surely happened, but nothing that is left tells when
    NOT_KNOWN = "not_known"  # what would tell could not be read


@dataclass(frozen=True)
class Step:
    """One step.

    `at` is when it was done and `since` when it began, as the API writes times; both may be empty. `exact` is a
    duration in seconds that its doer told, where that is finer than the times.
    """

    id: str
    actor: str
    told: Message
    source: str = ""
    at: str = ""
    since: str = ""
    exact: float | None = None
    state: State = State.DONE
    part: str = ""  # the container it is about
    took: float | None = None  # seconds, worked out by `timed`
    at_most: bool = False  # `took` holds the time of steps before it too, of which nothing tells when they were done

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "actor": self.actor,
            "told": self.told.to_json(),
            "source": self.source or None,
            "at": self.at or None,
            "since": self.since or None,
            "state": self.state.value,
            "container": self.part or None,
            "tookSeconds": self.took,
            "tookAtMost": self.at_most,
        }


def timed(steps: Iterable[Step], now: datetime) -> tuple[Step, ...]:
    """The steps with their durations: from their own beginning, else from the latest step done before them.

    Clocks of nodes and control plane may differ by a little, so what seems to take less than no time took none. What
    ended more than a second before the step it is told after did not wait for that: its duration is not known.
    """
    done: list[Step] = []
    latest: datetime | None = None
    blurred = False  # whether steps since `latest` left no time
    for step in steps:
        end = now if step.state is State.OPEN else parse_time(step.at)
        own = parse_time(step.since)
        begin = own or latest
        took, at_most = step.exact, False
        if took is None and begin is not None and end is not None:
            seconds = (end - begin).total_seconds()
            took = max(0.0, seconds) if seconds >= -SKEW else None
            at_most = took is not None and own is None and blurred
        done.append(replace(step, took=took, at_most=at_most))
        if step.state is State.DONE and end is not None and (latest is None or end > latest):
            latest = end
        if step.state in (State.MISSING, State.NOT_KNOWN):
            blurred = True
        elif end is not None:
            blurred = False
    return tuple(done)


@dataclass(frozen=True)
class Story:
    """The life of one object so far."""

    steps: Sequence[Step]
    later: Sequence[Step] = ()  # what happened after it was up: restarts, kills, deletion
    notes: Sequence[Message] = ()
    gaps: Sequence[Gap] = ()

    @property
    def waiting(self) -> Step | None:
        """The step it waits for now."""
        return next((step for step in (*self.steps, *self.later) if step.state is State.OPEN), None)
