"""`kcompanion learn cleanup`: removes what lessons have left that were killed, or whose API server went away."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

from kcompanion.cli.context import talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import Answer, emit, screen
from kcompanion.cluster import attempts, programs
from kcompanion.cluster import journal as journals
from kcompanion.cluster.attempts import Attempts
from kcompanion.cluster.cleaning import Cleaner, Unread
from kcompanion.cluster.connect import connect
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Snapshot
from kcompanion.report.document import Cell, Document, Lines, Section

LEFT = 1


def clean_up(options: Options, *, dry_run: bool) -> int:
    """Cleans up after every run of this cluster that is not alive; 0 when nothing is left."""
    connection = connect(target(options))
    cleaner = Cleaner(connection, options.request_timeout, lambda told: talk(screen(options).words(told)))
    mine = [one for one in journals.entries(journals.folder()) if one.head.server == connection.origin.server]
    now = options.now or datetime.now(UTC).replace(microsecond=0)
    removed: list[str] = []
    left: list[str] = []
    for entry in mine:
        if entry.alive:
            continue
        removed.append(f"{entry.head.lesson} {entry.head.run} ({entry.head.namespace})")
        if not dry_run:
            problems = programs.end_left(journals.beside(entry.path))  # first: they would make anew what is removed
            problems += cleaner.clean(entry.head, entry.undos)
            left += problems
            if not problems:
                shutil.rmtree(journals.beside(entry.path), ignore_errors=True)
                entry.path.unlink(missing_ok=True)
    try:
        for undo in list(cleaner.leftovers(mine, now, options.namespace)):
            removed.append(undo.path)
            left += [] if dry_run else cleaner.undo(undo)
    except Unread as error:
        left.append(str(error))
    running = [f"{one.head.lesson} {one.head.run} ({one.head.namespace})" for one in mine if one.alive]
    running += _exercises(connection.origin.server)
    body = {"found": removed, "left": left, "running": running, "dryRun": dry_run}
    snapshot = Snapshot(now, connection.origin)
    emit(Answer("LessonCleanup", snapshot, body, _document(removed, left, running, dry_run=dry_run), removed), options)
    return LEFT if left else 0


def _exercises(server: str) -> list[str]:
    """Exercises under way are somebody's work: `practice end` and `practice cleanup` remove them."""
    begun = [one for one in Attempts(attempts.folder()).all().values() if one.open and one.server == server]
    return [f"practice {one.exercise} {one.run} ({one.namespace})" for one in begun]


def _document(removed: list[str], left: list[str], running: list[str], *, dry_run: bool) -> Document:
    verdict = (
        say("learn.nothing_left")
        if not removed
        else say("learn.found" if dry_run else "learn.removed", count=len(removed))
    )
    parts: list[tuple[Message, list[Cell], Status | None]] = [
        (say("learn.these"), list(removed), None),
        (say("learn.not_removed"), list(left), Status.FAIL),
        (say("learn.running"), list(running), None),
    ]
    sections = [Section(title, [Lines(lines)], status) for title, lines, status in parts if lines]
    return Document(verdict=verdict, status=Status.FAIL if left else Status.OK, sections=sections)
