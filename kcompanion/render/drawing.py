"""A report's picture as SVG, whichever it is: the architecture, or a map of owners."""

from __future__ import annotations

from kcompanion.render import svgpicture, svgtree
from kcompanion.report.document import Diagram
from kcompanion.report.page import Picture


def svg(drawn: Picture | Diagram, language: str, *, inline: bool = False) -> str:
    """The picture, ending in a line break; `inline` is for a page that has the style and the palette itself."""
    if isinstance(drawn, Picture):
        return svgpicture.svg(drawn, language, inline=inline)
    return svgtree.svg(drawn, language, inline=inline)
