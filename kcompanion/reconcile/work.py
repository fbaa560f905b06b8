"""What the parts of one sync share: the ReplicaSet, the view, the books, the clock, and the account they keep."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from kcompanion.reconcile.account import Account
from kcompanion.reconcile.expectations import Books
from kcompanion.reconcile.owner import ReplicaSet
from kcompanion.reconcile.requests import Answer, Request
from kcompanion.reconcile.steps import Event, Step
from kcompanion.reconcile.target import Key
from kcompanion.reconcile.view import View


@dataclass(frozen=True, slots=True)
class Work:
    """One sync's things at hand."""

    owner: ReplicaSet
    view: View
    books: Books
    now: Callable[[], int]
    account: Account

    @property
    def key(self) -> Key:
        return self.owner.key

    def wrote_pod(self, version: int) -> None:
        """A pod was written: a view that does not hold it yet is too old to be looked at."""
        self.books.versions.wrote(self.key, self.owner.uid, "pods", version)

    def ask(self, *requests: Request) -> Generator[Step, tuple[Answer, ...], tuple[Answer, ...]]:
        """Sends requests at the same time, and whatever events have gathered, and notes the answers."""
        events = tuple(self.account.events)
        self.account.events.clear()
        answers = yield Step(requests, events)
        self.account.note(requests, answers)
        return answers

    def tell(self, reason: str, message: str) -> None:
        """An event about the ReplicaSet: a success is normal, the rest a warning."""
        type_ = "Warning" if reason.startswith("Failed") else "Normal"
        self.account.events.append(Event(self.owner, type_, reason, message))
