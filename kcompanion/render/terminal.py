"""A Document for the terminal: tables in kubectl's style, sentences wrapped to the screen."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate

from kcompanion.model.finding import Finding, Status
from kcompanion.model.message import say
from kcompanion.model.snapshot import Gap
from kcompanion.render import causes
from kcompanion.render.clean import clean
from kcompanion.render.screen import Screen
from kcompanion.render.theme import MARKS, SEVERITY_STATUS
from kcompanion.render.trees import tree
from kcompanion.render.wrap import limited, width, wrap
from kcompanion.report.document import (
    Block,
    Brief,
    Cause,
    Cell,
    Document,
    Facts,
    Lesson,
    Lines,
    Literal,
    Section,
    Table,
    Told,
    Tree,
)

SENTENCE = 16  # columns; what is wider explains itself
VERDICT = 2  # lines of a verdict on a single screen
LEGIBLE = 24  # columns; a text narrower than that reads badly


def render(document: Document, screen: Screen) -> str:
    """The whole document, ending in a line break."""
    parts = [_head(document, screen)]
    parts += [_section(section, screen) for section in document.sections]
    parts.append(_findings(document.findings, screen))
    parts.append(_gaps(document.gaps, screen))
    between = "\n" if document.dense else "\n\n"
    return between.join(part for part in parts if part) + "\n"


def _head(document: Document, screen: Screen) -> str:
    lines: list[str] = []
    if document.title is not None:
        lines += [screen.theme.bold(line) for line in wrap(screen.words(document.title), screen.columns, "  ", "")]
    if document.verdict is not None:
        mark = f"{MARKS[document.status]} " if document.status is not None else ""
        told = wrap(screen.words(document.verdict), screen.columns, "  ", mark)
        told = limited(told, VERDICT if document.dense else 0, screen.columns)
        status = document.status or Status.OK
        lines += [screen.theme.paint(line, status) for line in told]
    for note in document.notes:
        told = wrap(screen.words(note), screen.columns, "  ", "")
        lines += [screen.theme.dim(line) for line in limited(told, 1 if document.dense else 0, screen.columns)]
    return "\n".join(lines)


def _section(section: Section, screen: Screen) -> str:
    blocks = [text for text in (_block(block, screen) for block in section.blocks) if text]
    if not blocks and section.status is None:
        return ""
    mark = ""
    if section.status is not None:
        mark = screen.theme.paint(f"{MARKS[section.status]} ", section.status)
    if section.title is None:
        return "\n".join(blocks)
    columns = screen.columns - (0 if section.status is None else width(MARKS[section.status]) + 1)
    title = "\n".join(wrap(screen.words(section.title), columns, "  ", ""))
    if not blocks:
        return mark + screen.theme.bold(title)
    gap = "\n\n" if isinstance(section.blocks[0], Lesson) else "\n"
    return "\n".join([mark + screen.theme.bold(title), gap.join(blocks)])


def _block(block: Block, screen: Screen) -> str:
    if isinstance(block, Table):
        return table(block, screen)
    if isinstance(block, Facts):
        return _facts(block, screen)
    if isinstance(block, Lines):
        lines = [_flow(line, screen) for line in block.lines]
        return "\n".join(lines)
    if isinstance(block, Brief):
        return "\n".join(_cut(status, line, block.height, screen) for status, line in block.lines)
    if isinstance(block, Cause):
        return causes.in_full(block, screen)
    if isinstance(block, Told):
        return causes.in_short(block, screen)
    if isinstance(block, Tree):
        return tree(block, screen)
    if isinstance(block, Literal):
        return "\n".join(screen.theme.dim(f"  │ {clean(line)}") for line in block.lines)
    return _lesson(block, screen)


def _flow(line: Cell, screen: Screen) -> str:
    return "\n".join(wrap(screen.words(line), screen.columns, "    ", "  "))


def _cut(status: Status | None, line: Cell, height: int, screen: Screen) -> str:
    """A sentence in so many lines; where it had more to say, it ends in an ellipsis."""
    mark = f"  {MARKS[status]} " if status else "  "
    lines = limited(wrap(screen.words(line), screen.columns, "    ", mark), height, screen.columns)
    return "\n".join(screen.theme.paint(one, status) if status else one for one in lines)


def table(block: Table, screen: Screen) -> str:
    """A table without borders; status cells are coloured, everything else is plain.

    On a screen too narrow for it the last column is wrapped where it stands; where there is no room for that either,
    trailing columns go on a line of their own below each row.
    """
    shown = [i for i, column in enumerate(block.columns) if screen.wide or not column.wide]
    rows = [[_painted(row[i], screen) for i in shown] for row in block.rows]
    if not rows:
        return ""
    heads = [block.columns[i].head for i in shown]
    given = heads if screen.headers else []
    if screen.wide or len(shown) < 3 or _fits(_plain(rows, given), screen):
        return "\n".join(_plain(rows, given))
    for kept in range(len(shown) - 1, 0, -1):
        narrow = _plain([row[:kept] for row in rows], given[:kept])
        room = screen.columns - max(width(line) for line in narrow) - 2
        longest = max(width(word) for row in rows for word in (row[-1].split() or [""]))
        if kept == len(shown) - 1 and room >= max(LEGIBLE, longest):
            return _wrapped(rows, given, narrow, screen)
        if _fits(narrow, screen) or kept == 1:
            return _below(rows, heads, narrow, kept, screen)
    raise AssertionError("a table of three columns has a first one")


def _fits(lines: Sequence[str], screen: Screen) -> bool:
    return max(width(line) for line in lines) <= screen.columns


def _wrapped(rows: Sequence[Sequence[str]], heads: Sequence[str], narrow: Sequence[str], screen: Screen) -> str:
    """The last column broken into lines beside the others."""
    left = max(width(line) for line in narrow) + 2
    lasts = [*heads[-1:], *(row[-1] for row in rows)]
    lines: list[str] = []
    for line, last in zip(narrow, lasts, strict=True):
        lines += wrap(last, screen.columns, " " * left, line + " " * (left - width(line)))
    return "\n".join(lines)


def _below(
    rows: Sequence[Sequence[str]], heads: Sequence[str], narrow: Sequence[str], kept: int, screen: Screen
) -> str:
    """The columns from `kept` on under each row, with their headings; only a sentence explains itself."""
    columns = list(zip(*rows, strict=True))
    short = [max(map(width, cells)) < SENTENCE or not any(" " in cell for cell in cells) for cells in columns]
    lines = list(narrow[: len(narrow) - len(rows)])
    for line, row in zip(narrow[len(lines) :], rows, strict=True):
        lines.append(line)
        under = [(i, row[i]) for i in range(kept, len(row)) if row[i] != "-"]
        told = " · ".join(f"{heads[i]}: {cell}" if short[i] else cell for i, cell in under)
        lines += wrap(told, screen.columns, " " * 6) if told else []
    return "\n".join(lines)


def _plain(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> list[str]:
    # headings go in as a row: tabulate would pad real ones by two more columns
    whole = [list(heads), *rows] if heads else rows
    printed = tabulate(whole, tablefmt="plain", disable_numparse=True, stralign="left")
    return [f"  {line.rstrip()}" for line in printed.splitlines()]


def _painted(cell: Cell, screen: Screen) -> str:
    text = screen.words(cell)
    return screen.theme.paint(text, cell) if isinstance(cell, Status) else text


def _facts(block: Facts, screen: Screen) -> str:
    """Labels in a column of their own; a long value goes on under its beginning."""
    labels = [screen.words(label) for label, _ in block.pairs]
    left = max((width(label) for label in labels), default=0) + 4
    lines: list[str] = []
    for label, (_, value) in zip(labels, block.pairs, strict=True):
        first = f"  {label}" + " " * (left - width(label) - 2)
        lines += wrap(_painted(value, screen), screen.columns, " " * left, first)
    return "\n".join(lines)


def _lesson(lesson: Lesson, screen: Screen) -> str:
    bar = screen.theme.dim("│ ")
    lines = [bar + screen.theme.bold(screen.words(lesson.title))]
    for paragraph in lesson.paragraphs:
        lines += [bar + line for line in wrap(screen.words(paragraph), min(screen.columns, 100) - 4)]
    return "\n".join(f"  {line}" for line in lines)


def _findings(findings: Sequence[Finding], screen: Screen) -> str:
    if not findings:
        return ""
    lines = [screen.theme.bold(screen.words(say("common.findings", count=len(findings))))]
    for finding in findings:
        status = SEVERITY_STATUS[finding.severity]
        mark = MARKS[status] if status is not Status.NOT_VISIBLE else "ℹ"
        head = f"{finding.code} {clean(finding.subject)}: {screen.words(finding.message)}"
        lines += [screen.theme.paint(line, status) for line in wrap(head, screen.columns, "    ", f"  {mark} ")]
        for item in finding.evidence:
            told = " ".join(part for part in (item.source, item.path) if part)
            value = f" = {clean(item.value)}" if item.value else ""
            lines += wrap(clean(told) + value, screen.columns, "        ", "      ")
        if finding.next_command:
            lines.append(f"      → {clean(finding.next_command)}")
    return "\n".join(lines)


def _gaps(gaps: Sequence[Gap], screen: Screen) -> str:
    decisive = [gap for gap in gaps if gap.decisive]
    if not decisive:
        return ""
    lines = [screen.theme.bold(screen.words(say("common.gaps", count=len(decisive))))]
    for outcome, detail, those in _alike(decisive):
        reason = screen.words(say(f"common.outcome.{outcome}"))
        names = "; ".join(clean(gap.what) for gap in those)
        told = f"{reason}: {names}" + (f" ({clean(detail)})" if detail else "")
        lines += wrap(told, screen.columns, "      ", "  ? ")
        if outcome == "forbidden":
            lines.append(f"      → {screen.words(say('common.ask_doctor'))}")
    return "\n".join(lines)


def _alike(gaps: Sequence[Gap]) -> list[tuple[str, str, list[Gap]]]:
    """Gaps of one reason together; what a refusal or a recording says is in the reason already, other details count."""
    groups: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        detail = "" if gap.outcome.value in ("forbidden", "not_asked") else gap.detail
        groups.setdefault((gap.outcome.value, detail), []).append(gap)
    return [(outcome, detail, those) for (outcome, detail), those in groups.items()]
