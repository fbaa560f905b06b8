"""`quiz`: questions, answers with their proof, the score, and what to look into again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from kcompanion.model.finding import Evidence
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.snapshot import Snapshot
from kcompanion.quiz.draw import Asked, NotAsked, Quiz
from kcompanion.quiz.question import Choice
from kcompanion.report.document import Block, Cell, Document, Lines, Section

Words = Callable[[Message], str]


def document(quiz: Quiz, snapshot: Snapshot, *, answers: bool) -> Document:
    """All questions, one after the other; with `answers` each with its own."""
    sections = [section(number, one, answers=answers) for number, one in enumerate(quiz.asked, 1)]
    notes: list[Cell] = []
    if quiz.spare:
        notes.append(say(one_or_many("quiz.spare", quiz.spare), count=quiz.spare))
    if quiz.asked and not answers:
        notes.append(say("quiz.hint"))
    if notes:
        sections.append(Section(None, [Lines(notes)]))
    return Document(
        title=title(quiz, snapshot),
        verdict=None if quiz.asked else say("quiz.nothing"),
        sections=[*sections, *not_asked(quiz)],
    )


def title(quiz: Quiz, snapshot: Snapshot) -> Message:
    origin = snapshot.origin
    count = len(quiz.asked)
    cluster = origin.cluster or origin.context or origin.server or "?"
    return say(one_or_many("quiz.title", count), cluster=cluster, count=count, seed=quiz.seed)


def section(number: int, asked: Asked, *, answers: bool) -> Section:
    """One question with its choices, and its answer beside them if it is to be told."""
    question = asked.question
    several = len(question.right) > 1
    told: list[Cell] = []
    for index, choice in enumerate(question.choices):
        key = "right" if answers and index in question.right else "choice"
        told.append(say(f"quiz.{key}", index=index + 1, text=_text(choice)))
    blocks: list[Block] = [Lines(told), *(answer(asked) if answers else ())]
    return Section(say("quiz.several" if several else "quiz.question", number=number, asked=question.asked), blocks)


def answer(asked: Asked) -> list[Block]:
    """Why it is so, the fields that prove it, and the commands that show it."""
    question = asked.question
    commands = [f"→ {command}" for command in question.commands]
    return [Lines([question.why, *map(_proof, question.proof), *commands, say("quiz.row", row=asked.maker.row)])]


def right_ones(asked: Asked) -> str:
    """The numbers of the right choices."""
    return ", ".join(str(index + 1) for index in sorted(asked.question.right))


def score(quiz: Quiz, right: Collection[int], seen: int) -> Message:
    """How many were right, of all or of those that were seen."""
    if seen == len(quiz.asked):
        return say("quiz.score", right=len(right), asked=seen)
    return say("quiz.score_early", right=len(right), asked=seen, left=len(quiz.asked) - seen)


def result(quiz: Quiz, right: Collection[int], seen: int) -> Document:
    """The score, and for each miss where to go on."""
    missed: list[Cell] = [
        say("quiz.go_on", number=number, asked=one.question.asked, where=where(one))
        for number, one in enumerate(quiz.asked[:seen], 1)
        if number - 1 not in right
    ]
    sections = [Section(say("quiz.section.missed"), [Lines(missed)])] if missed else []
    return Document(title=score(quiz, right, seen), sections=[*sections, *not_asked(quiz)])


def where(asked: Asked) -> str:
    """What to go to after a miss: the command that shows it, the lesson that tries it out, the concept."""
    lesson = [f"kcompanion learn {asked.maker.lesson}"] if asked.maker.lesson else []
    return ", ".join([asked.question.commands[0], *lesson, asked.maker.row])


def not_asked(quiz: Quiz) -> list[Section]:
    """The kinds without a question, by the reason."""
    reasons: dict[tuple[str, str, str, str], list[str]] = {}
    for one in quiz.not_asked:
        reasons.setdefault(_reason(one), []).append(one.maker.id)
    lines: list[Cell] = [
        say(
            "quiz.not_asked_gap",
            names=", ".join(names),
            verb=verb,
            resource=resource,
            reason=say(f"common.outcome.{outcome}"),
        )
        if why == "gap"
        else say(f"quiz.not_asked_{why}", names=", ".join(names))
        for (why, verb, resource, outcome), names in reasons.items()
    ]
    return [Section(say("quiz.section.not_asked"), [Lines(lines)])] if lines else []


def _reason(one: NotAsked) -> tuple[str, str, str, str]:
    if one.gap is None:
        return one.why, "", "", ""
    return one.why, one.gap.verb, one.gap.resource, one.gap.outcome.value


def _proof(item: Evidence) -> Message:
    source = " ".join(part for part in (item.source, item.path) if part)
    return say("quiz.proof_value", source=source, value=item.value) if item.value else say("quiz.proof", source=source)


def _text(choice: Choice) -> Cell:
    return choice if isinstance(choice, Message) else str(choice)


def to_json(quiz: Quiz, words: Words, *, answers: bool) -> dict[str, Any]:
    """The body; answers only when they are asked for. Numbers of choices count from 1."""
    return {
        "seed": quiz.seed,
        "questions": [_question_json(one, words, answers=answers) for one in quiz.asked],
        "questionsLeftOut": quiz.spare,
        "notAsked": [
            {
                "id": one.maker.id,
                "topic": one.maker.topic,
                "reason": one.why,
                "missing": one.gap.to_json() if one.gap else None,
            }
            for one in quiz.not_asked
        ],
    }


def _question_json(asked: Asked, words: Words, *, answers: bool) -> dict[str, Any]:
    question, maker = asked.question, asked.maker
    told: dict[str, Any] = {
        "id": maker.id,
        "topic": maker.topic,
        "row": maker.row,
        "question": question.asked.to_json(),
        "text": words(question.asked),
        "choices": [words(one) if isinstance(one, Message) else str(one) for one in question.choices],
        "several": len(question.right) > 1,
    }
    if answers:
        told["answer"] = {
            "right": _numbers(question.right),
            "text": words(question.why),
            "proof": [item.to_json() for item in question.proof],
            "commands": list(question.commands),
            "lesson": maker.lesson or None,
        }
    return told


def _numbers(indices: Collection[int]) -> Sequence[int]:
    return [index + 1 for index in sorted(indices)]
