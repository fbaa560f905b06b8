"""`kcompanion trace --watch`: an object and what it owns, live, from now on."""

from __future__ import annotations

import json
import queue
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

import click

from kcompanion.cli.context import live, talk, target
from kcompanion.cli.options import Options
from kcompanion.cli.output import screen
from kcompanion.cluster import watch as watching
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.demand import settle
from kcompanion.cluster.watch import Notice, Watch
from kcompanion.errors import NotAuthenticated, Undecided, Unreachable, UsageError
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome
from kcompanion.model.fields import namespace_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.refs import ref_of
from kcompanion.model.resources import Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import NotKnown, World
from kcompanion.render.wrap import width, wrap
from kcompanion.report.live import line_of
from kcompanion.trace.live import Happening, Tracker

TRIES = 3  # of a first list, until nobody is thought to answer
DOCTOR = "check the address and the network: `kcompanion contexts`, `kcompanion doctor`"
POLL = 0.2  # seconds in which Ctrl-C is noticed
# What is watched beside the object itself, by its kind: all that a workload's story is told from.
_PARTS: dict[str, tuple[Resource, ...]] = {
    "Pod": (),
    "ReplicaSet": (r.PODS,),
    "Deployment": (r.REPLICASETS, r.PODS),
    "StatefulSet": (r.PODS,),
    "DaemonSet": (r.PODS,),
    "Job": (r.PODS,),
    "CronJob": (r.JOBS, r.PODS),
}
ENDPOINTS = (*_PARTS, "Service")


class Sense(Protocol):
    """What makes sense of notices: a Tracker, or what is built upon one."""

    def see(self, kind: str, change: str, item: Object, ms: int) -> list[Happening]: ...


Seer = TypeVar("Seer", bound=Sense)


class Follower(Generic[Seer]):
    """Several watches, one queue, and the Tracker (or what stands for one) that makes sense of what comes."""

    def __init__(self, connection: Connection, tracker: Seer, options: Options) -> None:
        self.tracker = tracker
        self.began = time.monotonic()
        self.seen: list[Happening] = []
        self._connection = connection
        self._options = options
        self._notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self._watches: list[Watch] = []
        self._open: list[Resource] = []  # of watches that have not listed yet
        self._blind: list[Notice] = []  # of watches that were refused
        self._trouble: dict[Resource, list[Notice]] = {}  # why a list has not come yet
        self._settled = False

    def watch(self, resource: Resource, namespace: str | None, fields: str = "") -> None:
        watch = Watch(self._connection, resource, namespace, self._notices, fields)
        self._watches.append(watch)
        self._open.append(resource)
        watch.start()

    def stop(self) -> None:
        for one in self._watches:
            one.stop()

    def settle(self, seconds: float) -> None:
        """Waits until every watch knows what there is, so that nothing is missed from then on.

        Raises:
            Unreachable: nobody answers, the server does not know us, or they did not come about in time.
            Undecided: not one of them is allowed, or can be answered.
        """
        ends = time.monotonic() + seconds
        while self._open and time.monotonic() < ends:
            for _ in self.step():
                pass
            self._check_trouble()
        if self._open:
            late = ", ".join(sorted({resource.plural for resource in self._open}))
            why = next((f": {self._trouble[one][-1].detail}" for one in self._open if one in self._trouble), "")
            raise Unreachable(
                f"no answer within {seconds:.0f} s to the list of {late}{why}",
                "give it more time with --deadline, or ask `kcompanion doctor`",
            )
        self._settled = True
        for notice in self._blind:
            self._say_blind(notice)

    def _check_trouble(self) -> None:
        """Gives up where nothing has been answered and every list has failed as often as other commands ask.

        Raises:
            Unreachable, Undecided: so it is.
        """
        last = [those[-1] for those in self._trouble.values() if len(those) >= TRIES]
        if len(last) < len(self._watches):
            return
        for one in last:
            if one.outcome is not Outcome.ERROR:
                raise Unreachable(f"the API server does not answer: {one.detail}", DOCTOR)
        raise Undecided(f"nothing can be watched: {last[0].detail}", DOCTOR)

    def restart_clock(self) -> None:
        """Counts milliseconds from now on."""
        self.began = time.monotonic()

    def step(self) -> Iterable[Happening]:
        """What the next notice means; nothing when none comes soon."""
        try:
            notice = self._notices.get(timeout=POLL)
        except queue.Empty:
            return []
        if notice.resource in self._open and notice.type in (watching.SYNCED, watching.BLIND):
            self._open.remove(notice.resource)
        if notice.type == watching.TROUBLE:
            self._trouble.setdefault(notice.resource, []).append(notice)
            return []
        if notice.type == watching.BLIND:
            self._lose(notice)
            return []
        if notice.type == watching.AGAIN:
            self._say(say("trace.live.again", resource=notice.resource.name))
            return []
        if not notice.item:
            return []
        ms = max(0, round((notice.at - self.began) * 1000))
        found = self.tracker.see(notice.resource.kind, notice.type, notice.item, ms)
        self.seen += found
        return found

    def _lose(self, notice: Notice) -> None:
        """One watch is refused, at the beginning or later, when credentials end.

        Raises:
            NotAuthenticated, Undecided: it was the last one.
        """
        self._blind.append(notice)
        if len(self._blind) == len(self._watches):
            if any(one.outcome is Outcome.UNAUTHENTICATED for one in self._blind):
                raise NotAuthenticated
            raise Undecided(
                f"nothing can be watched: {self._blind[0].detail}", "`kcompanion doctor` tells which rights are missing"
            )
        if self._settled:
            self._say_blind(notice)

    def _say_blind(self, notice: Notice) -> None:
        self._say(say("trace.live.blind", resource=notice.resource.name, reason=notice.detail))

    def _say(self, message: Message) -> None:
        talk(screen(self._options).words(message))


def printer(options: Options) -> Callable[[Happening], None]:
    """Prints a happening as soon as it happens: a line, or with -o json one JSON per line."""
    shown = screen(options)

    def show(one: Happening) -> None:
        if options.output == "json":
            click.echo(json.dumps(one.to_json(), sort_keys=True, ensure_ascii=False))
        else:
            left, told = line_of(one, shown)
            for line in wrap(told, shown.columns, " " * width(left), left):
                click.echo(line)
        sys.stdout.flush()

    return show


def watch(options: Options, kind: str, name: str) -> int:
    """Follows one object until it is gone, or until Ctrl-C.

    Raises:
        UsageError: a recording cannot be followed.
    """
    if options.from_file or options.record:
        raise UsageError("--watch follows a live cluster", "leave out --from and --record")
    if options.output not in ("table", "wide", "json"):
        raise UsageError(f"--watch cannot print {options.output}", "take -o json: one JSON per line")
    connection = connect(target(options))
    resource, item = _object(connection, options, kind, name)
    ref = ref_of(item, resource.kind)
    uid = text_at(item, "metadata", "uid")
    with following(connection, Tracker(roots={uid}), options) as follower:
        space = namespace_of(item) or None
        follower.watch(resource, space, f"metadata.name={ref.name}")
        parts = _PARTS.get(resource.kind, ())
        for part in parts:
            follower.watch(part, space)
        follower.watch(r.EVENTS, space or "default", "" if parts else f"involvedObject.name={ref.name}")
        if resource.kind in ENDPOINTS and space:
            follower.watch(r.ENDPOINTSLICES, space)
        follower.settle(options.deadline)
        follower.restart_clock()
        talk(screen(options).words(say("trace.live.start", what=str(ref))))
        show = printer(options)
        while True:
            for one in follower.step():
                show(one)
                if one.id == "gone" and one.subject == f"{ref.kind.lower()}/{ref.name}":
                    return 0


@contextmanager
def following(connection: Connection, tracker: Seer, options: Options) -> Iterator[Follower[Seer]]:
    """A Follower whose watches end with the block."""
    follower = Follower(connection, tracker, options)
    try:
        yield follower
    finally:
        follower.stop()


def _object(connection: Connection, options: Options, kind: str, name: str) -> tuple[Resource, Object]:
    from kcompanion.cli.targets import find_with_managed_fields  # noqa: PLC0415 - as `trace` itself does

    def work(world: World) -> tuple[Resource, Object] | NotKnown:
        try:
            [found] = find_with_managed_fields(kind, name, options, world)
        except NotKnown as unknown:
            return unknown
        return found.resource, found.item

    with live(options, connection) as conversation:
        result = settle(conversation, work)
    if isinstance(result, NotKnown):
        raise Unreachable(f"{kind} {name} could not be read: {result.gap.detail or result.gap.outcome.value}", "")
    return result
