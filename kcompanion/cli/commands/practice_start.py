"""`kcompanion practice start NAME`: makes something broken in a namespace of its own, and tells what shows.

This writes. It asks before it does, keeps on disk what it is about to make, and takes all back if it cannot end.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import click
import yaml

from kcompanion.cli import practising
from kcompanion.cli.commands.learn import IMAGE
from kcompanion.cli.context import talk, target
from kcompanion.cli.options import Duration, Options, reading
from kcompanion.cli.output import Answer, emit, screen
from kcompanion.cluster import recording
from kcompanion.cluster.attempts import Attempt
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.write import NotWritten, Writer
from kcompanion.errors import CompanionError, UsageError
from kcompanion.model import resources as r
from kcompanion.model.fields import map_at, name_of
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.practice import judgement
from kcompanion.practice.cases import Case, case
from kcompanion.practice.exercises import Exercise
from kcompanion.practice.faults import BY_KIND
from kcompanion.practice.judgement import Judgement
from kcompanion.report import practice as report

PREFIX = "kcompanion-practice-"
PREPARED = 60.0  # seconds for a new namespace to get its service account, for a quota to count
POLL = 0.5
EVERY = 2.0  # seconds between two looks for the fault
SETTLED = 15.0  # seconds at most for the rest to come to rest, once the fault shows


class NotShown(CompanionError):
    """The cluster did not break the way it should have."""


@click.command("start")
@practising.naming(required=True)
@click.option("--yes", is_flag=True, help="Start without asking.")
@click.option("--dry-run", is_flag=True, help="Print the objects (YAML, or -o json) instead of creating them.")
@click.option(
    "--image", default=IMAGE, envvar="KCOMPANION_LESSON_IMAGE", metavar="IMAGE", help=f"Image of the pods [{IMAGE}]."
)
@click.option("--timeout", type=Duration(), default=240.0, metavar="TIME", help="How long the fault may take [4m].")
@reading
def command(options: Options, name: str, *, yes: bool, dry_run: bool, image: str, timeout: float) -> int:
    """Break something in a namespace of its own, and tell what shows and what is to be reached.

    Mend it with kubectl; `practice check` judges it, `practice hint` helps, `practice end` removes it.
    """
    practising.refuse(options)
    exercise = practising.exercise(name)
    if dry_run:
        click.echo(_planned(case(exercise, PREFIX + name, image), options.output), nl=False)
        return 0
    before = practising.kept().all().get(name)
    if before is not None and before.open:
        raise UsageError(
            f"{name} is under way in the namespace {before.namespace}",
            f"kcompanion practice check {name}, or kcompanion practice end {name}",
        )
    connection = connect(target(options))
    _check_needs(options, connection, exercise, image)
    _consent(options, connection, name, yes=yes)
    origin = connection.origin
    attempt = Attempt(name, secrets.token_hex(3), origin.server, origin.context, PREFIX + name, image)
    attempt = replace(attempt, done=before is not None and before.done)
    return _started(options, connection, attempt, timeout)


def _planned(made: Case, output: str) -> str:
    """The objects as kubectl takes them: with -o json a List, else YAML, where nothing refers to anything else."""
    items = json.loads(json.dumps([made.space, *made.items]))  # copies: YAML gives what is the same an anchor
    if output == "json":
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2, ensure_ascii=False) + "\n"
    if output == "name":
        return "".join(f"{item['kind'].lower()}/{name_of(item)}\n" for item in items)
    return yaml.safe_dump_all(items, sort_keys=False, allow_unicode=True)


def _check_needs(options: Options, connection: Connection, exercise: Exercise, image: str) -> None:
    """Says beforehand what the cluster lacks.

    Raises:
        CompanionError: it lacks something.
    """
    made = case(exercise, PREFIX + exercise.id, image)
    lacking, _ = practising.looked(options, connection, lambda world: judgement.lacking(made, world))
    if lacking:
        needs = ", ".join(_english(say(f"practice.need.{need}")) for need in lacking)
        raise CompanionError(
            f"{exercise.id} needs what this cluster does not have: {needs}",
            "kcompanion practice list -o wide shows what each exercise needs",
        )


def _consent(options: Options, connection: Connection, name: str, *, yes: bool) -> None:
    """Asks whether it may write.

    Raises:
        UsageError: there is nobody to ask.
        click.Abort: no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("an exercise writes to the cluster, and there is no terminal to ask", "add --yes")
    words = say("practice.consent", id=name, context=connection.origin.context, server=connection.origin.server)
    click.confirm(screen(options).words(words), abort=True, err=True)


def _started(options: Options, connection: Connection, attempt: Attempt, timeout: float) -> int:
    """Makes it, waits until the fault shows, and tells; on any failure everything is taken back."""
    kept = practising.kept()
    writer = Writer(connection, options.request_timeout)
    attempt = _space(writer, attempt)
    made = practising.case_of(attempt)
    try:
        _say(options, say("practice.making", namespace=attempt.namespace))
        _make(writer, made)
        look, snapshot = _broken(options, connection, made, timeout)
        recording.save(snapshot, kept.recording(attempt.exercise))
    except BaseException:
        left = practising.removed(options, connection, attempt)
        kept.keep(replace(attempt, open=bool(left)))
        _say(options, say("practice.taken_back") if not left else say("practice.not_taken_back", what="; ".join(left)))
        raise
    body = {
        "exercise": attempt.exercise,
        "namespace": attempt.namespace,
        "goals": [{"object": str(goal.ref), "told": goal.told.to_json()} for goal in made.goals],
        "pods": [{"name": name, "ready": ready, "status": word} for name, ready, word in look.pods],
        "unmet": [told.to_json() for _, told in look.judged.unmet],
    }
    return emit(
        Answer("Exercise", snapshot, body, report.opening(made, look.judged, look.pods), [attempt.exercise]), options
    )


def _space(writer: Writer, attempt: Attempt) -> Attempt:
    """Creates the namespace, with another name where the usual one is taken; kept on disk before it is.

    Raises:
        NotWritten: it was refused; the API server's words say which right is missing.
    """
    kept = practising.kept()
    kept.keep(attempt)
    try:
        writer.create(r.NAMESPACES, practising.case_of(attempt).space)
    except NotWritten as error:
        if error.status == 409 and not attempt.namespace.endswith(attempt.run):
            return _space(writer, replace(attempt, namespace=f"{attempt.namespace}-{attempt.run}"))
        kept.keep(replace(attempt, open=not error.status))  # without an answer it may have been created
        raise
    return attempt


def _make(writer: Writer, made: Case) -> None:
    """Creates what is broken.

    Raises:
        NotWritten: something was refused.
    """
    space = made.namespace
    _until(lambda: writer.exists(r.SERVICEACCOUNTS, "default", space), "its default service account")
    for item in made.items:
        resource = BY_KIND[item["kind"]]
        writer.create(resource, item, space)
        if resource == r.RESOURCEQUOTAS:  # one that has not been counted yet forbids nothing
            counted = partial(_counted, writer, space, name_of(item))
            _until(counted, f"the quota {name_of(item)}")


def _counted(writer: Writer, space: str, name: str) -> bool:
    return bool(map_at(writer.stored(r.RESOURCEQUOTAS, name, space), "status", "hard"))


def _until(test: Callable[[], bool], what: str) -> None:
    """Asks again and again.

    Raises:
        CompanionError: it took too long.
    """
    ends = time.monotonic() + PREPARED
    while not test():
        if time.monotonic() > ends:
            raise CompanionError(f"the namespace waited {PREPARED:.0f} s for {what}", "kcompanion controlplane")
        time.sleep(POLL)


@dataclass(frozen=True)
class _Look:
    """What a look at the exercise found."""

    shown: bool
    judged: Judgement
    pods: Sequence[tuple[str, str, str]]

    @property
    def picture(self) -> object:
        """What a learner will see of it."""
        return [told for _, told in self.judged.unmet], self.pods


def _broken(options: Options, connection: Connection, made: Case, timeout: float) -> tuple[_Look, Snapshot]:
    """Looks until the fault shows, and then, if need be, for some seconds more: until the rest has come to rest.

    Raises:
        NotShown: it does not, with what shows instead.
    """

    def work(world: World) -> _Look:
        return _Look(judgement.shows(made, world), judgement.judged(made, world), judgement.pods(made, world))

    _say(options, say("practice.waiting"))
    ends = time.monotonic() + timeout
    settled: float | None = None
    before: object = None
    while True:
        look, snapshot = practising.looked(options, connection, work)
        if look.shown:
            settled = settled or time.monotonic() + SETTLED
            if look.picture == before or time.monotonic() > settled:
                return look, snapshot
        elif time.monotonic() > ends:
            raise _not_shown(made, look.judged)
        before = look.picture
        time.sleep(EVERY)


def _not_shown(made: Case, judged: Judgement) -> NotShown:
    found = [_english(one.message) for one in judged.found] or [f"{gap.what} could not be read" for gap in judged.gaps]
    return NotShown(
        f"{made.exercise.id} did not break as it should here: {found[0] if found else 'nothing is found wrong'}",
        f"if the image {made.image} cannot be pulled: --image IMAGE; if the cluster is slow: --timeout 10m",
    )


def _english(message: Message) -> str:
    """An error line is English, like every other."""
    from kcompanion.text.catalog import phrase  # noqa: PLC0415 - only on failure

    return phrase(message, "en")


def _say(options: Options, message: Message) -> None:
    talk(screen(options).words(message))
