"""A quiz at a terminal: question by question, each answered before the next, and the score at the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from kcompanion.cli.options import Options
from kcompanion.cli.output import screen
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Snapshot
from kcompanion.quiz.draw import Asked, Quiz
from kcompanion.render.terminal import render
from kcompanion.report import quiz as report
from kcompanion.report.document import Document, Section

INTERRUPTED = 130
_NUMBERS = re.compile(r"\d+(?:[\s,]+\d+)*")


class Ended(Exception):
    """The person has had enough."""


@dataclass
class Game:
    """What was seen and what was right so far."""

    shown: Any  # render.screen.Screen
    ask: Callable[[str], str]
    seen: int = 0
    right: set[int] = field(default_factory=set)

    def put(self, index: int, asked: Asked) -> None:
        """Puts one question and tells its answer."""
        self._print(Document(sections=[report.section(index + 1, asked, answers=False)]))
        given = self._given(asked)
        self.seen = index + 1
        if given == asked.question.right:
            self.right.add(index)
        told, status = self._judged(given, asked)
        self._print(Document(verdict=told, status=status, sections=[Section(None, report.answer(asked))], dense=True))

    def _given(self, asked: Asked) -> frozenset[int]:
        """The indices that were chosen; none when the question was passed over."""
        most = len(asked.question.choices)
        prompt = self.shown.words(say("quiz.prompt_many" if len(asked.question.right) > 1 else "quiz.prompt"))
        while True:
            words = self.ask(f"{prompt} ").strip()
            if words.lower() in ("q", "quit"):
                raise Ended
            numbers = {int(one) for one in re.findall(r"\d+", words)} if _NUMBERS.fullmatch(words) else set()
            if not words or (numbers and max(numbers) <= most and min(numbers) > 0):
                return frozenset(number - 1 for number in numbers)
            click.echo(self.shown.words(say("quiz.unreadable", most=most)))

    def _judged(self, given: frozenset[int], asked: Asked) -> tuple[Message, Status | None]:
        if given == asked.question.right:
            return say("quiz.is_right"), Status.OK
        right = report.right_ones(asked)
        return (say("quiz.is_wrong", right=right), Status.FAIL) if given else (say("quiz.skipped", right=right), None)

    def _print(self, document: Document) -> None:
        click.echo(render(document, self.shown), color=True)


def play(quiz: Quiz, snapshot: Snapshot, options: Options, ask: Callable[[str], str] = input) -> int:
    """Asks all questions; 0 at the end, also of a person who had enough, 130 after Ctrl-C."""
    game = Game(screen(options), ask)
    click.echo(render(Document(title=report.title(quiz, snapshot)), game.shown), color=True)
    code = 0
    try:
        for index, asked in enumerate(quiz.asked):
            game.put(index, asked)
    except (Ended, EOFError):
        click.echo()
    except KeyboardInterrupt:
        click.echo()
        code = INTERRUPTED
    click.echo(render(report.result(quiz, game.right, game.seen), game.shown), nl=False, color=True)
    return code
