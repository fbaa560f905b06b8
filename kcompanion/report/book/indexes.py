"""The book's indexes: the words of a topic, what each means in short, and how many show it here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from kcompanion.explain.exitcodes import EXPLAINED, exit_code
from kcompanion.explain.pod import Pod
from kcompanion.model.message import say
from kcompanion.report.book.look import Look, reasons_of
from kcompanion.report.book.page import Page
from kcompanion.report.book.words import CONDITIONS, PHASES, REASONS
from kcompanion.report.document import Block, Cell, Lines, Section, Table, columns


def _phases(look: Look) -> Page:
    counts = Counter(pod.phase for pod in look.pods())
    rows: list[tuple[Cell, ...]] = [
        (word, look.counted(counts.get(word, 0)), say(f"book.phase.{word.lower()}.short")) for word in PHASES
    ]
    lines: list[Cell] = [say("book.phase_is_not_status"), say("book.how_to_go_on", topic="phase", word="Pending")]
    return _index("phase", [Table(columns("PHASE PODS MEANS"), rows), Lines(lines)], look, counts)


def _conditions(look: Look) -> Page:
    rows: list[tuple[Cell, ...]] = [
        (word, ", ".join(kinds), say(f"book.condition.{word.lower()}.short")) for word, kinds in CONDITIONS.items()
    ]
    lines: list[Cell] = [say("book.how_to_go_on", topic="condition", word="Ready")]
    return _index("condition", [Table(columns("TYPE OF MEANS"), rows), Lines(lines)], look, {})


def _reasons(look: Look) -> Page:
    counts: Counter[str] = Counter()
    for pod in look.pods():
        counts.update({word for word, _ in reasons_of(pod)})
    rows: list[tuple[Cell, ...]] = [
        (word, say(f"book.where.{entry.where}"), look.counted(counts.get(word) or None))
        for word, entry in REASONS.items()
    ]
    lines: list[Cell] = [say("book.how_to_go_on", topic="reason", word="CrashLoopBackOff")]
    return _index("reason", [Table(columns("REASON STANDS_IN PODS"), rows), Lines(lines)], look, counts)


def _codes(look: Look) -> Page:
    counts = Counter(str(code) for pod in look.pods() for code in _ended_with(pod))
    rows: list[tuple[Cell, ...]] = [
        (code, exit_code(code).signal or None, look.counted(counts.get(str(code)) or None), exit_code(code).short)
        for code in EXPLAINED
    ]
    lines: list[Cell] = [say("book.code_over_128"), say("book.how_to_go_on", topic="exit-code", word="137")]
    return _index("exit-code", [Table(columns("CODE SIGNAL CONTAINERS MEANS"), rows), Lines(lines)], look, counts)


def _index(topic: str, blocks: Sequence[Block], look: Look, counts: Mapping[str, int]) -> Page:
    title = say(f"book.title.{topic.replace('-', '_')}")
    return Page(topic, "", [Section(title, blocks)], gaps=look.gaps, counts=counts)


def _ended_with(pod: Pod) -> Iterator[int]:
    return (one.exit_code for one in pod.containers if one.exit_code is not None)


INDEXES: Mapping[str, Callable[[Look], Page]] = {
    "phase": _phases,
    "condition": _conditions,
    "reason": _reasons,
    "exit-code": _codes,
}
