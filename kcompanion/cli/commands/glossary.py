"""`kcompanion glossary [TERM]`: the vocabulary, with examples from this cluster, or without where there is none."""

from __future__ import annotations

import difflib

import click

from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer
from kcompanion.cli.run import run_even_without
from kcompanion.cluster.demand import settle
from kcompanion.cluster.session import Session
from kcompanion.errors import NotFound
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.report import glossary as report
from kcompanion.report.book.look import Look
from kcompanion.report.document import Document
from kcompanion.text import catalog
from kcompanion.text.catalog import phrase
from kcompanion.text.language import LANGUAGES


@click.command("glossary")
@click.argument("words", nargs=-1, metavar="[TERM]")
@reading
@whole
def command(options: Options, words: tuple[str, ...]) -> int:
    """The words people use around Kubernetes, each with the object of this cluster that shows it.

    Without a cluster it says the same without examples.
    """
    keys = _keys(" ".join(words))

    def produce(conversation: Session) -> Answer:
        def work(world: World) -> report.Glossary:
            space = "" if options.all_namespaces else options.namespace or ""
            return report.glossary(keys, Look(world, space))

        return _answer(settle(conversation, work), conversation.snapshot)

    return run_even_without(options, produce, lambda snapshot: _answer(report.glossary(keys, None), snapshot))


def _answer(found: report.Glossary, snapshot: Snapshot) -> Answer:
    return Answer(
        "Glossary",
        snapshot,
        found.to_json(lambda message: phrase(message, "en")),
        Document(sections=report.sections(found)),
        names=list(found.shown),
        gaps=tuple(found.look.missing.values()) if found.look else (),
    )


def _keys(word: str) -> tuple[str, ...]:
    """The terms that are meant: all, or the one of that name in either language.

    Raises:
        NotFound: there is no such term.
    """
    if not word:
        return tuple(report.TERMS)
    wanted = _plain(word)
    names = {
        _plain(name): key
        for key in report.TERMS
        for language in LANGUAGES
        for name in (key, *phrase(say(f"glossary.{key}.name"), language).split("/"), *_also(key, language))
    }
    exact = names.get(wanted)
    if exact is not None:
        return (exact,)
    parts = dict.fromkeys(key for name, key in names.items() if wanted in name)
    if parts and len(wanted) > 2:
        return tuple(parts)
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.6)
    hint = f"did you mean {', '.join(near)}?" if near else "`kcompanion glossary` has all terms"
    raise NotFound(f"the glossary has no {word!r}", hint)


def _also(key: str, language: str) -> tuple[str, ...]:
    """Other spellings of a term."""
    told = catalog.area(language, "glossary").get(f"{key}.also", "")
    return tuple(part.strip() for part in told.split(",") if part.strip())


def _plain(word: str) -> str:
    """Without capitals, blanks, hyphens and an English plural."""
    bare = "".join(char for char in word.casefold() if char.isalnum())
    return bare[:-1] if bare.isascii() and bare.endswith("s") and len(bare) > 4 else bare
