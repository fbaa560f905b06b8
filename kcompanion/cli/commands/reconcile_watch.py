"""`kcompanion reconcile watch NAME`: the live story of one ReplicaSet, ours or a built-in one.

From outside: what changes, who did it, and after each change how many pods are wanted, there and ready. Where our
operator reconciles it, its decisions come in between: what woke it, what it found, what it did and why to these pods.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import click

from kcompanion.cli.commands.trace_watch import Follower, following, printer
from kcompanion.cli.context import live, talk, target
from kcompanion.cli.options import Duration, Options, reading
from kcompanion.cli.output import screen
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.decisions import Decisions, Entry, check_url
from kcompanion.cluster.demand import settle
from kcompanion.errors import NotFound, Unreachable, UsageError
from kcompanion.installation.state import ASKS, Leader, decisions_of, leader_of, leading_pod, lease_ask
from kcompanion.model import resources as r
from kcompanion.model.fields import map_at, name_of, namespace_of, text_at
from kcompanion.model.kinds import resource_called
from kcompanion.model.message import Message, say
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object, Snapshot
from kcompanion.model.world import NotKnown, World
from kcompanion.reconcile.decision import Action
from kcompanion.reconcile.narration import told
from kcompanion.reconcile.target import TARGETS
from kcompanion.render.wrap import width, wrap
from kcompanion.report.live import line_of
from kcompanion.trace.keeping import Keeping
from kcompanion.trace.live import Happening

INDENT = " " * 16
OPERATOR = "operator"
# What a kubelet does inside of a pod is another story (`trace --watch`); `-o wide` and `-o json` tell it too.
ASIDE = frozenset({"noticed", "sandbox", "initialized", "containers_ready", "running", "waiting", "ended", "endpoint"})


@dataclass
class Limits:
    """When to stop by itself."""

    ends: float
    count: int

    @property
    def reached(self) -> bool:
        return self.count <= 0 or time.monotonic() >= self.ends


@click.command("watch", short_help="Follow one ReplicaSet live, with the decisions about it.")
@click.argument("name", metavar="[TYPE/]NAME")
@click.option("--timeout", type=Duration(), default=0.0, metavar="TIME", help="Stop after this time.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after so many lines or decisions.")
@click.option("--decisions", "url", default="", metavar="URL", help="The operator's address [found by its Lease].")
@reading
def command(options: Options, *, name: str, timeout: float, count: int | None, url: str) -> int:
    """Follow one ReplicaSet until it is gone, or until Ctrl-C.

    NAME means a CompanionReplicaSet if there is one, else a ReplicaSet; crs/NAME and rs/NAME say which.
    """
    if options.from_file or options.record or options.watch or options.all_namespaces:
        raise UsageError("reconcile watch follows a live cluster", "leave out --from, --record, -w and -A")
    if options.output not in ("table", "wide", "json"):
        raise UsageError(f"reconcile watch cannot print {options.output}", "take -o json: one JSON per line")
    url = check_url(url) if url else ""
    connection = connect(target(options))
    resource, item, snapshot = _found(connection, options, name)
    limits = Limits(time.monotonic() + (timeout or float("inf")), count or sys.maxsize)
    keeping = Keeping(resource.kind, text_at(item, "metadata", "uid"))
    decisions = _decisions(connection, options, resource, item, url)
    with following(connection, keeping, options) as follower:
        _begin(follower, options, resource, item)
        _introduce(options, resource, item, snapshot, url, deciding=decisions is not None)
        if decisions is not None:
            decisions.start()
        show = printer(options)
        show(keeping.start())
        try:
            return _follow(options, follower, decisions, keeping, show, limits)
        finally:
            if decisions is not None:
                decisions.stop()


def _follow(
    options: Options,
    follower: Follower[Keeping],
    decisions: Decisions | None,
    keeping: Keeping,
    show: Callable[[Happening], None],
    limits: Limits,
) -> int:
    """Prints what comes until the ReplicaSet is gone or a limit is reached."""
    tell = _teller(options, follower)
    while not limits.reached:
        gone = False
        for one in follower.step():
            if options.output != "table" or not _is_aside(one):
                show(one)
                limits.count -= 1
            gone = gone or (one.id == "gone" and not keeping.replicaset)
        for entry in decisions.new() if decisions is not None else ():
            tell(entry)
            limits.count -= 0 if "lost" in entry else 1
        if gone:
            return 0
    return 0


def _is_aside(one: Happening) -> bool:
    return one.id in ASIDE or (one.id.startswith("event.") and one.subject.startswith("pod/"))


def _begin(follower: Follower[Keeping], options: Options, resource: Resource, item: Object) -> None:
    """Watches the ReplicaSet, the pods and events beside it, and waits until all is known that there is."""
    space = namespace_of(item)
    follower.watch(resource, space, f"metadata.name={name_of(item)}")
    follower.watch(r.PODS, space)
    follower.watch(r.EVENTS, space)
    follower.settle(options.deadline)
    follower.restart_clock()


def _found(connection: Connection, options: Options, name: str) -> tuple[Resource, Object, Snapshot]:
    """The ReplicaSet that is meant, and what is known of operators.

    Raises:
        UsageError: it is something else.
        NotFound: there is none.
        Unreachable: it could not be read.
    """
    kind, slash, rest = name.partition("/")
    wanted = rest if slash else name

    def work(world: World) -> tuple[Resource, Object] | NotKnown | None:
        space = options.namespace or world.snapshot.origin.namespace or "default"
        try:
            kinds = [resource_called(kind, world)] if slash else list(TARGETS.values())
            if odd := [one for one in kinds if one.name not in TARGETS]:
                raise UsageError(f"{odd[0].kind} is no kind of ReplicaSet", "name a crs or an rs")
            for resource in kinds:
                item = world.get(resource, wanted, space)
                if item is not None:
                    return resource, item
        except NotKnown as gap:
            return gap
        return None

    with live(options, connection) as conversation:
        found = settle(conversation, work)
        if isinstance(found, NotKnown):
            raise Unreachable(f"{name} could not be read: {found.gap.detail or found.gap.outcome.value}", "")
        if found is None:
            raise NotFound(f"there is no ReplicaSet {name!r}", "kubectl get crs,rs -A lists them")
        resource, item = found
        return resource, item, conversation.read((*ASKS, lease_ask(resource, namespace_of(item))))


def _decisions(
    connection: Connection, options: Options, resource: Resource, item: Object, url: str
) -> Decisions | None:
    """Where the decisions come from: the address named, or the pod that leads. None if there is none to ask."""
    space, name = namespace_of(item), name_of(item)
    if url:
        return Decisions(lambda: url, space, name)

    def where() -> str:
        with live(options, connection) as conversation:
            pod = leading_pod(conversation.read(ASKS), resource)
        return decisions_of(pod).path if pod is not None else ""

    return Decisions(where, space, name, connection) if where() else None


def _introduce(
    options: Options, resource: Resource, item: Object, snapshot: Snapshot, url: str, *, deciding: bool
) -> None:
    found = (leader_of(snapshot, resource, space) for space in (namespace_of(item), "kube-system"))
    leader = next((one for one in found if one is not None and not one.expired), None)
    kind, built_in = resource.kind, resource == r.REPLICASETS
    who = leader.holder if leader is not None else "kube-controller-manager" if built_in else "-"
    _say(options, say("reconcile.watch.start", what=f"{kind} {namespace_of(item)}/{name_of(item)}", who=who))
    if deciding:
        _say(options, say("reconcile.watch.decisions", where=url or who))
    else:
        _say(options, _why_not(leader))


def _why_not(leader: Leader | None) -> Message:
    if leader is None:
        return say("reconcile.watch.outside")
    return say("reconcile.watch.elsewhere", holder=leader.holder)


def _teller(options: Options, follower: Follower[Keeping]) -> Callable[[Entry], None]:
    """Prints a decision: the verdict, and below it the details; or one JSON per line."""
    shown = screen(options)
    last: Entry = {}

    def tell(entry: Entry) -> None:
        if "lost" in entry:
            talk(shown.words(say("reconcile.watch.lost", reason=str(entry["lost"]))))
        elif _repeats(entry, last):
            return
        elif options.output == "json":
            click.echo(json.dumps(entry, sort_keys=True, ensure_ascii=False))
        else:
            ms = max(0, round((time.monotonic() - follower.began) * 1000))
            for line in _lines(map_at(entry, "decision"), ms, shown):
                click.echo(line)
        sys.stdout.flush()
        last.clear()
        last.update(entry)

    return tell


def _repeats(entry: Entry, last: Entry) -> bool:
    """Whether it waits for the same thing as the one before: it looks again within milliseconds."""
    now, before = map_at(entry, "decision"), map_at(last, "decision")
    return text_at(now, "plan", "action") == Action.STALE and now.get("error") == before.get("error")


def _lines(decision: Any, ms: int, shown: Any) -> Iterable[str]:  # noqa: ANN401 - JSON, and render.screen.Screen
    """The verdict as a line like the others, the details below it."""
    headline, *details = told(decision)
    one = Happening(ms, OPERATOR, f"{text_at(decision, 'namespace')}/{text_at(decision, 'name')}", headline, "decision")
    left, sentence = line_of(one, shown)
    yield from wrap(sentence, shown.columns, " " * width(left), left)
    for message in details:
        yield from wrap(shown.words(message), shown.columns, f"{INDENT}  ", INDENT)


def _say(options: Options, message: Message) -> None:
    talk(screen(options).words(message))
