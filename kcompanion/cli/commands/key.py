"""`kcompanion key TYPE/NAME`: the key of an object in etcd; `--read` reads it back through the etcd pod."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from kcompanion.cli import targets
from kcompanion.cli.context import live, talk, target
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer, emit, screen
from kcompanion.cli.run import run
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.demand import settle
from kcompanion.cluster.execute import NotRun, execute
from kcompanion.cluster.session import Session
from kcompanion.errors import NotFound, UsageError
from kcompanion.model.fields import name_of, namespace_of, text_at
from kcompanion.model.kinds import resource_called
from kcompanion.model.message import say
from kcompanion.model.snapshot import Gap, Object
from kcompanion.model.world import NotKnown, World
from kcompanion.report import key as report
from kcompanion.report.document import Document
from kcompanion.trace import storage
from kcompanion.trace.stored import Place, ReadBack, answer_of, place

TRIES = 4  # leases are written every few seconds: the object and the key must be caught in one version
EXAMPLE = "for example: kcompanion key pod/web-1"


@click.command("key")
@click.argument("words", nargs=-1, metavar="TYPE NAME | TYPE/NAME")
@click.option("--read", "read_back", is_flag=True, help="Read it back: runs etcdctl in the etcd pod (pods/exec).")
@reading
@whole
def command(options: Options, words: tuple[str, ...], *, read_back: bool) -> int:
    """The key under which the API server keeps an object in etcd, and what each part of it means.

    --read runs etcdctl in a pod of etcd and shows encoding, size and revisions; never the value itself.
    """
    named = targets.pairs(words)
    if len(named) != 1 or not named[0][1]:
        raise UsageError("key tells of one object at a time: TYPE NAME or TYPE/NAME", EXAMPLE)
    if not read_back:
        return run(options, lambda talking: _answer(talking, _placed(talking, *named[0], options), None, options))
    if options.from_file or options.record or options.watch:
        raise UsageError("--read runs a command in a live cluster, once", "leave out --from, --record and --watch")
    connection = connect(target(options))
    with live(options, connection) as conversation:
        found = _placed(conversation, *named[0], options)
        back = None
        if not isinstance(found, NotKnown) and found.stored:
            back = _read_back(conversation, connection, found, options)
        answer = _answer(conversation, found, back, options)
    return emit(answer, options)


def _placed(conversation: Session, kind: str, name: str, options: Options) -> Place | NotKnown:
    def work(world: World) -> Place | NotKnown:
        try:
            resource = resource_called(kind, world)
            space = targets.namespace_of_options(options, world)
            if resource.namespaced and not space:
                raise UsageError("a name and -A exclude each other", "name the namespace with -n")
            return place(resource, name, space, world)
        except NotKnown as unknown:
            return unknown

    found = settle(conversation, work)
    if isinstance(found, Place) and found.item is None and found.unread is None and found.stored:
        where = f" in namespace {found.ref.namespace}" if found.ref.namespace else ""
        hint = f"if it existed, its key would be {found.key}"
        raise NotFound(f'{found.resource.name} "{found.ref.name}" not found{where}', hint)
    return found


def _read_back(conversation: Session, connection: Connection, found: Place, options: Options) -> ReadBack:
    """Runs etcdctl until object and key are of one version, or it is clear that they will not be."""
    pods: list[Object] | NotKnown = settle(conversation, _etcd_pods)
    if isinstance(pods, NotKnown):
        return ReadBack(unread="listing", reason=pods.gap.detail, outcome=pods.gap.outcome)
    if not pods:
        return ReadBack(unread="hosted")
    pod = pods[0]
    words = storage.reading_command(pod, found.key)
    back = ReadBack(pod=f"{namespace_of(pod)}/{name_of(pod)}", command=words)
    talk(screen(options).words(say("key.note.exec", pod=back.pod)))
    item = found.item
    for _ in range(TRIES):
        back = _once(connection, pod, replace(back, version=text_at(item, "metadata", "resourceVersion")), options)
        if back.same is not False:
            return back
        item = _again(connection, found, options)
    return back


def _etcd_pods(world: World) -> list[Object] | NotKnown:
    try:
        return list(storage.etcd_pods(world))
    except NotKnown as unknown:
        return unknown


def _once(connection: Connection, pod: Object, back: ReadBack, options: Options) -> ReadBack:
    try:
        done = execute(
            connection, namespace_of(pod), name_of(pod), "etcd", back.command, timeout=options.request_timeout
        )
        if done.code != 0:
            first = next(iter(done.err.splitlines()), "") or done.detail
            return replace(back, unread="exec", reason=first[:200])
        stored = answer_of(done.out)
    except NotRun as error:
        return replace(back, unread="exec", reason=error.detail, outcome=error.outcome)
    except ValueError as error:
        return replace(back, unread="exec", reason=str(error)[:200])
    return replace(back, stored=stored, absent=stored is None)


def _again(connection: Connection, found: Place, options: Options) -> Object | None:
    """The object as it is now."""

    def work(world: World) -> Object | None:
        try:
            return world.get(found.resource, found.ref.name, found.ref.namespace)
        except NotKnown:
            return None

    with live(options, connection) as fresh:
        return settle(fresh, work)


def _answer(conversation: Session, found: Place | NotKnown, back: ReadBack | None, options: Options) -> Answer:
    snapshot = conversation.snapshot
    if isinstance(found, NotKnown):
        return Answer("Key", snapshot, {}, Document(gaps=(found.gap,)), gaps=(found.gap,), undecided=True)
    gaps = [found.unread] if found.unread else []
    if back is not None and back.unread in ("exec", "listing"):
        gaps.append(_gap(back))
    body: dict[str, Any] = {**found.to_json(), "readBack": back.to_json() if back else None}
    told = report.sections(found, back, explain=options.explain)
    document = Document(verdict=report.verdict(found), sections=told, gaps=tuple(gaps))
    # the key itself follows from the names; only a reading that was asked for and failed leaves something open
    undecided = back is not None and back.unread in ("exec", "listing")
    names = [found.key] if found.stored else []
    return Answer("Key", snapshot, body, document, names=names, gaps=tuple(gaps), undecided=undecided)


def _gap(back: ReadBack) -> Gap:
    verb, what = ("create", "pods/exec") if back.unread == "exec" else ("list", "pods")
    return Gap(f"{verb} {what} -n kube-system", back.outcome, back.reason, verb, what)
