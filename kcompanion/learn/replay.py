"""A recorded run as a Bench: the same lesson, the same claims, the answers of then."""

from __future__ import annotations

from kcompanion.errors import BadRecording
from kcompanion.learn.answers import Exchange, Request
from kcompanion.learn.lesson import Undo, Until
from kcompanion.learn.protocol import Recorded


class Replay:
    """Answers the acts of a lesson in the order in which they were recorded."""

    def __init__(self, recorded: Recorded) -> None:
        self._left = list(recorded.exchanges)

    @property
    def done(self) -> bool:
        return not self._left

    def send(self, name: str, request: Request, *, managed: bool) -> Exchange:  # noqa: ARG002 - as a Bench
        """The next answer.

        Raises:
            BadRecording: it belongs to another act: the lesson has changed since.
        """
        if not self._left or self._left[0].name != name:
            raise BadRecording(
                f"the recording holds no answer for {name!r} here",
                "it is of another version of the lesson: record anew",
            )
        return self._left.pop(0)

    def wait(self, name: str, request: Request, until: Until, seconds: float, *, managed: bool) -> Exchange:  # noqa: ARG002 - as a Bench
        return self.send(name, request, managed=managed)

    hold = wait

    def note(self, undo: Undo) -> None:
        """Nothing is changed, so there is nothing to take back."""
