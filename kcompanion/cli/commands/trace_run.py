"""`kcompanion trace run MANIFEST`: creates objects, follows them from the very create on, and removes them again.

This writes. It says so before it does, labels what it makes, and cleans up however it ends.
"""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import yaml

from kcompanion.cli.commands.trace_watch import Follower, following, printer
from kcompanion.cli.context import live, talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import Answer, emit, screen
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.demand import settle
from kcompanion.cluster.write import NotWritten, Writer
from kcompanion.errors import UsageError
from kcompanion.explain.judge import judge
from kcompanion.model import resources as r
from kcompanion.model.fields import name_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report.document import Document
from kcompanion.trace.goal import Goal, goal_of
from kcompanion.trace.live import Happening, Tracker
from kcompanion.trace.manifest import MANAGED_BY, TRACE, labelled, objects, resource_of

PREPARED = 10.0  # seconds for a new namespace to get its service account and CA bundle
HOLD = 2.0  # seconds it must stay so: what crashes at once was Ready for a moment; and endpoints still follow
NOT_READY = 1  # the exit code when it did not become ready
HINT = "for example: kcompanion trace run web.yaml"
Planned = tuple[Resource, dict[str, Any]]


@dataclass
class Made:
    """What this run has created, in order, to be removed again."""

    namespace: str
    own: bool  # the namespace too
    mark: str
    things: list[tuple[Resource, str, str]] = field(default_factory=list)  # resource, name, uid

    @property
    def names(self) -> str:
        if self.own:
            return f"namespace/{self.namespace}"
        return ", ".join(f"{resource.kind.lower()}/{name}" for resource, name, _ in self.things)

    @property
    def command(self) -> str:
        if self.own:
            return f"kubectl delete namespace {self.namespace}"
        kinds = ",".join(dict.fromkeys(resource.name for resource, _, _ in self.things))
        return f"kubectl delete {kinds} -n {self.namespace} -l {TRACE}={self.mark}"


def run_manifest(options: Options, files: Sequence[str], *, timeout: float, keep: bool) -> int:
    """Runs it; returns 0 when everything became ready or did its work.

    Raises:
        UsageError: no manifest, or one that cannot be used.
        NotWritten: the API server refused an object; what was made before is removed.
    """
    if len(files) != 1:
        raise UsageError("trace run takes one manifest", HINT)
    if options.from_file or options.record or options.watch or options.all_namespaces:
        raise UsageError("trace run works on a live cluster", "leave out --from, --record, --watch and -A")
    if options.output not in ("table", "wide", "json"):
        raise UsageError(f"trace run cannot print {options.output}", "take -o json")
    found = objects(_documents(files[0]))
    connection = connect(target(options))
    plan = _plan(connection, options, found)
    mark = secrets.token_hex(3)
    made = Made(options.namespace or f"kcompanion-trace-{mark}", own=not options.namespace, mark=mark)
    wording = "trace.live.writes_keep" if keep else "trace.live.writes"
    _say(options, say(wording, file=files[0], namespace=made.namespace))
    writer = Writer(connection, options.request_timeout)
    try:
        return _run(connection, writer, plan, made, options, timeout)
    finally:
        _clean_up(writer, made, options, keep=keep)


def _documents(name: str) -> list[Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return list(yaml.safe_load_all(text))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", HINT) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} is not YAML: {' '.join(str(error).split())[:160]}", HINT) from error


def _plan(connection: Connection, options: Options, found: list[dict[str, Any]]) -> list[Planned]:
    """Each object with its resource.

    Raises:
        UsageError: one of them has no namespace to be kept in.
    """

    def work(world: World) -> list[Planned] | NotKnown:
        try:
            return [(resource_of(item, world), item) for item in found]
        except NotKnown as unknown:
            return unknown

    with live(options, connection) as conversation:
        plan = settle(conversation, work)
    if isinstance(plan, NotKnown):
        raise UsageError(f"what the cluster serves could not be read: {plan.gap.detail}", "kcompanion doctor")
    wide = next((item for resource, item in plan if not resource.namespaced), None)
    if wide is not None:
        raise UsageError(
            f"{text_at(wide, 'kind')} {name_of(wide)} belongs to the whole cluster",
            "trace run creates only what lies in a namespace",
        )
    return plan


def _run(
    connection: Connection, writer: Writer, plan: list[Planned], made: Made, options: Options, timeout: float
) -> int:
    if made.own:
        meta = {"name": made.namespace, "labels": {MANAGED_BY: "kcompanion", TRACE: made.mark}}
        writer.create(r.NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        _prepare(writer, made.namespace)
    with following(connection, Tracker(everything=made.own), options) as follower:
        kinds = dict.fromkeys((r.PODS, r.EVENTS, r.ENDPOINTSLICES, r.REPLICASETS, r.JOBS, *(one for one, _ in plan)))
        for resource in kinds:
            if not (resource.plural == "secrets" or resource.plural == "configmaps"):
                follower.watch(resource, made.namespace)
        follower.settle(options.deadline)
        follower.restart_clock()
        show = printer(options) if options.output != "json" else _silent
        for resource, item in plan:
            stored = writer.create(resource, labelled(item, made.namespace, made.mark), made.namespace)
            uid = text_at(stored, "metadata", "uid")
            made.things.append((resource, name_of(item), uid))
            for one in follower.tracker.follow(uid):
                show(one)
        reached = _follow(follower, made, show, timeout)
    return _tell(connection, follower, made, options, reached, timeout)


def _prepare(writer: Writer, namespace: str) -> None:
    """Waits for what controllers put into a new namespace; without it pods are refused or wait for their volumes."""
    ends = time.monotonic() + PREPARED
    for resource, name in ((r.SERVICEACCOUNTS, "default"), (r.CONFIGMAPS, "kube-root-ca.crt")):
        while not writer.exists(resource, name, namespace) and time.monotonic() < ends:
            time.sleep(0.1)


def _silent(_: Happening) -> None:
    return


def _follow(follower: Follower[Tracker], made: Made, show: Any, timeout: float) -> tuple[Goal, int]:  # noqa: ANN401 - a function
    """Prints until all is ready, something failed, or time is up; the goal reached and after how many ms."""
    ends = time.monotonic() + timeout
    goal, when, held, last = Goal.PENDING, 0, 0.0, 0
    while time.monotonic() < ends:
        for one in follower.step():
            show(one)
            last = one.ms
        now = _goal(follower.tracker, made)
        if now is not goal:
            goal, when, held = now, last, time.monotonic()
        if goal is not Goal.PENDING and time.monotonic() - held >= HOLD:
            break
    return goal, when


def _goal(tracker: Tracker, made: Made) -> Goal:
    """How far everything that was created is together."""
    goals = []
    for resource, _, uid in made.things:
        kind, item = tracker.objects.get(uid, (resource.kind, {}))
        goals.append(goal_of(kind, item))
    for verdict in (Goal.FAILED, Goal.PENDING, Goal.READY):
        if verdict in goals:
            if verdict is Goal.READY and Goal.DONE in goals and not _workloads(made, tracker):
                return Goal.DONE
            return verdict
    return Goal.DONE


def _workloads(made: Made, tracker: Tracker) -> bool:
    """Whether something that was created keeps running."""
    return any(
        resource.kind in ("Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController")
        and goal_of(resource.kind, tracker.objects.get(uid, ("", {}))[1]) is Goal.READY
        for resource, _, uid in made.things
    )


def _tell(
    connection: Connection,
    follower: Follower[Tracker],
    made: Made,
    options: Options,
    reached: tuple[Goal, int],
    timeout: float,
) -> int:
    """The last words: how it ended, after how long, and why it did not."""
    goal, ms = reached
    well = goal in (Goal.READY, Goal.DONE)
    with live(options, connection) as conversation:
        causes = [] if well else settle(conversation, lambda world: _causes(made, world))
        snapshot = conversation.snapshot
    if options.output == "json":
        body = {
            "namespace": made.namespace,
            "goal": goal.value,
            "ms": ms if goal is not Goal.PENDING else None,
            "steps": [one.to_json() for one in follower.seen],
            "causes": [cause.to_json() for cause in causes],
        }
        emit(Answer("TraceRun", snapshot, body, Document()), options)
        return 0 if well else NOT_READY
    shown = screen(options)
    told = say(f"trace.live.{goal.value}", ms=ms) if goal is not Goal.PENDING else None
    click.echo(shown.words(told or say("trace.live.timeout", seconds=f"{timeout:.0f}")))
    for cause in causes:
        click.echo(shown.words(say("trace.live.cause", cause=cause)))
    return 0 if well else NOT_READY


def _causes(made: Made, world: World) -> list[Message]:
    """The root cause of each object that is not ready, as `explain` finds it."""
    found: dict[Message, None] = {}
    for resource, name, _ in made.things:
        try:
            item: Object | None = world.get(resource, name, made.namespace)
        except NotKnown:
            continue
        if item is not None and goal_of(resource.kind, item) in (Goal.PENDING, Goal.FAILED):
            root = judge(item, resource.kind, world).root
            if root is not None:
                found[root.message] = None
    return list(found)


def _clean_up(writer: Writer, made: Made, options: Options, *, keep: bool) -> None:
    """Removes what was made, or says what is left and how to remove it. A second Ctrl-C does not stop this."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if keep:
            if made.own or made.things:
                _say(options, say("trace.live.kept", what=made.names, command=made.command))
            return
        try:
            if made.own:
                writer.delete(r.NAMESPACES, made.namespace)
            for resource, name, _ in () if made.own else reversed(made.things):
                writer.delete(resource, name, made.namespace)
        except NotWritten as error:
            _say(options, say("trace.live.left", what=made.names, reason=error.text, command=made.command))
            return
        if made.own or made.things:
            _say(options, say("trace.live.cleaned", what=made.names))
    finally:
        signal.signal(signal.SIGINT, previous)


def _say(options: Options, message: Message) -> None:
    talk(screen(options).words(message))
