"""`kcompanion doctor [COMMAND…] [--rbac]`: can the cluster be reached, and what may we see of it?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from kcompanion.access import rights, roles, steps
from kcompanion.access.identity import SELF
from kcompanion.cli import needs
from kcompanion.cli.context import live, recording_path, session, target
from kcompanion.cli.options import Options, reading, whole
from kcompanion.cli.output import Answer, emit
from kcompanion.cluster import recording
from kcompanion.cluster.reach import reach
from kcompanion.cluster.session import Session
from kcompanion.errors import NotAuthenticated, Unreachable, UsageError
from kcompanion.model.ask import Outcome, Reading
from kcompanion.model.fields import text_at
from kcompanion.model.finding import Status, ranked, worst
from kcompanion.model.message import say
from kcompanion.model.snapshot import Snapshot
from kcompanion.report import doctor as report
from kcompanion.report.document import Document

_HEAD = """\
# The least rights that make these kcompanion commands complete: {commands}.
# For fewer of them: kcompanion doctor COMMAND… --rbac
"""
_SECRETS = """\
# `list secrets` is among them ({commands}): kcompanion drops the values at once, but RBAC cannot grant names
# without values. Leave the rule out and those commands say what they could not see.
"""
_CHANGES = """\
# {command} changes things, which is not granted here: `{closer}` names what it lacks.
"""


@click.command("doctor")
@click.argument("commands", nargs=-1, metavar="[COMMAND]...")
@click.option("--rbac", is_flag=True, help="Print the least roles for these commands, ready to apply.")
@reading
@whole
def command(options: Options, commands: tuple[str, ...], *, rbac: bool) -> int:
    """Reachability step by step, clocks, and which commands will be complete with your rights."""
    wanted = needs.chosen(commands)
    if options.watch:
        raise UsageError("doctor has nothing to watch", "leave out -w")
    if rbac:
        _print_roles(wanted, options)
        return 0
    if options.from_file:
        held = recording.load(recording_path(options.from_file)).readings
        wanted = tuple(need for need in wanted if not need.live or _reviewed(need, held))
        return emit(_answer(_recorded(options, wanted, held), wanted, explain=options.explain), options)
    return _live(options, wanted)


def _reviewed(need: rights.Need, held: Mapping[str, Reading]) -> bool:
    """Whether a recording has all answers on rights that nothing else in it could tell."""
    return all(ask.key in held for ask in rights.reviews([need]))


def _recorded(options: Options, wanted: Sequence[rights.Need], held: Mapping[str, Reading]) -> Snapshot:
    """What a recording tells: its access reviews, and where it has none, how the recorded questions went."""
    with session(options) as conversation:
        snapshot = conversation.read([steps.REACH, SELF, *rights.reviews(wanted)])
    return Snapshot(snapshot.now, snapshot.origin, {**held, **snapshot.readings})


def _live(options: Options, wanted: Sequence[rights.Need]) -> int:
    found, connection = reach(target(options), options.request_timeout)
    if connection is None:
        snapshot = _without_cluster(options, found)
    else:
        with live(options, connection) as conversation:
            found = _asked(conversation, found, wanted)
        snapshot = conversation.snapshot
    if options.record:
        recording.save(snapshot, Path(options.record))
    code = emit(_answer(snapshot, wanted, explain=options.explain), options)
    return Unreachable.exit_code if found.failed else code


def _asked(conversation: Session, found: steps.Reach, wanted: Sequence[rights.Need]) -> steps.Reach:
    """The last step, who we are, and the rights; all of it is kept for a recording."""
    if found.failed is None:
        try:
            conversation.read([SELF])
            found = steps.with_step(found, _authenticated(conversation.snapshot))
            conversation.read(rights.reviews(wanted))
        except (NotAuthenticated, Unreachable) as error:
            found = steps.with_step(found, steps.Step("authenticate", Status.FAIL, error.text))
    conversation.keep(Reading(steps.REACH, Outcome.OK, body=steps.reading(found)))
    return found


def _authenticated(snapshot: Snapshot) -> steps.Step:
    user = text_at(snapshot.object(SELF), "status", "userInfo", "username")
    held = snapshot.reading(SELF)
    return steps.Step("authenticate", Status.OK if user else Status.UNKNOWN, user or held.detail)


def _without_cluster(options: Options, found: steps.Reach) -> Snapshot:
    from datetime import UTC, datetime  # noqa: PLC0415 - only when there is no cluster whose clock could be read

    now = options.now or datetime.now(UTC).replace(microsecond=0)
    body = Reading(steps.REACH, Outcome.OK, body=steps.reading(found))
    return Snapshot(now, readings={steps.REACH.key: body})


def _answer(snapshot: Snapshot, wanted: Sequence[rights.Need], *, explain: bool) -> Answer:
    way = steps.reach_of(snapshot)
    failed = way.failed if way else None
    rows = () if failed else rights.coverage(snapshot, wanted)
    user = text_at(snapshot.object(SELF), "status", "userInfo", "username")
    found = ranked([*steps.findings(way, snapshot.origin.server), *rights.findings(rows)])
    statuses = [steps.worst_step(way.steps)] if way else []
    status = worst([*statuses, *(row.status for row in rows)])
    unsure = {right for row in rows for right in row.unsure}
    gaps = snapshot.gaps(rights.access_review(right) for right in sorted(unsure))
    unknown = any(row.verdict == "unknown" for row in rows)
    body: dict[str, Any] = {
        "status": status.value,
        "reach": way.to_json() if way else None,
        "user": user or None,
        "commands": [row.to_json() for row in rows],
    }
    return Answer(
        "Doctor",
        snapshot,
        body,
        Document(
            title=say("doctor.title"),
            verdict=report.verdict(way, rows),
            status=status,
            sections=report.sections(way, user, rows, explain=explain),
            findings=found,
            gaps=gaps,
        ),
        names=[f"command/{row.command}" for row in rows],
        findings=found,
        gaps=gaps,
        undecided=unknown,
    )


def _print_roles(wanted: Sequence[rights.Need], options: Options) -> None:
    found = roles.manifests(wanted, options.namespace or "kube-system")
    if options.output == "json":
        click.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, indent=2, sort_keys=True))
        return
    click.echo(_HEAD.format(commands=", ".join(need.command for need in wanted if not need.acts)), nl=False)
    for need in wanted:
        if need.acts:
            click.echo(_CHANGES.format(command=need.command, closer=need.closer), nl=False)
    if readers := roles.reads_secrets(wanted):
        click.echo(_SECRETS.format(commands=", ".join(readers)), nl=False)
    click.echo(yaml.safe_dump_all(found, sort_keys=True, explicit_start=True), nl=False)
