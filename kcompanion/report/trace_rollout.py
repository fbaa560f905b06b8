"""`trace deployment` and its kin: revisions, what changed between them, the roll-out step by step, where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompanion.model.fields import name_of, namespace_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.report.document import Block, Cell, Lines, Section, Table, columns
from kcompanion.report.trace import clock, lesson
from kcompanion.trace.rollout import Revision, Rollout, Scaling, has_env, same_text
from kcompanion.trace.templates import Change

COMPARED = 3  # the latest changes of template that are told field by field
FIELDS = 15  # fields of one change
SCALINGS = 30


def verdict(found: Rollout) -> Message:
    """Where it stands in one sentence."""
    stand = found.stand
    what = f"{found.kind} {namespace_of(found.item)}/{name_of(found.item)}"
    values = {"what": what, "updated": stand.updated, "wanted": stand.wanted, "available": stand.available}
    newest = next((one for one in found.revisions if one.current), None)
    revision = newest.number if newest else "?"
    if not stand.observed:
        return say("trace.rollout.unseen", what=what)
    if stand.complete:
        return say("trace.rollout.zero" if stand.wanted == 0 else "trace.rollout.complete", revision=revision, **values)
    if stand.paused:
        return say("trace.rollout.paused", revision=revision, **values)
    if stand.progress == "ProgressDeadlineExceeded":
        return say("trace.rollout.late", revision=revision, **values)
    return say("trace.rollout.running", revision=revision, **values)


def sections(found: Rollout, *, explain: bool = False) -> list[Section]:
    """Revisions, changes, steps, arithmetic, and how to go back."""
    created = text_at(found.item, "metadata", "creationTimestamp")
    blocks: list[Block] = [Lines(tuple(stands(found)))]
    made = [Section(say("trace.section.stand"), blocks)]
    if found.revisions:
        made.append(Section(say("trace.section.revisions"), [_revisions(found), *_rollback(found)]))
        made += _changes(found)
    if found.scalings:
        made.append(Section(say("trace.section.scalings"), [_scalings(found, created)]))
    elif found.kind == "Deployment":
        made.append(Section(say("trace.section.scalings"), [Lines((say("trace.rollout.no_events"),))]))
    if explain and found.kind == "Deployment":
        made.append(Section(say("trace.section.notes"), [lesson("rollout")]))
    return made


def stands(found: Rollout) -> Iterator[Message]:
    """The arithmetic of the strategy, and what the roll-out waits for."""
    stand, bounds = found.stand, found.bounds
    yield say(
        "trace.rollout.counts",
        total=stand.total,
        updated=stand.updated,
        ready=stand.ready,
        available=stand.available,
        wanted=stand.wanted,
    )
    if bounds.most is not None and bounds.fewest is not None:
        yield say(
            "trace.rollout.bounds",
            strategy=found.strategy,
            surge=bounds.surge,
            unavailable=bounds.unavailable,
            most=bounds.most,
            fewest=bounds.fewest,
        )
    else:
        yield say(f"trace.rollout.strategy.{found.strategy.lower()}")
    if stand.complete:
        return
    if stand.paused:
        yield say("trace.rollout.resume", command=f"kubectl rollout resume {_kubectl(found)}")
    for name in found.blocking[:3]:
        command = f"kcompanion explain pod/{name} -n {namespace_of(found.item)}"
        yield say("trace.rollout.waits_for", pod=name, command=command)
    if stand.message and stand.progress == "ProgressDeadlineExceeded":
        yield say("trace.rollout.told", message=stand.message)


def _kubectl(found: Rollout) -> str:
    return f"{found.kind.lower()}/{name_of(found.item)} -n {namespace_of(found.item)}"


def _revisions(found: Rollout) -> Table:
    rows: list[list[Cell]] = [
        [
            say("trace.rollout.current", number=one.number) if one.current else str(one.number),
            one.keeper,
            None if one.pods is None else str(one.pods),
            None if one.ready is None and found.kind != "Deployment" else str(one.ready or 0),
            one.created,
            one.cause,
        ]
        for one in found.revisions
    ]
    if found.kind == "Deployment":
        return Table(columns("REVISION REPLICASET PODS READY CREATED CHANGE-CAUSE"), rows)
    spare = [[row[0], row[1], row[2], row[4], row[5]] for row in rows]
    return Table(columns("REVISION CONTROLLERREVISION PODS CREATED CHANGE-CAUSE"), spare)


def _rollback(found: Rollout) -> list[Block]:
    older = [one for one in found.revisions if not one.current]
    if not older:
        return [Lines((say("trace.rollout.only_one"),))]
    command = f"kubectl rollout undo {_kubectl(found)} --to-revision={older[-1].number}"
    return [Lines((say("trace.rollout.undo", number=older[-1].number, command=command),))]


def _changes(found: Rollout) -> list[Section]:
    made = []
    for index in range(len(found.revisions) - 1, max(0, len(found.revisions) - 1 - COMPARED), -1):
        before, after = found.revisions[index - 1], found.revisions[index]
        title = say("trace.section.changes", before=before.number, after=after.number)
        made.append(Section(title, list(_change_blocks(found.changes_of(index), before, after))))
    return made


def _change_blocks(changes: Sequence[Change], before: Revision, after: Revision) -> Iterator[Block]:
    if not changes:
        hidden = same_text(before, after)
        yield Lines((say("trace.change.hidden_only" if hidden else "trace.change.none"),))
        return
    lines: list[Cell] = [_change(one) for one in changes[:FIELDS]]
    if len(changes) > FIELDS:
        lines.append(say("trace.change.more", count=len(changes) - FIELDS))
    if has_env(after):
        lines.append(say("trace.change.env"))
    yield Lines(lines)


def _change(one: Change) -> Message:
    if one.hidden:
        return say("trace.change.hidden", path=one.path)
    if one.before is None:
        return say("trace.change.added", path=one.path, after=one.after)
    if one.after is None:
        return say("trace.change.removed", path=one.path, before=one.before)
    return say("trace.change.changed", path=one.path, before=one.before, after=one.after)


def _scalings(found: Rollout, created: str) -> Table:
    numbers = {one.keeper: one.number for one in found.revisions}
    rows: list[list[Cell]] = [
        [clock(one.at, created), str(numbers.get(one.keeper, "?")), _arrow(one), _scaling(one)]
        for one in found.scalings[-SCALINGS:]
    ]
    return Table(columns("AT REVISION PODS STEP"), rows)


def _arrow(one: Scaling) -> str:
    return f"{'?' if one.before is None else one.before} → {one.after}"


def _scaling(one: Scaling) -> Message:
    return say("trace.rollout.up" if one.up else "trace.rollout.down", keeper=one.keeper)
