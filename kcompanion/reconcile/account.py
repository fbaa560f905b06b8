"""What one sync keeps account of while it goes along; in the end it becomes a Decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kcompanion.reconcile.decision import Action, Answered, Change, Observed
from kcompanion.reconcile.expectations import Pending
from kcompanion.reconcile.requests import Answer, Request
from kcompanion.reconcile.steps import Event
from kcompanion.reconcile.victims import Victim


@dataclass(slots=True)
class Account:
    """Notes in the making; events wait here for the next step."""

    action: Action = Action.NONE
    count: int = 0
    observed: Observed = field(default_factory=Observed)
    pending: Pending | None = None
    adopted: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    victims: tuple[Victim, ...] = ()
    age_ratios: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()
    errors: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    answers: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def note(self, requests: Iterable[Request], answers: Iterable[Answer]) -> None:
        """Like answers to like requests are counted together."""
        for request, answer in zip(requests, answers, strict=True):
            what = (type(request).__name__, answer.code, answer.message)
            self.answers[what] = self.answers.get(what, 0) + 1

    def answered(self) -> tuple[Answered, ...]:
        return tuple(Answered(*what, count) for what, count in self.answers.items())
