"""`kcompanion learn cleanup`: removes what lessons have left that were killed, or whose API server went away."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime

from kcompanion.cli.context import talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import Answer, emit, screen
from kcompanion.cluster import attempts, programs
from kcompanion.cluster import journal as journals
from kcompanion.cluster.attempts import Attempts
from kcompanion.cluster.cleaning import Cleaner, Unread
from kcompanion.cluster.connect import connect
from kcompanion.errors import NotAuthenticated, Unreachable
from kcompanion.model.ask import Outcome
from kcompanion.model.finding import Status
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Gap, Snapshot
from kcompanion.report.document import Cell, Document, Lines, Section

LEFT = 1
_NO_ANSWER = frozenset({Outcome.UNREACHABLE, Outcome.TIMEOUT, Outcome.UNAUTHENTICATED})


def clean_up(options: Options, *, dry_run: bool) -> int:
    """Cleans up after every run of this cluster that is not alive; 0 when nothing is left.

    Raises:
        Unreachable: nobody answered, or the server does not know us; and the journals here tell of nothing.
    """
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
    gaps: tuple[Gap, ...] = ()
    try:
        for undo in list(cleaner.leftovers(mine, now, options.namespace)):
            removed.append(undo.path)
            left += [] if dry_run else cleaner.undo(undo)
    except Unread as error:
        gaps = (error.gap,)
        if not removed and error.gap.outcome in _NO_ANSWER:
            raise _unreachable(error.gap) from error
    running = [f"{one.head.lesson} {one.head.run} ({one.head.namespace})" for one in mine if one.alive]
    running += _exercises(connection.origin.server)
    body = {"found": removed, "left": left, "running": running, "dryRun": dry_run}
    snapshot = Snapshot(now, connection.origin)
    document = _document(removed, left, running, gaps, dry_run=dry_run)
    answer = Answer("LessonCleanup", snapshot, body, document, removed, gaps=gaps, undecided=bool(gaps))
    code = emit(answer, options)
    if any(one.outcome in _NO_ANSWER for one in gaps):
        return Unreachable.exit_code
    return code or (LEFT if left else 0)


def _unreachable(gap: Gap) -> Unreachable:
    if gap.outcome is Outcome.UNAUTHENTICATED:
        return NotAuthenticated()
    return Unreachable(f"the API server did not answer: {gap.detail}", "kcompanion doctor")


def _exercises(server: str) -> list[str]:
    """Exercises under way are somebody's work: `practice end` and `practice cleanup` remove them."""
    begun = [one for one in Attempts(attempts.folder()).all().values() if one.open and one.server == server]
    return [f"practice {one.exercise} {one.run} ({one.namespace})" for one in begun]


def _document(
    removed: list[str], left: list[str], running: list[str], gaps: Sequence[Gap], *, dry_run: bool
) -> Document:
    verdict = say("learn.left_unknown" if gaps else "learn.nothing_left")
    if removed:
        verdict = say("learn.found" if dry_run else "learn.removed", count=len(removed))
    parts: list[tuple[Message, list[Cell], Status | None]] = [
        (say("learn.these"), list(removed), None),
        (say("learn.not_removed"), list(left), Status.FAIL),
        (say("learn.running"), list(running), None),
    ]
    sections = [Section(title, [Lines(lines)], status) for title, lines, status in parts if lines]
    status = Status.FAIL if left else Status.UNKNOWN if gaps else Status.OK
    return Document(verdict=verdict, status=status, sections=sections, gaps=gaps)
