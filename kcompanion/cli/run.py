"""Runs a reading command: once, or again and again with -w."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from kcompanion.cli.context import session, talk
from kcompanion.cli.options import Options
from kcompanion.cli.output import Answer, emit, screen, written
from kcompanion.cluster.session import Session
from kcompanion.errors import Unreachable, UsageError
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot

EVERY = 2.0  # seconds between two readings
_HOME, _REST_OF_LINE, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
# What makes two answers differ for whoever watches: everything but ages and times.
_OF_PARTS = {"status", "holder", "node", "name", "pod", "role", "version", "ready", "code", "subject", "failed", "well"}
_OF_CAUSES = {"severity", "root", "affectedCount"}
_TELLING = frozenset(_OF_PARTS | _OF_CAUSES)

_WHOLE = frozenset({"states"})  # how many pods are in which state


def run(options: Options, produce: Callable[[Session], Answer]) -> int:
    """Reads, judges and prints; returns the exit code. With -w it goes on until it is interrupted."""
    if options.watch:
        return _watch(options, produce)
    with session(options) as conversation:
        answer = produce(conversation)
    return emit(answer, options)


def run_even_without(options: Options, produce: Callable[[Session], Answer], told: Callable[[Snapshot], Answer]) -> int:
    """`run`; where no cluster answers, what can be told without one, and on stderr why it holds no examples."""
    try:
        return run(options, produce)
    except Unreachable as error:
        if options.from_file or options.record or options.watch:
            raise
        talk(screen(options).words(say("common.no_examples", why=error.text)))
        return emit(told(Snapshot(options.now or datetime.now(UTC))), options)


def _watch(options: Options, produce: Callable[[Session], Answer]) -> int:
    if options.from_file or options.record:
        raise UsageError("-w watches a live cluster", "leave out --from and --record")
    redraw = sys.stdout.isatty() and options.output in ("table", "wide")
    last: object = None
    while True:
        try:
            with session(options) as conversation:
                answer = produce(conversation)
        except Unreachable as error:
            talk(f"error: {error.text}")
        else:
            now = _signature(answer.body)
            if redraw:
                rows = shutil.get_terminal_size((80, 24)).lines
                click.echo(_over(written(answer, options), rows), nl=False, color=True)
            elif now != last:
                emit(answer, options)
            sys.stdout.flush()
            last = now
        time.sleep(EVERY)


def _over(text: str, rows: int) -> str:
    """The text over what stands there: nothing flickers, and what has scrolled away stays. As `watch`, one screen."""
    lines = text.splitlines()
    shown = lines if len(lines) < rows else [*lines[: rows - 2], "…"]
    return _HOME + "".join(f"{line}{_REST_OF_LINE}\n" for line in shown) + _BELOW


def _signature(node: object) -> object:
    """The parts of an answer that tell a change."""
    if isinstance(node, Mapping):
        return {key: _part(key, value) for key, value in node.items() if _telling(key, value)}
    if isinstance(node, list | tuple):
        return [_signature(entry) for entry in node]
    return None


def _telling(key: str, value: Any) -> bool:  # noqa: ANN401 - JSON
    return key in _TELLING or isinstance(value, Mapping | list | tuple)


def _part(key: str, value: Any) -> object:  # noqa: ANN401 - JSON
    whole = key in _WHOLE or (key in _TELLING and not isinstance(value, Mapping))
    return value if whole else _signature(value)
