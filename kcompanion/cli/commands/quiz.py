"""`kcompanion quiz`: questions whose right answers are worked out from this very cluster."""

from __future__ import annotations

import sys

import click

from kcompanion.cli import gathering
from kcompanion.cli.context import session
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer, emit, exit_code
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.controlplane import asks
from kcompanion.errors import NotFound, UsageError
from kcompanion.model.ask import listing
from kcompanion.model.snapshot import Gap
from kcompanion.model.world import World
from kcompanion.quiz.draw import Quiz, draw
from kcompanion.quiz.makers import RESOURCES, TOPICS
from kcompanion.report import quiz as report
from kcompanion.text.catalog import phrase

COUNT = 10


@click.command("quiz")
@click.option("--count", type=click.IntRange(1), default=COUNT, metavar="N", help=f"How many questions [{COUNT}].")
@click.option("--seed", type=int, metavar="N", help="The same questions again [by the time of reading].")
@click.option("--topic", "topics", type=click.Choice(TOPICS), multiple=True, help="Only of this area; may be repeated.")
@click.option("--answers", is_flag=True, help="Print the answers too, with what proves them.")
@reading
@whole
def command(options: Options, *, count: int, seed: int | None, topics: tuple[str, ...], answers: bool) -> int:
    """Questions about this cluster, their answers worked out from it, with the fields that prove them.

    On a terminal it asks, one after the other; Ctrl-C ends it with the result so far. Elsewhere it prints them. It only
    reads. What the cluster has no material for, or what could not be read, is not asked, and that is said.
    """
    if options.watch:
        raise UsageError("a quiz cannot be watched", "leave out -w")
    with session(options) as conversation:
        quiz = _drawn(conversation, options, count, seed, topics)
        told = _answer(conversation, quiz, answers=answers)
    if not quiz.asked and not quiz.undecided:
        raise NotFound("no question can be asked of this cluster", "another --topic, or without -n")
    if not quiz.asked or answers or not _interactive(options):
        return emit(told, options)
    from kcompanion.cli.commands.quiz_play import play  # noqa: PLC0415 - only at a terminal

    return play(quiz, told.snapshot, options) or exit_code(told, options.fail_on)


def _interactive(options: Options) -> bool:
    return options.output in ("table", "wide") and sys.stdin.isatty() and sys.stdout.isatty()


def _drawn(conversation: Session, options: Options, count: int, seed: int | None, topics: tuple[str, ...]) -> Quiz:
    namespace = gathering.namespace(conversation, options)
    lists = (listing(one, (namespace or None) if one.namespaced else None) for one in RESOURCES)
    first = [*lists, *(() if namespace else asks.OVERVIEW)]

    def work(world: World) -> Quiz:
        snapshot = world.snapshot if namespace else gathering.narrowed(world)
        chosen = int(world.now.timestamp()) % 10_000 if seed is None else seed
        return draw(world, snapshot, namespace, seed=chosen, count=count, topics=topics)

    quiz = settle(conversation, work, first)
    gathering.nothing_in(conversation, namespace)  # a misspelt one is told, not passed over
    return quiz


def _answer(conversation: Session, quiz: Quiz, *, answers: bool) -> Answer:
    gaps: dict[str, Gap] = {one.gap.what: one.gap for one in quiz.not_asked if one.gap}
    return Answer(
        "Quiz",
        conversation.snapshot,
        report.to_json(quiz, lambda message: phrase(message, "en"), answers=answers),
        report.document(quiz, conversation.snapshot, answers=answers),
        names=[one.maker.id for one in quiz.asked],
        gaps=tuple(gaps[key] for key in sorted(gaps)),
        undecided=quiz.undecided,
    )
