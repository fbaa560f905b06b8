"""Exercises as a learner reads them: the list, what is to be done, hints, what is missing, and why it was broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from kcompanion.model.finding import Finding, Status
from kcompanion.model.message import Message, one_or_many, say
from kcompanion.model.snapshot import Gap
from kcompanion.practice.cases import Case
from kcompanion.practice.exercises import EXERCISES, TOPICS, Exercise
from kcompanion.practice.judgement import Judgement
from kcompanion.report.document import Block, Cause, Cell, Document, Lines, Literal, Section, Table, columns

HINTS = 3
_LIST = columns("EXERCISE LEVEL MIN STATE TITLE +NEEDS")
# Where a topic's trouble shows first.
_LOOK: Mapping[str, str] = {
    "start": "kubectl describe pods -n {namespace}",
    "config": "kubectl describe pods -n {namespace}",
    "image": "kubectl describe pods -n {namespace}",
    "placing": "kubectl get events -n {namespace} --field-selector reason=FailedScheduling",
    "probe": "kubectl describe pods -n {namespace}",
    "storage": "kubectl describe pods,pvc -n {namespace}",
    "policy": "kubectl get events,resourcequotas,limitranges,pdb -n {namespace}",
    "service": "kubectl get services,endpointslices,pods -n {namespace} --show-labels",
    "job": "kubectl describe jobs,cronjobs,pods -n {namespace}",
}


def catalogue(states: Mapping[str, str]) -> Document:
    """The exercises by topic, the easy ones first, and how each stands: `done`, `open` or neither."""
    done = sum(state == "done" for state in states.values())
    sections = [Section(say("practice.list", count=len(EXERCISES), done=done), [Lines([say("practice.list_how")])])]
    for topic in TOPICS:
        rows = [_row(one, states.get(one.id, "")) for one in EXERCISES if one.topic == topic]
        sections.append(Section(say(f"practice.topic.{topic}"), [Table(_LIST, rows)]))
    return Document(sections=sections)


def _row(one: Exercise, state: str) -> list[Cell]:
    told = say(f"practice.state.{state}") if state else None
    return [one.id, "*" * one.level, one.minutes, told, one.title, _needs(one.needs)]


def _needs(needs: Sequence[str]) -> Cell:
    return say(f"practice.need.{needs[0]}") if needs else None


def opening(case: Case, judgement: Judgement, pods: Sequence[tuple[str, str, str]]) -> Document:
    """What shows, and what is to be done; nothing of the cause."""
    seen: list[Block] = [Lines([told for _, told in judgement.unmet])] if judgement.unmet else []
    if pods:
        seen.append(Table(columns("POD READY STATUS"), pods))
    name = case.exercise.id
    further = [
        f"kubectl get all -n {case.namespace}",
        f"kcompanion practice hint {name}",
        f"kcompanion practice check {name}",
        f"kcompanion practice end {name}",
    ]
    goals: list[Cell] = [goal.told for goal in case.goals]
    if case.exercise.topic == "image":
        goals.append(say("practice.image", image=case.image))
    return Document(
        title=say("practice.title_line", id=name, title=case.exercise.title),
        sections=[
            Section(say("practice.seen"), seen),
            Section(say("practice.task", namespace=case.namespace), [Lines([*goals, say("practice.any_way")])]),
            Section(say("practice.further"), [Literal(further)]),
        ],
    )


def hint(case: Case, number: int, finding: Finding | None, judgement: Judgement) -> Document:
    """One hint, from where to look to what is wrong; with the cause gone, what is still missing."""
    title = say("practice.hint", number=number, of=HINTS)
    last = [say("practice.last_hint", id=case.exercise.id)] if number == HINTS else []
    topic = case.exercise.topic
    if number == 1:
        look = _LOOK[topic].format(namespace=case.namespace)
        return Document(sections=[Section(title, [Lines([say(f"practice.look.{topic}")]), Literal([look])])])
    if finding is None:
        return Document(sections=[Section(title, [Lines([say("practice.cause_gone"), *missing(judgement), *last])])])
    if number == HINTS:
        steps = [step.told for step in finding.steps if step.told is not None]
        commands = [step.command for step in finding.steps if step.command]
        blocks: list[Block] = [Lines([finding.message, *steps]), Literal(commands), Lines(last)]
        return Document(sections=[Section(title, blocks)])
    fields = [" ".join(filter(None, (one.source, one.path))) for one in finding.evidence]
    told = [
        f"{field} = {one.value}" if one.value else field for field, one in zip(fields, finding.evidence, strict=True)
    ]
    return Document(sections=[Section(title, [Lines([say("practice.fields"), *told])])])


def checked(case: Case, judgement: Judgement, finding: Finding | None, now: datetime) -> Document:
    """Solved and why it was broken, or what is still missing."""
    if judgement.solved:
        told = say("practice.solved", id=case.exercise.id)
        return Document(verdict=told, status=Status.OK, sections=explanation(finding, now))
    if judgement.undecided:
        return Document(verdict=say("practice.undecided"), status=Status.UNKNOWN, gaps=judgement.gaps)
    return Document(
        verdict=say("practice.not_yet"),
        status=Status.WARN,
        sections=[Section(say("practice.missing"), [Lines(missing(judgement))])],
        gaps=judgement.gaps,
    )


def missing(judgement: Judgement) -> list[Cell]:
    """What is not yet as it has to be; that the cause is still there only where nothing else tells it."""
    told: list[Cell] = [one for _, one in judgement.unmet]
    if judgement.remaining and not told:
        count = len(judgement.remaining)
        told.append(say(one_or_many("practice.remaining", count), count=count, what=_subjects(judgement)))
    return told


def _subjects(judgement: Judgement) -> str:
    return ", ".join(dict.fromkeys(one.subject for one in judgement.remaining))


def explanation(finding: Finding | None, now: datetime) -> list[Section]:
    """What was wrong, why Kubernetes acted so, and where to read more: `explain`'s own words."""
    if finding is None:
        return []
    return [Section(say("practice.explanation"), [Cause(finding, now, root=True)])]


def ended(exercise: Exercise, left: Sequence[str], finding: Finding | None, now: datetime, *, solved: bool) -> Document:
    """What became of it; the solution where it is wanted."""
    if left:
        sections = [Section(say("practice.left"), [Lines(list(left))], Status.FAIL)]
        return Document(verdict=say("practice.not_removed"), status=Status.FAIL, sections=sections)
    told = say(f"practice.ended.{'solved' if solved else 'unsolved'}", id=exercise.id)
    return Document(verdict=told, status=Status.OK, sections=explanation(finding, now))


def cleaned(removed: Sequence[str], left: Sequence[str], others: Sequence[str], gaps: Sequence[Gap]) -> Document:
    """What `practice cleanup` removed, what it could not, what is not ours to remove, and what it could not read."""
    parts: list[tuple[Message, Sequence[str], Status | None]] = [
        (say("practice.removed"), removed, None),
        (say("practice.left"), left, Status.FAIL),
        (say("practice.others"), others, None),
    ]
    sections = [Section(title, [Lines(list(lines))], status) for title, lines, status in parts if lines]
    verdict = say("practice.cleaned", count=len(removed)) if removed else say("practice.nothing_open")
    status = Status.FAIL if left else Status.UNKNOWN if gaps else Status.OK
    if gaps and not removed:
        verdict = say("practice.open_unknown")
    return Document(verdict=verdict, status=status, sections=sections, gaps=gaps)
