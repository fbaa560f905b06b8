"""A Diagram as SVG: our own layout, no program needed, the same bytes every time, light or dark as the page is.

Every depth of the tree is a column; leaves stand one below the other, an owner in the middle of what it owns. What
stands outside the tree has a last column of its own, tied by dashed lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from kcompanion.render.boxes import words
from kcompanion.render.clean import clean
from kcompanion.render.screen import Screen
from kcompanion.render.svgparts import CELL, END, LETTER, LINE, PAD, STYLE_ELEMENT
from kcompanion.render.wrap import width
from kcompanion.report.document import Arrow, Box, Diagram
from kcompanion.text.catalog import phrase

_GAP_X, _GAP_Y = 64, 12
_GAP_OUT = 190  # room for what is written at a dashed line
_MARGIN = 20
_LEGEND = 28


@dataclass(frozen=True)
class _Place:
    """A box on the paper: upper left corner and size, in pixels."""

    x: float
    y: float
    wide: float
    high: float

    @property
    def middle(self) -> float:
        return self.y + self.high / 2


def svg(diagram: Diagram, language: str, *, inline: bool = False) -> str:
    """The picture, ending in a line break; `inline` is for a page that has the style and the palette itself."""
    screen = Screen(language=language)
    places = _layout(diagram, screen)
    right = max((place.x + place.wide for place in places.values()), default=200) + _MARGIN
    low = max((place.y + place.high for place in places.values()), default=40) + _MARGIN
    title = escape(phrase(diagram.title, language, clean))
    right = max(right, width(title) * CELL + 2 * _MARGIN)
    by_id = {box.id: box for box in diagram.boxes}
    body = [_arrow(arrow, places) for arrow in diagram.arrows]
    body += _labels(diagram, places, language)
    body += [_box(by_id[key], place, screen) for key, place in places.items()]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:.0f} {low:.0f}" '
            f'width="{right:.0f}" height="{low:.0f}" role="img" aria-label="{_attribute(title)}">',
            f"<title>{title}</title>",
            "" if inline else STYLE_ELEMENT,
            END,
            f'<rect class="paper" width="{right:.0f}" height="{low:.0f}"/>',
            f'<text x="{_MARGIN}" y="{_MARGIN + 6}">{title}</text>',
            *body,
            "</svg>\n",
        ]
    )


def _size(box: Box, screen: Screen) -> tuple[float, float]:
    lines = words(box, screen)
    return max(width(text) for _, text in lines) * CELL + 2 * PAD, len(lines) * LINE + 2 * PAD - 4


def _layout(diagram: Diagram, screen: Screen) -> dict[str, _Place]:
    """Where each box stands, in the order of the boxes."""
    inside = [box for box in diagram.boxes if not box.outside]
    children: dict[str, list[str]] = {}
    parents: dict[str, str] = {}
    for arrow in diagram.arrows:
        if arrow.owns and not arrow.bent and arrow.target not in parents:
            parents[arrow.target] = arrow.source
            children.setdefault(arrow.source, []).append(arrow.target)
    depths = _depths([box.id for box in inside], parents)
    sizes = {box.id: _size(box, screen) for box in diagram.boxes}
    lefts = _columns(depths, sizes)
    tops = _rows([box.id for box in inside], parents, children, sizes)
    places = {key: _Place(lefts[depths[key]], tops[key], *sizes[key]) for key in tops}
    right = max((place.x + place.wide for place in places.values()), default=float(_MARGIN))
    for column in _outside(diagram):
        left, top = right + _GAP_OUT, float(_MARGIN + _LEGEND)
        for key in column:
            places[key] = _Place(left, top, *sizes[key])
            top += sizes[key][1] + _GAP_Y
            right = max(right, left + sizes[key][0])
    return {box.id: places[box.id] for box in diagram.boxes}


def _outside(diagram: Diagram) -> list[list[str]]:
    """What stands outside the tree, in columns by how many ties it is away from it."""
    left = [box.id for box in diagram.boxes if box.outside]
    reached = {box.id for box in diagram.boxes if not box.outside}
    columns: list[list[str]] = []
    while left:
        ends = [(arrow.source, arrow.target) for arrow in diagram.arrows]
        near = {a for a, b in ends if b in reached} | {b for a, b in ends if a in reached}
        column = [key for key in left if key in near] or left  # what is tied to nothing comes last
        columns.append(column)
        reached |= {*column}
        left = [key for key in left if key not in reached]
    return columns


def _depths(keys: Sequence[str], parents: Mapping[str, str]) -> dict[str, int]:
    depths: dict[str, int] = {}
    for key in keys:  # parents come first
        depths[key] = depths.get(parents[key], -1) + 1 if key in parents else 0
    return depths


def _columns(depths: Mapping[str, int], sizes: Mapping[str, tuple[float, float]]) -> dict[int, float]:
    """The left edge of each depth's column."""
    lefts: dict[int, float] = {}
    left = float(_MARGIN)
    for depth in range(max(depths.values(), default=0) + 1):
        lefts[depth] = left
        left += max((sizes[key][0] for key, at in depths.items() if at == depth), default=0.0) + _GAP_X
    return lefts


def _rows(
    keys: Sequence[str],
    parents: Mapping[str, str],
    children: Mapping[str, Sequence[str]],
    sizes: Mapping[str, tuple[float, float]],
) -> dict[str, float]:
    """The upper edge of each box: leaves one below the other, parents centred, children never above their place."""
    tops: dict[str, float] = {}
    free = float(_MARGIN + _LEGEND)
    for key in reversed(_post_order(keys, parents, children)):
        tops[key] = 0.0
    for key in _post_order(keys, parents, children):
        below = [child for child in children.get(key, ()) if child in tops]
        if below:
            middles = [tops[child] + sizes[child][1] / 2 for child in below]
            tops[key] = (middles[0] + middles[-1]) / 2 - sizes[key][1] / 2
        else:
            tops[key] = free
        free = max(free, tops[key] + sizes[key][1] + _GAP_Y)
    return tops


def _post_order(keys: Sequence[str], parents: Mapping[str, str], children: Mapping[str, Sequence[str]]) -> list[str]:
    """Children before their owners, in the order of the tree."""
    order: list[str] = []
    for root in (key for key in keys if key not in parents):
        waiting = [root]
        found: list[str] = []
        while waiting:
            key = waiting.pop()
            found.append(key)
            waiting += children.get(key, ())
        order += reversed(found)
    return order


def _box(box: Box, place: _Place, screen: Screen) -> str:
    classes = ["box"]
    classes += [box.status.value] if box.status is not None else []
    classes += [word for word, on in (("asked", box.marked), ("outside", box.outside)) if on]
    lines = [
        f'<g class="{" ".join(classes)}">',
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.wide:.1f}" height="{place.high:.1f}" rx="6"/>',
    ]
    for number, (name, text) in enumerate(words(box, screen)):
        y = place.y + PAD + 8 + number * LINE
        # the width is given: whatever font draws it, the text ends where the box does
        lines.append(
            f'<text class="{name}" x="{place.x + PAD:.1f}" y="{y:.1f}" textLength="{width(text) * CELL:.1f}" '
            f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
        )
    return "\n".join([*lines, "</g>"])


def _arrow(arrow: Arrow, places: Mapping[str, _Place]) -> str:
    source, target = places[arrow.source], places[arrow.target]
    forward = source.x <= target.x
    x1 = source.x + source.wide if forward else source.x
    x2 = target.x if forward else target.x + target.wide
    y1, y2 = source.middle, target.middle
    bend = (x1 + x2) / 2
    path = f"M{x1:.1f},{y1:.1f} C{bend:.1f},{y1:.1f} {bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    return f'<path class="{"owns" if arrow.owns else "other"}" d="{path}"/>'


def _labels(diagram: Diagram, places: Mapping[str, _Place], language: str) -> list[str]:
    """What is written at lines: once for each word at the box further out, where like lines meet."""
    words: dict[str, dict[str, None]] = {}
    for arrow in diagram.arrows:
        if arrow.label is not None:
            outer = max((arrow.target, arrow.source), key=lambda key: places[key].x)
            words.setdefault(outer, {}).setdefault(phrase(arrow.label, language, clean))
    return [_label(text, places[key], row) for key, texts in words.items() for row, text in enumerate(texts)]


def _label(text: str, place: _Place, row: int) -> str:
    long = width(text) * CELL * LETTER
    x, y = place.x - long - 8, place.middle - 5 - row * 12
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}" textLength="{long:.1f}">{escape(text)}</text>'


def _attribute(escaped: str) -> str:
    return escaped.replace('"', "&quot;")
