"""A Diagram as a Mermaid flowchart: what Markdown on GitHub and in many wikis draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kcompanion.model.message import Message
from kcompanion.render.boxes import GREY, STROKES, words
from kcompanion.render.clean import clean
from kcompanion.render.screen import Screen
from kcompanion.render.theme import MARKS
from kcompanion.report.document import Arrow, Box, Diagram, Frame, Row

_LOOP = "↺"  # before what a box does with others of its own kind
_PLAIN = frozenset(" -_./:,()…◀" + _LOOP + "".join(MARKS.values()))
_BREAK = "<br/>"
_ROOM = '%%{init: {"flowchart": {"wrappingWidth": 460}}}%%'  # facts on one line each, instead of 200 pixels


def mermaid(diagram: Diagram, language: str) -> str:
    """The text of the flowchart, ending in a line break."""
    screen = Screen(language=language)
    boxes = {box.id: _with_loops(box, diagram) for box in diagram.boxes}
    framed = {key for frame in diagram.frames for key in frame.boxes}
    lines = [*([_ROOM] if diagram.frames else []), "flowchart LR"]
    lines += [line for frame in diagram.frames for line in _frame(frame, boxes, screen)]
    lines += [f"  {_box(box, screen)}" for box in boxes.values() if box.id not in framed]
    drawn = {(arrow.source, arrow.target) for arrow in diagram.arrows}
    # invisible lines, and before all others: those that point back are turned round when places are given
    lines += [f"  {left} ~~~ {right}" for left, right in diagram.order if (left, right) not in drawn]
    lines += [_arrow(arrow, screen) for arrow in diagram.arrows if arrow.source != arrow.target]
    if diagram.legend:
        lines.append(f'  legend["{_BREAK.join(_told(one, screen) for one in diagram.legend)}"]')
    lines += [f"  class {box.id} {name}" for box in diagram.boxes for name in _classes(box)]
    lines += [f"  class {frame.id} frame" for frame in diagram.frames]
    lines += [f"  classDef {status.value} stroke:{colour}" for status, colour in STROKES.items()]
    lines.append("  classDef asked stroke-width:4px")
    lines.append("  classDef outside stroke-dasharray:4 3")
    if diagram.frames:
        lines.append("  classDef default text-align:left")
        lines.append(f"  classDef frame fill:none,stroke:{GREY}")
    if diagram.legend:
        lines.append("  class legend note")
        lines.append("  classDef note fill:none,stroke:none")
    return "\n".join(lines) + "\n"


def _with_loops(box: Box, diagram: Diagram) -> Box:
    """The box with its lines to itself in words: drawn ones would push a frame's neighbours away."""
    loops = [arrow for arrow in diagram.arrows if arrow.source == arrow.target == box.id]
    rows = [Row([f"{_LOOP} {box.name}", loop.label]) for loop in loops]
    return replace(box, rows=[*box.rows, *rows])


def _frame(frame: Frame, boxes: dict[str, Box], screen: Screen) -> Iterator[str]:
    yield f'  subgraph {frame.id}["{_told(frame.title, screen)}"]'
    yield from (f"    {_box(boxes[key], screen)}" for key in frame.boxes)
    yield "  end"


def _box(box: Box, screen: Screen) -> str:
    return f'{box.id}["{_BREAK.join(_escaped(text) for _, text in words(box, screen))}"]'


def _classes(box: Box) -> Iterator[str]:
    if box.status is not None:
        yield box.status.value
    if box.marked:
        yield "asked"
    if box.outside:
        yield "outside"


def _arrow(arrow: Arrow, screen: Screen) -> str:
    label = _told(arrow.label, screen) if arrow.label else ""
    line = "-->" if arrow.owns else "-.->"
    return f"  {arrow.source} {line}" + (f'|"{label}"|' if label else "") + f" {arrow.target}"


def _told(message: Message, screen: Screen) -> str:
    return _escaped(screen.words(message))


def _escaped(text: str) -> str:
    """Everything but letters, digits and harmless signs as Mermaid's own entities: no quotes, tags or directives."""
    return "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in clean(text))
