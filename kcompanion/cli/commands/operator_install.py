"""`kcompanion operator install`: applies the manifests that ship with kcompanion and waits until the operator works.

This writes. It says so before it does, and only by server-side apply: what is there is changed, nothing is replaced.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click
import yaml

from kcompanion.cli.context import live, talk, target
from kcompanion.cli.options import Duration, Options, reading
from kcompanion.cli.output import screen
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.demand import settle
from kcompanion.cluster.write import Applied, NotWritten, Writer
from kcompanion.errors import CompanionError, UsageError
from kcompanion.explain.judge import judge
from kcompanion.installation import manifests as shipped
from kcompanion.installation.kustomize import Item
from kcompanion.installation.readiness import Progress, progress
from kcompanion.model import resources as r
from kcompanion.model.ask import getting
from kcompanion.model.fields import name_of
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.reconcile.target import BUILT_IN, COMPANION, TARGETS

POLL = 0.5  # seconds


class NotReady(CompanionError):
    """Everything is applied, but the operator did not become ready in time."""


def only_live(options: Options, what: str) -> None:
    """Refuses the shared options that make no sense for a command that writes.

    Raises:
        UsageError: one of them was given.
    """
    if options.from_file or options.record or options.watch or options.all_namespaces or options.namespace:
        raise UsageError(
            f"{what} works on a live cluster, in namespaces of its own",
            "leave out --from, --record, --watch, -n and -A",
        )


def of_target(function: Any) -> Any:  # noqa: ANN401 - a decorator of click
    return click.option(
        "--target", "target_name", type=click.Choice(list(TARGETS)), default=COMPANION.name, show_default=True,
        help="What is reconciled; replicasets.apps stands in for the built-in controller.",
    )(function)  # fmt: skip


@click.command("install")
@of_target
@click.option("--image", default="", metavar="NAME", help="The operator's image [the manifests' own].")
@click.option("--dry-run", is_flag=True, help="Ask the API server, change nothing; with -o yaml print the manifests.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that others manage.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until the operator is ready.")
@click.option("--timeout", type=Duration(), default=120.0, metavar="TIME", help="How long to wait [2m].")
@reading
def command(
    options: Options, *, target_name: str, image: str, dry_run: bool, force_conflicts: bool, wait: bool, timeout: float
) -> int:
    """Put the operator and its kind into the cluster. Says what it writes before it does."""
    only_live(options, "operator install")
    wanted = TARGETS[target_name]
    items = shipped.manifests(wanted, image)
    if options.output == "yaml":
        if not dry_run:
            raise UsageError("-o yaml prints the manifests and applies nothing", "add --dry-run")
        click.echo(yaml.safe_dump_all(items, sort_keys=False, allow_unicode=True), nl=False)
        return 0
    connection = connect(target(options))
    with live(options, connection) as conversation:
        conversation.read([getting(r.CRDS, COMPANION.name)])  # reached and known, or it ends
    _announce(options, connection, items, dry_run=dry_run)
    if wanted == BUILT_IN:
        tell(options, say("operator.warning"))
    writer = Writer(connection, options.request_timeout)
    apply(writer, items, dry_run=dry_run, force=force_conflicts)
    if wait and not dry_run:
        _wait(options, connection, writer, shipped.workload(items), timeout)
    return 0


def _announce(options: Options, connection: Connection, items: Sequence[Item], *, dry_run: bool) -> None:
    context = connection.origin.context or "-"
    tell(options, say("operator.would_write" if dry_run else "operator.writes", context=context, count=len(items)))
    for item in items:
        talk(f"  {spelled(item)}")
    tell(options, say("operator.image", image=shipped.image_of(items)))


def spelled(item: Item) -> str:
    """`deployment.apps/kcompanion-operator`, with its namespace if it has one."""
    space = shipped.namespace_of(item)
    return f"{short(item)} (namespace {space})" if space else short(item)


def short(item: Item) -> str:
    """As kubectl names an object that it has changed: `deployment.apps/kcompanion-operator`."""
    resource = shipped.resource_of(item)
    kind = f"{resource.kind.lower()}.{resource.group}" if resource.group else resource.kind.lower()
    return f"{kind}/{name_of(item)}"


def tell(options: Options, message: Message) -> None:
    talk(screen(options).words(message))


def apply(writer: Writer, items: Sequence[Item], *, dry_run: bool, force: bool) -> None:
    """Applies them in order, a line for each as kubectl prints it.

    Raises:
        NotWritten: one of them was refused; those before it are applied.
    """
    new_spaces = {name_of(item) for item in items if shipped.resource_of(item) == r.NAMESPACES}
    for item in items:
        space = shipped.namespace_of(item)
        try:
            how, _ = writer.apply(shipped.resource_of(item), item, space, dry_run=dry_run, force=force)
        except NotWritten as error:
            # a dry-run made no namespace, so nothing can be tried in it
            if not (dry_run and error.status == 404 and space in new_spaces):
                raise
            how = Applied.CREATED
        click.echo(f"{short(item)} {how.value}{' (server dry run)' if dry_run else ''}")


def _wait(options: Options, connection: Connection, writer: Writer, item: Item, timeout: float) -> None:
    """Waits until every replica is ready, and tells each change of their number.

    Raises:
        NotReady: it took too long, with what stands in the way.
    """
    resource, space, began = shipped.resource_of(item), shipped.namespace_of(item), time.monotonic()
    shown: Progress | None = None
    stored: Object = {}
    while time.monotonic() - began < timeout:
        stored = writer.stored(resource, name_of(item), space) or {}
        now = progress(stored)
        if now != shown:
            tell(options, say("operator.progress", ready=now.ready, wanted=now.wanted))
            shown = now
        if now.done:
            tell(options, say("operator.ready", seconds=f"{time.monotonic() - began:.0f}"))
            return
        time.sleep(POLL)
    reason = _reason(options, connection, stored, resource.kind)
    raise NotReady(
        f"the operator is not ready after {timeout:.0f} s{': ' + reason if reason else ''}",
        f"kcompanion explain {resource.kind.lower()}/{name_of(item)} -n {space}",
    )


def _reason(options: Options, connection: Connection, item: Object, kind: str) -> str:
    """The root cause, as `explain` finds it; an error line is English, like every other."""
    from kcompanion.text.catalog import phrase  # noqa: PLC0415 - only on failure

    def work(world: World) -> Message | None:
        root = judge(item, kind, world).root
        return root.message if root is not None else None

    with live(options, connection) as conversation:
        found = settle(conversation, work)
    return phrase(found, "en") if found is not None else ""
