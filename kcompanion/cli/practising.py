"""What the commands of `kcompanion practice` share: exercises and attempts by name, and a look at the cluster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from kcompanion.cli.context import live, talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import screen
from kcompanion.cluster import attempts, recording
from kcompanion.cluster.attempts import Attempt, Attempts
from kcompanion.cluster.cleaning import Cleaner
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.demand import settle
from kcompanion.cluster.journal import Head
from kcompanion.cluster.session import Session
from kcompanion.errors import BadRecording, NotFound, UsageError
from kcompanion.model.finding import Finding
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import NotKnown, World
from kcompanion.practice import judgement
from kcompanion.practice.cases import Case, case
from kcompanion.practice.exercises import BY_ID, Exercise

T = TypeVar("T")


def _complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    return [CompletionItem(name) for name in BY_ID if name.startswith(typed)]


def naming(*, required: bool) -> Callable[[Any], Any]:
    """The argument NAME, completed by Tab."""
    return click.argument("name", required=required, metavar="NAME" if required else "[NAME]", shell_complete=_complete)


def kept() -> Attempts:
    return Attempts(attempts.folder())


def exercise(name: str) -> Exercise:
    """The exercise of that name.

    Raises:
        NotFound: there is none.
    """
    found = BY_ID.get(name)
    if found is None:
        raise NotFound(f"there is no exercise {name!r}", "kcompanion practice list")
    return found


def refuse(options: Options) -> None:
    """Refuses the shared options that make no sense here.

    Raises:
        UsageError: one of them was given.
    """
    if options.from_file or options.record or options.watch or options.all_namespaces or options.namespace:
        raise UsageError(
            "an exercise works on a live cluster, in a namespace of its own",
            "leave out --from, --record, --watch, -n and -A",
        )


def under_way(name: str | None) -> Attempt:
    """The attempt that is meant: the one of that name, or the only one there is.

    Raises:
        NotFound: there is none.
        UsageError: without a name, there are several.
    """
    found = {one.exercise: one for one in kept().all().values() if one.open and one.exercise in BY_ID}
    if name is not None:
        wanted = exercise(name)
        if name not in found:
            raise NotFound(f"{name} is not under way", f"kcompanion practice start {wanted.id}")
        return found[name]
    if not found:
        raise NotFound("no exercise is under way", "kcompanion practice list")
    if len(found) > 1:
        raise UsageError(f"several exercises are under way: {', '.join(sorted(found))}", "name the one you mean")
    return next(iter(found.values()))


def case_of(attempt: Attempt) -> Case:
    return case(BY_ID[attempt.exercise], attempt.namespace, attempt.image, attempt.run)


def connected(options: Options, attempt: Attempt) -> Connection:
    """The way to the cluster that an attempt is on.

    Raises:
        UsageError: the options lead to another one.
    """
    connection = connect(target(options))
    if connection.origin.server != attempt.server:
        raise UsageError(
            f"{attempt.exercise} was started on {attempt.server}, and this is {connection.origin.server}",
            f"--context {attempt.context}" if attempt.context else "use the kubeconfig it was started with",
        )
    return connection


def looked(
    options: Options, connection: Connection, work: Callable[[World], T], *, logs: bool = False
) -> tuple[T, Snapshot]:
    """What a function makes of the cluster as it is now, and what was read for it."""
    with live(options, connection) as conversation:
        found = settle(conversation, work, logs=logs)
        return found, conversation.snapshot


def gone(options: Options, connection: Connection, attempt: Attempt) -> bool:
    """Whether the attempt's namespace is no longer there, or no longer its own; False where that cannot be told."""

    def work(world: World) -> bool:
        try:
            return not judgement.owns(case_of(attempt), attempt.run, world)
        except NotKnown:
            return False

    return looked(options, connection, work)[0]


def at_hand(options: Options, name: str | None) -> tuple[Attempt, Connection, Case]:
    """The attempt that is meant, on its cluster and in its namespace.

    Raises:
        CompanionError: there is none, it is on another cluster, or somebody removed its namespace.
    """
    refuse(options)
    attempt = under_way(name)
    connection = connected(options, attempt)
    if gone(options, connection, attempt):
        raise NotFound(
            f"the namespace {attempt.namespace} of {attempt.exercise} is gone",
            f"kcompanion practice end {attempt.exercise}, then start it anew",
        )
    return attempt, connection, case_of(attempt)


def explained(attempt: Attempt) -> tuple[Finding | None, datetime]:
    """What was wrong at the start, as `explain` judges what was recorded then."""
    try:
        snapshot = recording.load(kept().recording(attempt.exercise))
    except BadRecording:
        return None, datetime.now(UTC)
    about = case_of(attempt)
    source = recording.RecordedSource(snapshot, None)
    return settle(Session(source), lambda world: judgement.cause(about, world)), snapshot.now


def removed(options: Options, connection: Connection, attempt: Attempt) -> list[str]:
    """Removes an attempt's namespace and waits until it is gone; what is left, empty when nothing is."""
    if gone(options, connection, attempt):
        return []
    name = f"practice {attempt.exercise}"
    head = Head(attempt.run, name, attempt.server, attempt.namespace, own=True, collections=())
    shown = screen(options)
    return Cleaner(connection, options.request_timeout, lambda told: talk(shown.words(told))).clean(head, ())
