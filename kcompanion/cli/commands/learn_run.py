"""`kcompanion learn NAME`: runs a lesson on the cluster, replays a recorded run, or prints what it would send."""

from __future__ import annotations

import json
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kcompanion.cli.commands import learn_needs
from kcompanion.cli.context import SHIPPED, shipped, talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import Answer, emit, envelope, screen
from kcompanion.cluster import journal as journals
from kcompanion.cluster.bench import Bench
from kcompanion.cluster.cleaning import Cleaner
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.journal import Head, Journal
from kcompanion.cluster.mending import asking, handled, refuse_second
from kcompanion.cluster.recording import refuse_unwritable, write_whole
from kcompanion.cluster.toolbox import Toolbox
from kcompanion.cluster.transport import Transport
from kcompanion.errors import BadRecording, CompanionError, NotAuthenticated, NotFound, UsageError
from kcompanion.learn import needs, space
from kcompanion.learn.answers import Exchange
from kcompanion.learn.conditions import there
from kcompanion.learn.lesson import Hold, Lesson, Send, Step, Wait
from kcompanion.learn.perform import perform, plan, ways_back
from kcompanion.learn.places import collections
from kcompanion.learn.protocol import KIND, Judgement, Run, Setting, read
from kcompanion.learn.replay import Replay
from kcompanion.model.fields import text_at
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Origin, Snapshot
from kcompanion.model.times import parse_time
from kcompanion.render.terminal import render
from kcompanion.report import learn as report
from kcompanion.report.document import Document

PREPARED = 30.0  # seconds for a new namespace to get its service account and CA bundle
NOT_SHOWN = 1
UNKNOWN_CALLER, REFUSED = 401, range(400, 500)  # a request that is refused has made nothing
_DRY = Setting("<run>", "<namespace>", own=True, image="")


class Printer:
    """Shows a run step by step; with a pause, waits for Enter before each step."""

    def __init__(self, lesson: Lesson, options: Options, *, pause: bool) -> None:
        self._lesson = lesson
        self._options = options
        self._pause = pause
        self._number = 0
        self._step: Step | None = None
        self._acts: list[tuple[Send | Wait | Hold, Exchange]] = []
        self._claims: list[Judgement] = []
        self._quiet = options.output in ("json", "yaml", "name")

    def began(self, number: int, step: Step) -> None:
        self.flush()
        if self._pause:
            self._wait(say("learn.press"))
        self._number, self._step = number, step

    def asked(self, act: Send | Wait | Hold, exchange: Exchange) -> None:
        self._acts.append((act, exchange))

    def judged(self, judgement: Judgement) -> None:
        self._claims.append(judgement)

    def flush(self) -> None:
        """Shows what the last step brought."""
        if self._step is not None:
            self.show(report.step(self._lesson, self._number, self._step, self._acts, self._claims))
        self._step, self._acts, self._claims = None, [], []

    def show(self, document: Document) -> None:
        """Shows a part of the lesson, unless the protocol is wanted."""
        if not self._quiet:
            shown = screen(self._options)
            click.echo(render(document, shown), color=shown.theme.colour)
            sys.stdout.flush()

    def _wait(self, words: Message) -> None:
        """Waits for a key. Not click.pause: it takes Ctrl-C for one."""
        _say(self._options, words)
        try:
            click.getchar()
        except EOFError as error:
            raise click.Abort from error

    def end(self, run: Run) -> None:
        """The last step, the conclusion, and the question at the end."""
        self.flush()
        self.show(report.closing(self._lesson, run))
        if run.shown:
            if self._pause:
                self._wait(say("learn.press_answer"))
            self.show(report.answer(self._lesson))


def dry_run(options: Options, lesson: Lesson, image: str) -> int:
    """Prints every request the lesson would make; sends none.

    Raises:
        UsageError: a run would refuse these options too.
    """
    _check_namespace(options, lesson)
    setting = Setting(_DRY.run, options.namespace or _DRY.namespace, own=not options.namespace, image=image)
    before = [*needs.questions(lesson, setting), space.had(lesson, setting), *space.settled(setting)]
    steps = list(plan(lesson, setting))
    after = [*ways_back(lesson, setting), *space.removed(setting, collections(lesson, setting))]
    requests = [
        *(("prepare", "", request) for request in before),
        *((step.id, act.name, request) for step, acts in steps for act, request in acts),
        *(("cleanup", "", request) for request in after),
    ]
    told = [{"step": step, "name": name, **request.to_json()} for step, name, request in requests]
    sections = [
        report.around("before", before),
        *(report.planned(lesson, number, step, acts) for number, (step, acts) in enumerate(steps, 1)),
        report.around("after", after),
    ]
    document = Document(title=say("learn.dry", id=lesson.id), sections=sections)
    body = {"lesson": lesson.id, "requests": told}
    return emit(Answer("LessonPlan", Snapshot(options.now or datetime.now(UTC)), body, document), options)


def replay(options: Options, lesson: Lesson, *, pause: bool) -> int:
    """Performs the lesson on the answers of a recorded run.

    Raises:
        BadRecording: the file is no such recording.
    """
    _check(options, pause=pause)
    document = _recorded(options.from_file or "")
    recorded = read(document)
    if recorded.lesson != lesson.id:
        raise BadRecording(
            f"that is a recording of the lesson {recorded.lesson}", f"kcompanion learn {recorded.lesson}"
        )
    printer = Printer(lesson, options, pause=pause)
    printer.show(report.opening(lesson, report.where(recorded.setting, replayed=True)))
    run = perform(lesson, recorded.setting, Replay(recorded), printer)
    run.left = recorded.left
    printer.end(run)
    cluster = document.get("cluster") or {}
    origin = Origin(text_at(cluster, "context"), text_at(cluster, "name"), text_at(cluster, "server"))
    taken = parse_time(text_at(document, "capturedAt")) or datetime.now(UTC)
    return _finish(run, Snapshot(options.now or taken, origin), options)


def _recorded(name: str) -> Mapping[str, Any]:
    path = shipped(name, "lessons", ".json") if name.startswith(SHIPPED) else Path(name)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadRecording(
            f"{name} cannot be read as a recorded lesson", "`learn NAME --record FILE` writes one"
        ) from error
    if not isinstance(document, dict):
        raise BadRecording(f"{name} is no recorded lesson", "`learn NAME --record FILE` writes one")
    return document


def _check(options: Options, *, pause: bool) -> None:
    """What is wrong with the options of a run, before it begins."""
    if pause and not sys.stdin.isatty():
        raise UsageError("--pause waits for Enter, and stdin is no terminal", "leave out --pause")
    if options.record:
        refuse_unwritable(Path(options.record))


def _check_namespace(options: Options, lesson: Lesson) -> None:
    if options.namespace and not lesson.movable:
        raise UsageError(f"the lesson {lesson.id} needs a namespace of its own", "leave out -n")


def run_live(options: Options, lesson: Lesson, image: str, *, yes: bool, pause: bool, anyway: bool) -> int:
    """Runs the lesson on the cluster; 0 when it came to its end and every claim held.

    Raises:
        UsageError: the options do not go together, what it needs is not there, or nobody agreed to the writing.
    """
    _check(options, pause=pause)
    if options.all_namespaces or options.watch:
        raise UsageError("a lesson runs in one namespace, once", "leave out -A and --watch")
    _check_namespace(options, lesson)
    if not yes and not sys.stdin.isatty():
        raise UsageError("a lesson writes to the cluster, and there is no terminal to ask", "add --yes")
    mark = secrets.token_hex(3)
    own = not options.namespace
    setting = Setting(mark, options.namespace or f"kcompanion-lesson-{mark}", own, image)
    connection = connect(target(options))
    if not anyway:
        learn_needs.require(options, lesson, setting, connection)
    machines = handled(connection, options.request_timeout, trust=anyway) if lesson.breaks else None
    printer = Printer(lesson, options, pause=pause)
    printer.show(report.opening(lesson, report.where(setting, replayed=False)))
    if not yes:
        words = say("learn.consent", context=connection.origin.context, server=connection.origin.server)
        click.confirm(screen(options).words(words), abort=True, err=True)
    head = Head(mark, lesson.id, connection.origin.server, setting.namespace, own, collections(lesson, setting))
    journal = Journal(journals.folder() / f"{mark}.journal", head)
    tools = Toolbox(journals.beside(journal.path), connection)
    run = Run(lesson.id, setting)
    refused: CompanionError | None = None
    try:
        with _ended_by_signals():
            bench = Bench(connection, journal, options.request_timeout, machines, tools)
            refused = _refused(bench, lesson, setting)
            if refused is not None:
                raise refused
            _settle(bench, setting)
            if lesson.breaks:
                refuse_second(asking(Transport(connection), options.request_timeout), setting.namespace)
            run = perform(lesson, setting, bench, printer)
            printer.end(run)
    finally:
        if refused is None:
            run.left = _clean_up(connection, journal, tools, options)
        else:
            journal.close(done=True)
    return _finish(run, Snapshot(options.now or datetime.now(UTC).replace(microsecond=0), connection.origin), options)


def _refused(bench: Bench, lesson: Lesson, setting: Setting) -> CompanionError | None:
    """Makes the namespace, or looks for it; why there is none, where for certain nothing was made.

    Raises:
        CompanionError: there is none, or nobody knows.
    """
    answer = bench.send("namespace", space.had(lesson, setting), managed=False)
    if answer.status == (201 if setting.own else 200):
        return None
    if answer.status == UNKNOWN_CALLER:
        hint = "`kcompanion contexts` shows when the certificate of this context's user ends"
        return NotAuthenticated("the API server does not know these credentials (401)", hint)
    if not setting.own:
        return NotFound(f"there is no namespace {setting.namespace}, or you may not see it", "kubectl get namespaces")
    error = CompanionError(
        f"the namespace {setting.namespace} could not be made: {text_at(answer.body, 'message')}",
        "if you may only use one that is there: -n NAMESPACE",
    )
    if answer.status in REFUSED:
        return error
    raise error


def _settle(bench: Bench, setting: Setting) -> None:
    """Waits for what controllers put into a new namespace."""
    for request in space.settled(setting):
        bench.wait("prepared", request, there(), PREPARED, managed=False)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A terminal that is closed, or being asked to end, ends a lesson as Ctrl-C does: with everything removed."""
    ours = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, _leave) for number in ours}  # under nohup a lesson goes on
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _leave(number: int, _: object) -> None:
    sys.exit(128 + number)


def _clean_up(connection: Connection, journal: Journal, tools: Toolbox, options: Options) -> tuple[str, ...]:
    """Takes everything back; a second Ctrl-C does not stop it. What is left stays in the journal."""
    ignored = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    try:
        tools.close()
        _say(options, say("learn.cleaning", namespace=journal.head.namespace))
        cleaner = Cleaner(connection, options.request_timeout, lambda told: _say(options, told))
        left = cleaner.clean(journal.head, journal.undos)
        journal.close(done=not left)
        _say(options, say("learn.left", what="; ".join(left)) if left else say("learn.cleaned"))
        return tuple(left)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _finish(run: Run, snapshot: Snapshot, options: Options) -> int:
    """Writes the protocol where it is wanted; the exit code."""
    answer = Answer(KIND, snapshot, run.to_json(), Document(), names=[run.lesson])
    if options.record:
        document = json.dumps(envelope(answer), sort_keys=True, ensure_ascii=False) + "\n"
        write_whole(Path(options.record), document.encode(), mode=0o600)
        _say(options, say("report.written", file=options.record))
    if options.output in ("json", "yaml", "name"):
        emit(answer, options)
    return 0 if run.shown and not run.left else NOT_SHOWN


def _say(options: Options, message: Message) -> None:
    talk(screen(options).words(message))
