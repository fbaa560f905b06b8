"""Causes on a terminal: in full with evidence and advice, or in short as an entry of a list."""

from __future__ import annotations

from kcompanion.model.finding import Finding, Status, Step
from kcompanion.model.message import say
from kcompanion.model.times import human_age, seconds_between
from kcompanion.render.clean import clean
from kcompanion.render.screen import Screen
from kcompanion.render.theme import MARKS, SEVERITY_STATUS
from kcompanion.render.wrap import wrap
from kcompanion.report.document import Cause, Told

AFFECTED = 5  # objects named; the rest is counted


def in_full(cause: Cause, screen: Screen) -> str:
    """One cause: the sentence, then evidence, why, next steps and where to read more, each set off by its label."""
    finding = cause.finding
    lines = _head(f"{screen.words(finding.message)} [{finding.code}]", finding, screen)
    if finding.affected and finding.affected != (finding.subject,):
        names = ", ".join(finding.affected[:AFFECTED])
        more = len(finding.affected) - AFFECTED
        told = (
            say("explain.affected_more", names=names, count=more) if more > 0 else say("explain.affected", names=names)
        )
        lines += wrap(screen.words(told), screen.columns, "        ", "      ")
    for item in finding.evidence:
        named = "" if item.path and item.source == cause.about else item.source
        what = " ".join(part for part in (named, item.path) if part)
        since = seconds_between(item.at, cause.now)
        age = "" if since is None else f" ({screen.words(say('explain.ago', age=human_age(since)))})"
        lines += wrap(f"{clean(what)} = {clean(item.value)}{age}", screen.columns, "        ", "      · ")
    if finding.why is not None:
        lines += wrap(screen.words(finding.why), screen.columns, "      ", "      ")
    for step in finding.steps:
        lines += _step(step, screen)
    if finding.read and cause.root:
        lines.append(screen.theme.dim(f"      {screen.words(say('explain.read', url=finding.read))}"))
    return "\n".join(lines)


def _step(step: Step, screen: Screen) -> list[str]:
    """The tag, then the words, then the command on a line of its own: a command is never broken, it is copied."""
    risk = say(f"explain.risk.{step.risk.value.replace('-', '_')}")
    tag = f"      → [{screen.words(risk)}] "
    if step.told is None:
        return [f"{tag}{clean(step.command)}"]
    lines = wrap(screen.words(step.told), screen.columns, "        ", tag)
    return [*lines, f"        {clean(step.command)}"] if step.command else lines


def in_short(told: Told, screen: Screen) -> str:
    """One entry of a list: where, the sentence, notes, and the command that tells all of it."""
    finding = told.finding
    head = f"{clean(told.where)}: {screen.words(finding.message)} [{finding.code}]"
    lines = _head(head, finding, screen)
    for note in told.notes:
        lines += wrap(screen.words(note), screen.columns, "      ", "      ")
    if told.command:
        lines.append(f"      → {clean(told.command)}")
    return "\n".join(lines)


def _head(text: str, finding: Finding, screen: Screen) -> list[str]:
    status = SEVERITY_STATUS[finding.severity]
    mark = MARKS[status] if status is not Status.NOT_VISIBLE else "ℹ"
    return [screen.theme.paint(line, status) for line in wrap(text, screen.columns, "    ", f"  {mark} ")]
