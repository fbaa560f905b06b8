"""`trace pod`: the steps with actor and duration, where the time went as bars, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcompanion.model.fields import namespace_of, text_at
from kcompanion.model.message import Message, say
from kcompanion.model.refs import Ref
from kcompanion.model.snapshot import Object
from kcompanion.model.times import human_age, parse_time
from kcompanion.report.document import Block, Cell, Lesson, Lines, Section, Table, columns
from kcompanion.trace.managed import Writer, declared, writers
from kcompanion.trace.steps import State, Step, Story

BAR = 34  # columns of the widest bar
_LESSONS = ("who", "times")


def verdict(story: Story, item: Object, ref: Ref, now: datetime) -> Message:
    """How long it took, or what it waits for, in one sentence."""
    waiting = story.waiting
    what = str(ref)
    if waiting is not None:
        return say("trace.verdict.waiting", what=what, told=waiting.told, age=_told_age(waiting.took))
    phase = text_at(item, "status", "phase")
    if phase in ("Succeeded", "Failed"):
        return say(f"trace.verdict.{phase.lower()}", what=what)
    # a static pod is older than its mirror
    created = _at(story, "seen") or parse_time(text_at(item, "metadata", "creationTimestamp"))
    ready = _at(story, "ready")
    if created is None or ready is None:
        age = _told_age((now - created).total_seconds() if created else None)
        return say("trace.verdict.so_far", what=what, age=age)
    seconds = max(0, int((ready - created).total_seconds()))
    if any(step.id == "restarted" for step in story.later):
        return say("trace.verdict.ready_again", what=what, age=_told_age((now - ready).total_seconds()))
    return say("trace.verdict.ready", what=what, took=_told_age(seconds))


def sections(story: Story, item: Object, ref: Ref, *, explain: bool = False) -> list[Section]:
    """The life, the bars, what came later, and what to know about the times."""
    created = text_at(item, "metadata", "creationTimestamp")
    made = [Section(say("trace.section.life", date=created[:10]), [_table(story.steps, created)])]
    if bars := _bars(story.steps):
        made.append(Section(say("trace.section.bars"), [bars]))
    if story.later:
        made.append(Section(say("trace.section.later"), [_table(story.later, created)]))
    if story.waiting is not None:
        made.append(Section(say("trace.section.next"), [Lines((pointer(ref),))]))
    lessons: list[Block] = [lesson(name) for name in _LESSONS] if explain else []
    made.append(Section(say("trace.section.notes"), [Lines(tuple(story.notes)), *lessons]))
    return made


def pointer(ref: Ref) -> Message:
    """The command that tells the cause."""
    return say("trace.explain", command=f"kcompanion explain {ref.kubectl}")


def lesson(name: str) -> Lesson:
    return Lesson(say(f"trace.lesson.{name}.title"), (say(f"trace.lesson.{name}.text"),))


def _table(steps: Sequence[Step], created: str) -> Table:
    rows: list[list[Cell]] = [[clock(step.at, created), took(step), step.actor, _told(step)] for step in steps]
    return Table(columns("AT TOOK ACTOR STEP"), rows)


def _told(step: Step) -> Message:
    return say("trace.sourced", told=step.told, source=step.source) if step.source else step.told


def clock(at: str, created: str = "") -> str | None:
    """The time of day in UTC, with the date where it is another one than that of the creation."""
    moment = parse_time(at)
    if moment is None:
        return None
    return moment.strftime("%H:%M:%S" if at[:10] == created[:10] or not created else "%m-%d %H:%M:%S")


def took(step: Step) -> Cell:
    """The duration for the table: `<1 s` where both ends are in one second, a question mark where nothing tells."""
    if step.state in (State.MISSING, State.NOT_KNOWN):
        return "?"
    if step.state is State.OPEN:
        return say("trace.so_far", age=_told_age(step.took))
    if step.took is None or not (step.at or step.exact is not None):
        return None
    if step.exact is not None and step.exact >= 0.05:
        return f"{step.exact:.1f} s"
    return f"≤{_age(step.took)}" if step.at_most and step.took >= 1 else _age(step.took)


def _age(seconds: float) -> str:
    """A duration in a column, as narrow as it goes."""
    return "<1 s" if seconds < 1 else human_age(int(seconds)) if seconds >= 120 else f"{seconds:.0f} s"


def _told_age(seconds: float | None) -> Message | str:
    """A duration in a sentence, where each language has its own words."""
    if seconds is None or seconds < 120:
        return told_seconds(seconds)
    return human_age(int(seconds))


def told_seconds(seconds: float | None) -> Message | str:
    """Seconds in a sentence, from times that are whole ones: a difference of none is less than one."""
    if seconds is None:
        return "?"
    return say("common.age.seconds", count=int(seconds)) if seconds >= 1 else say("common.age.under_second")


def _at(story: Story, name: str) -> datetime | None:
    return next((parse_time(step.at) for step in story.steps if step.id == name), None)


# ---------------------------------------------------------------------------------------- bars


def _bars(steps: Sequence[Step]) -> Table | None:
    """A bar per step that took a second or more, all on one axis of time."""
    spans = [(step, *span) for step in steps if (span := _span(step)) is not None]
    if len(spans) < 2:
        return None
    first, last = min(start for _, start, _ in spans), max(end for _, _, end in spans)
    whole = (last - first).total_seconds()
    if whole < 2:
        return None
    rows: list[list[Cell]] = []
    for step, start, end in spans:
        left = round((start - first).total_seconds() / whole * BAR)
        right = max(left + 1, round((end - first).total_seconds() / whole * BAR))
        left = min(left, BAR - 1)
        bar = "·" * left + "█" * (min(right, BAR) - left) + "·" * (BAR - min(right, BAR))
        name = say(f"trace.short.{step.id}")
        rows.append([say("trace.short.part", step=name, part=step.part) if step.part else name, bar, took(step)])
    return Table(columns("STEP TIMELINE TOOK"), rows)


def _span(step: Step) -> tuple[datetime, datetime] | None:
    end = parse_time(step.at)
    if end is None or step.took is None or step.state is not State.DONE or step.at_most or step.took < 1:
        return None
    return end - timedelta(seconds=step.took), end


# -------------------------------------------------------------------------------- any other object


def generic(item: Object, ref: Ref, created: Sequence[Step], *, explain: bool = False) -> list[Section]:
    """Who made it, who wrote which fields, and what apply means for it."""
    moment = text_at(item, "metadata", "creationTimestamp")
    made = [Section(say("trace.section.life", date=moment[:10]), [_table(created, moment)])]
    found = writers(item)
    if found:
        blocks: list[Block] = [_writers(found, moment), Lines((say("trace.note.last_manager"),))]
        made.append(Section(say("trace.section.writers"), blocks))
    else:
        made.append(Section(say("trace.section.writers"), [Lines((say("trace.note.no_managed_fields"),))]))
    made.append(Section(say("trace.section.declared"), [Lines(declaration(item, ref)), *_lessons(on=explain)]))
    return made


def _lessons(*, on: bool) -> list[Block]:
    return [lesson("apply")] if on else []


def _writers(found: Sequence[Writer], created: str) -> Table:
    rows: list[list[Cell]] = [
        [clock(w.time, created), w.manager, _how(w), say("trace.fields", fields=w.summary)] for w in found
    ]
    return Table(columns("AT MANAGER HOW FIELDS"), rows)


def _how(writer: Writer) -> Message:
    told = say(f"trace.how.{writer.how}")
    return say("trace.how.through", how=told, subresource=writer.subresource) if writer.subresource else told


def declaration(item: Object, ref: Ref) -> tuple[Message, ...]:
    """Imperative or declarative, and what a second apply would do, as far as it can be known."""
    how = declared(item)
    if not writers(item):
        return (say("trace.declared.unknown"),)
    if not how.declarative:
        return (say("trace.declared.imperative", what=str(ref)),)
    told = []
    if how.server:
        told.append(say("trace.declared.server", managers=", ".join(how.server), at=how.applied_at))
    if how.client:
        told.append(say("trace.declared.client"))
    if how.others:
        names = ", ".join(dict.fromkeys(w.manager for w in how.others))
        fields = Writer("", "", "", "", tuple(sorted({f for w in how.others for f in w.fields}))).summary
        told.append(say("trace.declared.others", managers=names, fields=fields))
        told.append(say("trace.declared.second_may"))
    else:
        told.append(say("trace.declared.second_nothing"))
    if how.shared:
        told.append(say("trace.declared.shared", fields=", ".join(how.shared[:6]), count=len(how.shared)))
    space = f" -n {namespace_of(item)}" if namespace_of(item) else ""
    server = " --server-side" if how.server and not how.client else ""
    told.append(say("trace.declared.diff", command=f"kubectl diff{server} -f FILE{space}"))
    return tuple(told)
