"""`doctor`: the way to the API server, the clocks, and what each command may see."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.access.rights import Coverage
from kcompanion.access.steps import Reach
from kcompanion.model.message import Message, say
from kcompanion.report.document import Block, Cell, Facts, Lesson, Lines, Section, Table, columns


def verdict(reach: Reach | None, found: Sequence[Coverage]) -> Message:
    failed = reach.failed if reach else None
    if failed is not None:
        return say("doctor.verdict.unreachable", step=say(f"doctor.step.{failed.name}"), detail=failed.detail)
    short = [row for row in found if row.verdict != "complete"]
    if reach is None:
        return say("doctor.verdict.recorded", count=len(found), complete=len(found) - len(short))
    if not short:
        return say("doctor.verdict.complete", count=len(found))
    word = "unknown" if all(row.verdict == "unknown" for row in short) else "partial"
    return say(f"doctor.verdict.{word}", count=len(found), short=len(short))


def sections(reach: Reach | None, user: str, found: Sequence[Coverage], *, explain: bool = False) -> list[Section]:
    parts = [Section(say("doctor.section.way"), [*_way(reach), *_lesson("way", on=explain)])]
    if found:
        parts.append(Section(say("doctor.section.rights"), [*_rights(user, found), *_lesson("rights", on=explain)]))
    return parts


def _way(reach: Reach | None) -> list[Block]:
    if reach is None:
        return [Lines((say("doctor.no_way"),))]
    rows: list[list[Cell]] = [
        [say(f"doctor.step.{step.name}"), step.status, _time(step.milliseconds), step.detail] for step in reach.steps
    ]
    blocks: list[Block] = [Table(columns("STEP STATUS TIME FOUND"), rows)]
    facts: list[tuple[Message, Cell]] = []
    if reach.latency is not None:
        facts.append((say("doctor.fact.latency"), f"{reach.latency} ms"))
    if reach.skew is not None:
        facts.append((say("doctor.fact.clock"), _clock(reach.skew)))
    return [*blocks, Facts(facts)] if facts else blocks


def _time(milliseconds: int | None) -> Cell:
    return None if milliseconds is None else f"{milliseconds}ms"


def _clock(skew: int) -> Message:
    if abs(skew) <= 1:
        return say("doctor.clock.same")
    return say("doctor.clock.apart", seconds=abs(skew), word=say(f"doctor.clock.{'ahead' if skew > 0 else 'behind'}"))


def _rights(user: str, found: Sequence[Coverage]) -> list[Block]:
    rows: list[list[Cell]] = [
        [row.command, row.status, say(f"doctor.coverage.{row.verdict}"), len(row.missing) or None] for row in found
    ]
    blocks: list[Block] = []
    if user:
        blocks.append(Lines((say("doctor.as_user", user=user),)))
    blocks.append(Table(columns("COMMAND STATUS WILL_BE MISSING"), rows))
    closer = [say("doctor.closer", command=row.command, closer=row.closer) for row in found if row.closer]
    blocks += [Lines(closer)] if closer else []
    wanted: dict[str, list[str]] = {}
    for row in found:
        for right in row.missing:
            wanted.setdefault(right.text, []).append(row.command)
    if wanted:
        missing: list[list[Cell]] = [[text, ", ".join(commands)] for text, commands in sorted(wanted.items())]
        blocks += [Table(columns("MISSING_RIGHT NEEDED_BY"), missing), *_grant(found)]
    return blocks


def _grant(found: Sequence[Coverage]) -> list[Block]:
    """How to get what is missing, but for what changes things: nobody should grant that on our word."""
    return [Lines((say("doctor.grant"),))] if any(row.missing and not row.closer for row in found) else []


def _lesson(part: str, *, on: bool) -> list[Lesson]:
    if not on:
        return []
    return [Lesson(say(f"doctor.lesson.{part}.title"), (say(f"doctor.lesson.{part}.text"),))]
