"""`kcompanion operator uninstall`: takes the operator out, in an order that leaves nothing behind that hangs.

The kind's objects go first, while garbage collection still knows the kind: only then does it delete their pods. What
cannot go (somebody's finalizer holds it) is named, and the kind stays until it has gone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click

from kcompanion.cli.commands.operator_install import of_target, only_live, short, spelled, tell
from kcompanion.cli.context import live, talk, target
from kcompanion.cli.options import Duration, Options, reading
from kcompanion.cluster.connect import Connection, connect
from kcompanion.cluster.write import Writer
from kcompanion.errors import CompanionError, UsageError
from kcompanion.installation import manifests as shipped
from kcompanion.installation.kustomize import Item
from kcompanion.installation.remains import CRD, OBJECTS, PODS, Remains, remains
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome
from kcompanion.model.fields import map_at, name_of, namespace_of
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot
from kcompanion.reconcile.target import BUILT_IN, COMPANION, TARGETS, Target

POLL = 0.5  # seconds


class Left(CompanionError):
    """Something could not be removed."""


@click.command("uninstall", short_help="Take the operator and its kind out of the cluster.")
@of_target
@click.option("--keep-crd", is_flag=True, help="Leave the kind, its objects and their pods.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Delete CompanionReplicaSets and their pods without asking.")
@click.option("--timeout", type=Duration(), default=60.0, metavar="TIME", help="How long to wait [1m].")
@reading
def command(options: Options, *, target_name: str, keep_crd: bool, dry_run: bool, yes: bool, timeout: float) -> int:
    """Take the operator out of the cluster, and with it the kind, its objects and their pods."""
    only_live(options, "operator uninstall")
    wanted = TARGETS[target_name]
    connection = connect(target(options))
    snapshot = _look(options, connection)
    doomed = [item for item in reversed(shipped.manifests(wanted)) if not (keep_crd and _is_kind(item))]
    removes_kind = any(_is_kind(item) for item in doomed)
    found = remains(snapshot) if removes_kind else Remains()
    tell(
        options,
        say("operator.would_remove" if dry_run else "operator.removes", context=connection.origin.context or "-"),
    )
    for line in (*(f"companionreplicaset/{where}" for where in found.objects), *map(spelled, doomed)):
        talk(f"  {line}")
    if wanted == BUILT_IN:
        tell(options, say("operator.nobody"))
    if dry_run:
        return 0
    if found.objects and not yes:
        _confirm(found)
    writer = Writer(connection, options.request_timeout)
    ends = time.monotonic() + timeout
    if found.objects:
        _remove_objects(options, connection, writer, snapshot, ends)
    _remove(writer, doomed, wanted)
    _await_gone(writer, doomed, ends)
    tell(options, say("operator.removed"))
    return 0


def _is_kind(item: Item) -> bool:
    return shipped.resource_of(item) == r.CRDS


def _look(options: Options, connection: Connection) -> Snapshot:
    """The kind, its objects and the pods, as they are now.

    Raises:
        Left: they cannot be read, so it is not known what would be lost.
    """
    with live(options, connection) as conversation:
        snapshot = conversation.read((CRD, OBJECTS, PODS))
    for ask in (CRD, OBJECTS, PODS):
        outcome = snapshot.reading(ask).outcome
        if outcome not in (Outcome.OK, Outcome.ABSENT):
            detail = snapshot.reading(ask).detail or outcome.value
            raise Left(
                f"{ask.resource.name if ask.resource else ''} could not be read: {detail}",
                "uninstalling needs the rights of a cluster administrator",
            )
    return snapshot


def _confirm(found: Remains) -> None:
    """Asks before pods are deleted; without a terminal nobody can be asked.

    Raises:
        UsageError: nobody can be asked.
        click.Abort: the answer was no.
    """
    what = f"{len(found.objects)} CompanionReplicaSets and their {len(found.pods)} pods"
    if not sys.stdin.isatty():
        raise UsageError(f"this deletes {what}", "add --yes, or keep them with --keep-crd")
    click.confirm(f"Delete {what}?", abort=True, err=True)


def _remove_objects(options: Options, connection: Connection, writer: Writer, snapshot: Snapshot, ends: float) -> None:
    """Deletes the kind's objects and waits until garbage collection has taken up all of their pods.

    Raises:
        Left: some of them stay.
    """
    for item in snapshot.items(OBJECTS):
        writer.delete(r.COMPANIONREPLICASETS, name_of(item), namespace_of(item))
        click.echo(f"companionreplicaset.{COMPANION.group}/{name_of(item)} deleted")
    while (left := remains(_look(options, connection))).any:
        if time.monotonic() > ends:
            raise Left(left.told, "the kind stays until they are gone; then run the same command again")
        time.sleep(POLL)


def _remove(writer: Writer, doomed: Sequence[Item], wanted: Target) -> None:
    part, whole = shipped.PART_OF
    for item in doomed:
        resource, space = shipped.resource_of(item), shipped.namespace_of(item)
        stored = writer.stored(resource, name_of(item), space)
        if stored is None:
            continue
        if map_at(stored, "metadata", "labels").get(part) != whole:
            talk(f"{short(item)} has no label {part}={whole}: it is not ours and stays")
            continue
        writer.delete(resource, name_of(item), space)
        click.echo(f"{short(item)} deleted")
    lease = shipped.lease_of(wanted)
    if writer.stored(r.LEASES, lease, "kube-system") is not None:
        writer.delete(r.LEASES, lease, "kube-system")
        click.echo(f"lease.coordination.k8s.io/{lease} deleted")


def _await_gone(writer: Writer, doomed: Sequence[Item], ends: float) -> None:
    """Waits for what takes its time: a namespace with running pods, and a kind.

    Raises:
        Left: it is still there.
    """
    slow = [item for item in doomed if shipped.resource_of(item) in (r.NAMESPACES, r.CRDS, *shipped.WORKLOADS)]
    for item in slow:
        while writer.stored(shipped.resource_of(item), name_of(item), shipped.namespace_of(item)) is not None:
            if time.monotonic() > ends:
                raise Left(f"{short(item)} is still being deleted", f"kubectl describe {short(item)} tells why")
            time.sleep(POLL)
