"""The report as one file of HTML: opens offline, is whole without its script, and asks nothing of anybody.

Every text is escaped, nearly all by the template engine, and cleaned of control and direction characters. What is not
escaped is our own: style, script and the picture, which escapes what it draws. The security policy names style and
script by their hashes, so nothing that slipped through could run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from kcompanion.model.finding import Evidence, Finding, Status, Step
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Gap
from kcompanion.model.times import human_age, seconds_between
from kcompanion.render.causes import AFFECTED
from kcompanion.render.clean import clean
from kcompanion.render.drawing import svg
from kcompanion.render.screen import Screen
from kcompanion.render.svgparts import DARK, LIGHT, RULES
from kcompanion.render.theme import MARKS, SEVERITY_STATUS
from kcompanion.report.document import Branch, Cause, Cell, Facts, Lesson, Lines, Literal, Table, Told, Tree
from kcompanion.report.page import Page

_CODE = re.compile(r"`([^`]+)`")
FOLDED = frozenset({"flags"})  # chapters that are long and looked up rather than read
_KINDS: Mapping[str, type] = {
    "table": Table, "facts": Facts, "lines": Lines, "cause": Cause, "told": Told, "tree": Tree, "literal": Literal,
    "lesson": Lesson, "status": Status, "message": Message,
}  # fmt: skip
_RULE = "--rule: color-mix(in srgb, var(--line) 45%, transparent);"


def html(page: Page, language: str, version: str, *, refresh: int = 0) -> str:
    """The page, ending in a line break.

    Args:
        page: the report.
        language: `en` or `ko`.
        version: of kcompanion, for the last line.
        refresh: seconds after which a browser asks for it anew; 0 if nobody writes it anew.
    """
    screen = Screen(language=language)
    style, script = _style(), _asset("page.js")
    return _environment(screen).get_template("page.html").render(
        page=page,
        language=language,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        drawing=Markup(svg(page.picture, language, inline=True)),  # noqa: S704 - it escapes what it draws
        found=screen.words(say("report.found", count="#")),
        generated=screen.words(say("report.generated", version=version)),
        folded=FOLDED,
        refresh=refresh,
    ) + "\n"  # fmt: skip


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded from anywhere; of style and script only these very ones count."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _style() -> str:
    """The palette in both schemes (the reader's choice outranks the system's), the picture's rules, the page's."""
    palette = (
        f":root {{ color-scheme: light dark; {LIGHT} {_RULE} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {DARK} }} }}\n"
        f":root[data-theme=dark] {{ color-scheme: dark; {DARK} }}\n"
        ":root[data-theme=light] { color-scheme: light; }\n"
        f"@media print {{ :root, :root[data-theme=dark], :root:not([data-theme=light]) {{ {LIGHT} }} }}\n"
    )
    return palette + RULES + _asset("page.css")


def _asset(name: str) -> str:
    return (resources.files("kcompanion.render.page") / name).read_text(encoding="utf-8")


def _environment(screen: Screen) -> Environment:
    made = Environment(
        autoescape=True,
        loader=FunctionLoader(_asset),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests.update({name: _is(kind) for name, kind in _KINDS.items()})
    anchors = _Anchors()
    made.filters.update(
        words=screen.words,
        prose=partial(_prose, screen),
        text=lambda key: screen.words(say(f"report.{key}")),
        severity=lambda finding: SEVERITY_STATUS[finding.severity],
        anchor=anchors.next,
        anchored=anchors.first,
        affected=_affected,
        source=_source,
        age=_age,
        risk=_risk,
        state=_state,
        outcome=_outcome,
        numbers=_numbers,
    )
    return made


def _prose(screen: Screen, cell: Cell) -> Markup:
    """Words, where those of a message have what stands between backticks as code."""
    told = escape(screen.words(cell))
    if not isinstance(cell, Message):
        return told
    return Markup(_CODE.sub(r"<code>\1</code>", str(told)))  # noqa: S704 - the text is escaped, and the tag is ours


def _is(kind: type) -> Callable[[object], bool]:
    return lambda one: isinstance(one, kind)


class _Anchors:
    """An anchor for each cause: its code, and a number from the second one of a code on."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._first: Counter[str] = Counter()

    def next(self, finding: Finding) -> str:
        self._seen[finding.code] += 1
        return self._named(finding.code, self._seen[finding.code])

    def first(self, finding: Finding) -> str:
        """The anchor that a cause of the summary will have: the chapter tells them in the same order."""
        self._first[finding.code] += 1
        return self._named(finding.code, self._first[finding.code])

    def _named(self, code: str, number: int) -> str:
        return code if number == 1 else f"{code}-{number}"


def _numbers(table: Table) -> list[bool]:
    """Of each column, whether it holds numbers: its heading and its gaps stand where they do."""
    return [any(isinstance(row[index], int) for row in table.rows) for index in range(len(table.columns))]


def _affected(finding: Finding) -> Message | None:
    if not finding.affected or finding.affected == (finding.subject,):
        return None
    names = ", ".join(finding.affected[:AFFECTED])
    more = len(finding.affected) - AFFECTED
    return say("explain.affected_more", names=names, count=more) if more > 0 else say("explain.affected", names=names)


def _source(item: Evidence, about: str) -> str:
    named = "" if item.path and item.source == about else item.source
    return clean(" ".join(part for part in (named, item.path) if part))


def _age(item: Evidence, now: datetime) -> Message | None:
    since = seconds_between(item.at, now)
    return None if since is None else say("explain.ago", age=human_age(since))


def _risk(step: Step) -> Message:
    return say(f"explain.risk.{step.risk.value.replace('-', '_')}")


def _state(branch: Branch) -> str:
    mark = f"{MARKS[branch.status]} " if branch.status is not None else ""
    return clean(f"{mark}{branch.word}".strip())


def _outcome(gap: Gap) -> Any:  # noqa: ANN401 - a Message, for the filter `words`
    return say(f"common.outcome.{gap.outcome.value}")
