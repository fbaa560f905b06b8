"""`kcompanion activity`: what is going on in this cluster right now, as sentences, from watches."""

from __future__ import annotations

import time

import click

from kcompanion.cli.commands.trace_watch import following, printer
from kcompanion.cli.context import talk, target
from kcompanion.cli.options import Duration, Options, reading, whole
from kcompanion.cli.output import screen
from kcompanion.cluster.connect import connect
from kcompanion.errors import UsageError
from kcompanion.model import resources as r
from kcompanion.model.message import say
from kcompanion.trace.live import LEADERS, WATCHED, Tracker


@click.command("activity")
@click.option("--for", "seconds", type=Duration(), default=0.0, metavar="TIME", help="End after this [at Ctrl-C].")
@reading
@whole
def command(options: Options, *, seconds: float) -> int:
    """Who creates, scales, binds, restarts, evicts, is elected: every change as a sentence, as it happens.

    In all namespaces; with -n in one. It only watches. With -o json one JSON per line.
    """
    if options.from_file or options.record or options.watch:
        raise UsageError("activity follows a live cluster", "leave out --from, --record and --watch")
    if options.output not in ("table", "wide", "json"):
        raise UsageError(f"activity cannot print {options.output}", "take -o json: one JSON per line")
    connection = connect(target(options))
    tracker = Tracker(everything=True, spaces=not options.namespace)
    with following(connection, tracker, options) as follower:
        for resource in WATCHED:
            follower.watch(resource, options.namespace)
        follower.watch(r.LEASES, LEADERS)
        follower.settle(options.deadline)
        follower.restart_clock()
        where = say("trace.live.in_one", namespace=options.namespace) if options.namespace else say("trace.live.in_all")
        talk(screen(options).words(where))
        show = printer(options)
        ends = time.monotonic() + seconds
        while not seconds or time.monotonic() < ends:
            for one in follower.step():
                show(one)
    return 0
