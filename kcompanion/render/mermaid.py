"""A Diagram as a Mermaid flowchart: what Markdown on GitHub and in many wikis draws."""

from __future__ import annotations

from kcompanion.model.finding import Status
from kcompanion.render.clean import clean
from kcompanion.render.theme import MARKS
from kcompanion.report.document import Arrow, Box, Diagram
from kcompanion.text.catalog import phrase

# Readable on light and on dark paper; the mark in the label says the same without colour.
_STROKES = {
    Status.OK: "#2e8b57",
    Status.WARN: "#c98a00",
    Status.FAIL: "#d1343f",
    Status.UNKNOWN: "#8a5bd6",
    Status.NOT_VISIBLE: "#808080",
}
_PLAIN = frozenset(" -_./:,()…◀" + "".join(MARKS.values()))


def mermaid(diagram: Diagram, language: str) -> str:
    """The text of the flowchart, ending in a line break."""
    lines = ["flowchart LR"]
    lines += [_box(box) for box in diagram.boxes]
    lines += [_arrow(arrow, language) for arrow in diagram.arrows]
    lines += [f"  classDef {status.value} stroke:{colour}" for status, colour in _STROKES.items()]
    lines.append("  classDef asked stroke-width:4px")
    lines.append("  classDef outside stroke-dasharray:4 3")
    return "\n".join(lines) + "\n"


def _box(box: Box) -> str:
    mark = f"{MARKS[box.status]} " if box.status is not None else ""
    state = f"{mark}{box.word}".strip()
    words = [box.kind, box.name + (" ◀" if box.marked else ""), state]
    label = "<br/>".join(_escaped(word) for word in words if word)
    classes = [box.status.value if box.status else "", "asked" if box.marked else "", "outside" if box.outside else ""]
    styled = "".join(f"\n  class {box.id} {name}" for name in classes if name)
    return f'  {box.id}["{label}"]{styled}'


def _arrow(arrow: Arrow, language: str) -> str:
    label = _escaped(phrase(arrow.label, language, clean)) if arrow.label else ""
    line = "-->" if arrow.owns else "-.->"
    return f"  {arrow.source} {line}" + (f'|"{label}"|' if label else "") + f" {arrow.target}"


def _escaped(text: str) -> str:
    """Everything but letters, digits and harmless signs as Mermaid's own entities: no quotes, tags or directives."""
    return "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in clean(text))
