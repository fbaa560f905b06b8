"""A Diagram in Graphviz's language. Graphviz itself is not needed to write it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompanion.render.boxes import GREY, STROKES, words
from kcompanion.render.clean import clean
from kcompanion.render.screen import Screen
from kcompanion.report.document import Arrow, Box, Diagram, Frame

_CLUSTER = "cluster_"  # Graphviz draws a frame round a subgraph whose name begins so


def dot(diagram: Diagram, language: str) -> str:
    """The text of the graph, ending in a line break."""
    screen = Screen(language=language)
    boxes = {box.id: box for box in diagram.boxes}
    framed = {key for frame in diagram.frames for key in frame.boxes}
    heading = _lines([screen.words(told) for told in (diagram.title, *diagram.legend)], left=True)
    lines = [
        "digraph kcompanion {",
        f"  rankdir=LR; fontname=sans; fontsize=11; labeljust=l; label={heading};",
        "  node [shape=box, style=rounded, fontname=sans, fontsize=11];",
        "  edge [fontname=sans, fontsize=9];",
    ]
    lines += [line for frame in diagram.frames for line in _frame(frame, boxes, screen)]
    lines += [f"  {_box(box, screen)}" for box in diagram.boxes if box.id not in framed]
    lines += [_arrow(arrow, diagram, screen) for arrow in diagram.arrows]
    tied = {end for arrow in diagram.arrows for end in ((arrow.source, arrow.target), (arrow.target, arrow.source))}
    lines += [f"  {left} -> {right} [style=invis];" for left, right in diagram.order if (left, right) not in tied]
    return "\n".join([*lines, "}"]) + "\n"


def _frame(frame: Frame, boxes: dict[str, Box], screen: Screen) -> Iterator[str]:
    yield f"  subgraph {_CLUSTER}{frame.id} {{"
    yield f'    label={_lines([screen.words(frame.title)])}; style=rounded; color="{GREY}";'
    yield from (f"    {_box(boxes[key], screen)}" for key in frame.boxes)
    yield "  }"


def _box(box: Box, screen: Screen) -> str:
    given = [f"label={_lines([text for _, text in words(box, screen)], left=bool(box.rows))}"]
    if box.status is not None:
        given.append(f'color="{STROKES[box.status]}"')
    if box.marked:
        given.append("penwidth=3")
    if box.outside:
        given.append('style="rounded,dashed"')
    return f"{box.id} [{', '.join(given)}];"


def _arrow(arrow: Arrow, diagram: Diagram, screen: Screen) -> str:
    ends = [arrow.source, arrow.target]
    given = [f"label={_lines([screen.words(arrow.label)])}"] if arrow.label else []
    if not arrow.owns:
        given += ["style=dashed", "constraint=false" if arrow.bent else "constraint=true"]
    if (arrow.target, arrow.source) in diagram.order:  # the way it is drawn decides who stands left
        ends.reverse()
        given.append("dir=back")
    return f"  {' -> '.join(ends)}" + (f" [{', '.join(given)}]" if given else "") + ";"


def _lines(texts: Sequence[str], *, left: bool = False) -> str:
    r"""A quoted label; `\l` ends a line that begins at the left, `\n` one in the middle."""
    return '"' + (r"\l" if left else r"\n").join(_escaped(text) for text in texts) + (r"\l" if left else "") + '"'


def _escaped(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')
