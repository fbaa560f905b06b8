"""The report in Markdown, as GitHub shows it: tables, lists, a Mermaid picture. Cluster text never becomes markup.

Headings, order and codes are those of the HTML. Wide columns are left out: Markdown tables cannot be scrolled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kcompanion.model.finding import Evidence, Status
from kcompanion.model.message import Message, say
from kcompanion.model.snapshot import Gap
from kcompanion.model.times import human_age, seconds_between
from kcompanion.render.causes import AFFECTED
from kcompanion.render.clean import clean
from kcompanion.render.mermaid import mermaid
from kcompanion.render.screen import Screen
from kcompanion.render.theme import MARKS, SEVERITY_STATUS
from kcompanion.report.document import Block, Branch, Cause, Cell, Diagram, Facts, Lines, Literal, Section, Table, Tree
from kcompanion.report.page import Page

# Whatever could begin markup, a mention, a formula or a cell: as a character, not as a sign. At the beginning of a
# line also what would make a heading, a list or a rule of it.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$@&])")
_FIRST = re.compile(r"^(\d*)([#+=.)-])(?=[\s#=+-]|$)")


def markdown(page: Page, diagram: Diagram, language: str, version: str) -> str:
    """The whole report, ending in a line break."""
    return _Writer(Screen(language=language)).whole(page, diagram, version)


def code(text: str) -> str:
    """The text as code, whatever backticks are in it."""
    told = clean(text) or "-"
    ticks = max((len(run) for run in re.findall(r"`+", told)), default=0)
    fence = "`" * (ticks + 1)
    pad = " " if told.startswith("`") or told.endswith("`") else ""
    return f"{fence}{pad}{told}{pad}{fence}"


def plain(text: str) -> str:
    """The text as text."""
    return _FIRST.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text))


class _Writer:
    """Writes in one language."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def whole(self, page: Page, diagram: Diagram, version: str) -> str:
        parts = [*self._summary(page)]
        parts += [f"## {self._text('picture')}", "```mermaid\n" + mermaid(diagram, self._screen.language) + "```"]
        for chapter in page.chapters:
            parts.append(f"## {self._words(chapter.title)}" + self._badge(chapter.status))
            if chapter.lead is not None:
                parts.append(self._words(chapter.lead))
            parts += [text for section in chapter.sections for text in self._section(section)]
        parts += self._gaps(page.gaps)
        parts += ["---", self._words(say("report.generated", version=version))]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _words(self, cell: Cell) -> str:
        return "-" if cell in (None, "") else plain(self._screen.words(cell))

    def _text(self, key: str) -> str:
        return self._words(say(f"report.{key}"))

    def _badge(self, status: Status | None) -> str:
        return "" if status is None else f" {self._words(status)}"

    def _summary(self, page: Page) -> Iterator[str]:
        yield f"# {self._words(page.title)}"
        yield f"**{self._words(page.status)}** {self._words(page.verdict)}"
        yield self._table([(label, value) for label, value in page.facts], ("", ""))
        yield "\n".join(
            f"- **{self._words(voice.part)}** {self._words(voice.status)}: {self._words(voice.told)}"
            for voice in page.voices
        )
        if page.worst:
            yield f"## {self._text('worst')}"
            yield "\n".join(
                self._one_of_the_worst(number, cause, command)
                for number, (cause, command) in enumerate(zip(page.worst, page.commands, strict=True), start=1)
            )

    def _one_of_the_worst(self, number: int, cause: Cause, command: str) -> str:
        finding = cause.finding
        lines = [f"{number}. {self._words(finding.message)} ({finding.code})"]
        lines += [f"   - {self._evidence(item, cause)}" for item in finding.evidence[:2]]
        if command:
            lines.append(f"   - {self._text('next')}: {code(command)}")
        return "\n".join(lines)

    # ------------------------------------------------------------------------------------- blocks

    def _section(self, section: Section) -> Iterator[str]:
        yield f"### {self._words(section.title)}" + self._badge(section.status)
        for block in section.blocks:
            yield self._block(block)

    def _block(self, block: Block) -> str:
        if isinstance(block, Table):
            shown = [index for index, column in enumerate(block.columns) if not column.wide]
            rows = [[row[index] for index in shown] for row in block.rows]
            return self._table(rows, [block.columns[index].head for index in shown])
        if isinstance(block, Facts):
            return self._table(list(block.pairs), ("", ""))
        if isinstance(block, Lines):
            return "\n".join(f"- {self._words(line)}" for line in block.lines)
        if isinstance(block, Tree):
            return "\n".join(line for root in block.roots for line in self._branch(root, 0))
        if isinstance(block, Cause):
            return self._cause(block)
        if isinstance(block, Literal):
            return "\n".join(f"    {clean(line)}" for line in block.lines)
        return ""

    def _table(self, rows: Sequence[Sequence[Cell]], heads: Sequence[str]) -> str:
        if not rows:
            return ""
        lines = [heads, ["---"] * len(heads), *([self._words(cell) for cell in row] for row in rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _branch(self, branch: Branch, depth: int) -> Iterator[str]:
        mark = f"{MARKS[branch.status]} " if branch.status is not None else ""
        state = f" {plain(mark + clean(branch.word))}" if mark or branch.word else ""
        notes = "".join(f" · {self._words(note)}" for note in branch.notes)
        age = f" {branch.age}" if branch.age else ""
        yield f"{'  ' * depth}- {self._words(branch.label)}{state}{age}{notes}"
        for child in branch.children:
            yield from self._branch(child, depth + 1)

    def _cause(self, cause: Cause) -> str:
        finding = cause.finding
        mark = MARKS[SEVERITY_STATUS[finding.severity]]
        lines = [f"#### {mark} {finding.code} {self._words(finding.message)}", ""]
        if finding.affected and finding.affected != (finding.subject,):
            lines += [self._words(self._affects(finding.affected)), ""]
        lines += [f"- {self._evidence(item, cause)}" for item in finding.evidence]
        if finding.why is not None:
            lines += ["", self._words(finding.why)]
        if finding.steps:
            lines.append("")
        for step in finding.steps:
            risk = self._words(say(f"explain.risk.{step.risk.value.replace('-', '_')}"))
            told = f" {self._words(step.told)}" if step.told else ""
            lines.append(f"- → \\[{risk}\\]{told}" + (f" {code(step.command)}" if step.command else ""))
        return "\n".join(lines)

    def _affects(self, names: Sequence[str]) -> Message:
        told, more = ", ".join(names[:AFFECTED]), len(names) - AFFECTED
        return say("explain.affected_more", names=told, count=more) if more > 0 else say("explain.affected", names=told)

    def _evidence(self, item: Evidence, cause: Cause) -> str:
        what = " ".join(part for part in (item.source, item.path) if part)
        since = seconds_between(item.at, cause.now)
        age = "" if since is None else f" ({self._words(say('explain.ago', age=human_age(since)))})"
        return f"{code(what)} = {code(item.value)}{age}"

    def _gaps(self, gaps: Sequence[Gap]) -> Iterator[str]:
        if not gaps:
            return
        yield f"## {self._text('chapter.gaps')}"
        yield self._text("gap_note")
        yield "\n".join(
            f"- {code(gap.what)}: {self._words(say(f'common.outcome.{gap.outcome.value}'))}"
            + (f" ({self._words(gap.detail)})" if gap.detail else "")
            for gap in gaps
        )
