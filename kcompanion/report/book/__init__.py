"""The book behind `explain`: phases, conditions, reasons and exit codes, with examples from the reader's cluster."""

from __future__ import annotations

import difflib

from kcompanion.errors import NotFound, UsageError
from kcompanion.explain.exitcodes import BY_SIGNAL, SIGNALS
from kcompanion.model.world import World
from kcompanion.report.book.indexes import INDEXES
from kcompanion.report.book.look import Look
from kcompanion.report.book.page import Page
from kcompanion.report.book.pages import PAGES
from kcompanion.report.book.words import CONDITIONS, PHASES, REASONS

TOPICS = tuple(INDEXES)
LARGEST = 255  # an exit code is one byte


def check(topic: str, word: str) -> None:
    """Whether the book has such a page.

    Raises:
        UsageError: an exit code that is none.
        NotFound: no such word; the hint names the nearest.
    """
    _resolved(topic, word)


def _resolved(topic: str, word: str) -> tuple[str, str]:
    """The topic and the word in its right spelling. A STATUS word that is no phase is found among the reasons."""
    if not word:
        return topic, ""
    if topic == "exit-code":
        return topic, str(_code(word))
    known = {"phase": PHASES, "condition": CONDITIONS, "reason": REASONS}
    for other in (topic, *(name for name in known if name != topic)):
        for spelling in known[other]:
            if spelling.lower() == word.lower():
                return other, spelling
    near = difflib.get_close_matches(word, known[topic], n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"`kcompanion explain {topic}` lists them"
    raise NotFound(f"the book has no {topic} {word!r}", hint)


def _code(word: str) -> int:
    by_name = {name: BY_SIGNAL + number for number, name in SIGNALS.items()}
    code = by_name.get(word.upper(), int(word) if word.isdecimal() and len(word) < 4 else -1)
    if not 0 <= code <= LARGEST:
        raise UsageError(f"{word!r} is no exit code", "it is a number from 0 to 255, or a signal such as SIGKILL")
    return code


def page(topic: str, word: str, world: World, space: str = "") -> Page:
    """The page of a word, or the list of a topic's words; examples are of one namespace or of all.

    Raises:
        NotFound, UsageError: as `check`.
    """
    given = topic
    topic, word = _resolved(topic, word)
    look = Look(world, space)
    if not word:
        return INDEXES[topic](look)
    return PAGES[topic](word, look, given)
