"""A Diagram in Graphviz's language. Graphviz itself is not needed to write it."""

from __future__ import annotations

from kcompanion.model.finding import Status
from kcompanion.render.clean import clean
from kcompanion.render.theme import MARKS
from kcompanion.report.document import Arrow, Box, Diagram
from kcompanion.text.catalog import phrase

_COLOURS = {
    Status.OK: "#2e8b57",
    Status.WARN: "#c98a00",
    Status.FAIL: "#d1343f",
    Status.UNKNOWN: "#8a5bd6",
    Status.NOT_VISIBLE: "#808080",
}


def dot(diagram: Diagram, language: str) -> str:
    """The text of the graph, ending in a line break."""
    lines = [
        "digraph tree {",
        "  rankdir=LR;",
        f"  label={_quoted(phrase(diagram.title, language, clean))};",
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
        '  edge [fontname="sans-serif", fontsize=9];',
    ]
    lines += [_box(box) for box in diagram.boxes]
    lines += [_arrow(arrow, language) for arrow in diagram.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _box(box: Box) -> str:
    mark = f"{MARKS[box.status]} " if box.status is not None else ""
    words = [box.kind, box.name + (" ◀" if box.marked else ""), f"{mark}{box.word}".strip()]
    label = '"' + r"\n".join(_escaped(word) for word in words if word) + '"'
    given = [f"label={label}"]
    if box.status is not None:
        given.append(f'color="{_COLOURS[box.status]}"')
    if box.marked:
        given.append("penwidth=3")
    if box.outside:
        given.append('style="rounded,dashed"')
    return f"  {box.id} [{', '.join(given)}];"


def _arrow(arrow: Arrow, language: str) -> str:
    given = [f"label={_quoted(phrase(arrow.label, language, clean))}"] if arrow.label else []
    if not arrow.owns:
        given += ["style=dashed", "constraint=false" if arrow.bent else "constraint=true"]
    return f"  {arrow.source} -> {arrow.target}" + (f" [{', '.join(given)}]" if given else "") + ";"


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')
