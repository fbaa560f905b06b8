"""The architecture as SVG, in the arrangement of the Kubernetes documentation: control plane left, nodes right.

Our own layout and no program: the same picture gives the same bytes. The API server stands between the components
that talk to it and the nodes; every line is a straight or square one, so that two reports can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

from kcompanion.model.finding import Status
from kcompanion.model.message import say
from kcompanion.render.boxes import joined
from kcompanion.render.screen import Screen
from kcompanion.render.svgparts import CELL, END, LETTER, LINE, PAD, STYLE_ELEMENT, cut, long, written
from kcompanion.render.theme import MARKS
from kcompanion.render.wrap import wrap
from kcompanion.report.page import Line, Part, Picture

_WIDEST = 48  # columns of a line in a box; what is longer goes on in a second one
_MARGIN = 16
_FRAME = 16  # between a frame and what it holds
_HEAD = 26  # a frame's title
_GAP = 14  # between boxes
_LINES = 104  # room for lines between the components and the API server
_BUS = 92  # and between the API server and the nodes
_LOOP = 16  # how far etcd's own line reaches out
_COLUMN = 6  # nodes in one column; more stand in two
_BESIDE_WIDEST = 34


@dataclass(frozen=True)
class _Text:
    """A line of text in a box; before it stands the mark of its status."""

    name: str  # its class
    words: str
    status: Status | None = None
    indented: bool = False

    @property
    def indent(self) -> float:
        return 2 * CELL if self.indented or self.status is not None else 0

    @property
    def long(self) -> float:
        return self.indent + long(self.words)


@dataclass(frozen=True)
class _Box:
    """A part on the paper, with its lines of text worked out."""

    part: Part
    texts: tuple[_Text, ...]
    x: float = 0
    y: float = 0
    wide: float = 0
    high: float = 0

    @property
    def right(self) -> float:
        return self.x + self.wide

    @property
    def low(self) -> float:
        return self.y + self.high

    @property
    def middle(self) -> float:
        return self.y + self.high / 2


def svg(picture: Picture, language: str, *, inline: bool = False) -> str:
    """The picture, ending in a line break; `inline` is for a page that has the style and the palette itself."""
    screen = Screen(language=language)
    plane, api = _plane([_measured(part, screen, _WIDEST) for part in picture.plane])
    frame_low = max(box.low for box in (*plane, api)) + _FRAME
    nodes = _nodes([_measured(part, screen, _WIDEST) for part in picture.nodes], api.right + _FRAME + _BUS)
    low = max([frame_low, *(box.low + _FRAME for box in nodes)])
    right = max([api.right + _FRAME, *(box.right + _FRAME for box in nodes)])
    beside = _beside([_measured(part, screen, _BESIDE_WIDEST) for part in picture.beside], low + 44, right)
    bottom = max([low, *(box.low + _FRAME for box in beside)])
    places = {box.part.id: box for box in (*plane, api, *nodes, *beside)}
    lines = [drawn for line in picture.lines for drawn in _line(line, places, nodes, low, screen)]
    body = [
        *_frame(_MARGIN, _MARGIN, api.right + _FRAME, frame_low, screen.words(say("picture.plane"))),
        *(_frame(nodes[0].x - _FRAME, _MARGIN, right, low, screen.words(say("picture.nodes"))) if nodes else ()),
        *(_frame(_MARGIN, low + 14, right, bottom, screen.words(say("picture.beside"))) if beside else ()),
        *(drawn for drawn in lines if drawn.startswith("<path")),
        *(text for box in places.values() for text in _drawn(box)),
        *(drawn for drawn in lines if not drawn.startswith("<path")),  # what is written at lines lies above boxes
        *_legend(bottom + 20, screen),
    ]
    return _whole(picture, body, (right + _MARGIN, bottom + 74), screen, inline=inline)


def _whole(picture: Picture, body: Sequence[str], size: tuple[float, float], screen: Screen, *, inline: bool) -> str:
    wide, high = size
    title = screen.words(picture.title)
    described = screen.words(say("picture.described", count=len(picture.parts)))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" '
            f'height="{high:.0f}" role="img" aria-label={quoteattr(f"{title}. {described}")}>',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(described)}</desc>",
            *([] if inline else [STYLE_ELEMENT]),
            END,
            f'<rect class="paper" width="{wide:.0f}" height="{high:.0f}"/>',
            *body,
            "</svg>\n",
        ]
    )


# ------------------------------------------------------------------------------------------------ boxes


def _measured(part: Part, screen: Screen, widest: int) -> _Box:
    """A part with its lines of text, and the room they take."""
    texts = [_Text("strong", cut(part.name, widest - 2), part.status)]
    if note := joined(part.note, screen):
        texts += [_Text("kind", told) for told in _folded(note, widest)]
    for row in part.rows:
        first, *more = _folded(joined(row.told, screen), widest - 2)
        texts.append(_Text("row", first, row.status, indented=True))
        texts += [_Text("row", told, indented=True) for told in more]
    wide = max(text.long for text in texts) + 2 * PAD
    return _Box(part, tuple(texts), wide=max(wide, 120), high=len(texts) * LINE + 2 * PAD - 4)


def _folded(words: str, widest: int) -> list[str]:
    """At most two lines of text."""
    lines = wrap(words, widest)
    return [cut(lines[0], widest), *([cut(" ".join(lines[1:]), widest)] if len(lines) > 1 else [])]


def _plane(boxes: Sequence[_Box]) -> tuple[list[_Box], _Box]:
    """The components one below the other, and the API server beside them as high as all of them."""
    *others, api = boxes
    left = _MARGIN + _FRAME + _LOOP
    wide = max(box.wide for box in others)
    top = float(_MARGIN + _HEAD + 4)
    placed = []
    for box in others:
        placed.append(replace(box, x=left, y=top, wide=wide))
        top += box.high + _GAP
    whole = max(top - _GAP - placed[0].y, api.high)
    return placed, replace(api, x=left + wide + _LINES, y=placed[0].y, high=whole)


def _nodes(boxes: Sequence[_Box], left: float) -> list[_Box]:
    """Node cards in rows of one or two."""
    count = 1 if len(boxes) <= _COLUMN else 2
    wide = max((box.wide for box in boxes), default=0)
    top = float(_MARGIN + _HEAD + 4)
    placed = []
    for start in range(0, len(boxes), count):
        row = boxes[start : start + count]
        for column, box in enumerate(row):
            x = left + _FRAME + column * (wide + 2 * _GAP)
            placed.append(replace(box, x=x, y=top, wide=wide))
        top += max(box.high for box in row) + _GAP
    return placed


def _beside(boxes: Sequence[_Box], top: float, right: float) -> list[_Box]:
    """Boxes in lines, as many as fit below the frames above."""
    placed: list[_Box] = []
    x, high = float(_MARGIN + _FRAME), 0.0
    for box in boxes:
        if placed and x + box.wide > right - _FRAME:
            x, top, high = float(_MARGIN + _FRAME), top + high + _GAP, 0.0
        placed.append(replace(box, x=x, y=top))
        x += box.wide + _GAP
        high = max(high, box.high)
    return placed


def _frame(x: float, y: float, right: float, low: float, title: str) -> Iterator[str]:
    yield f'<rect class="frame" x="{x:.1f}" y="{y:.1f}" width="{right - x:.1f}" height="{low - y:.1f}" rx="10"/>'
    yield written(title, x + 12, y + 18, "kind")


def _drawn(box: _Box) -> Iterator[str]:
    part = box.part
    names = ["box", *([part.status.value] if part.status is not None else []), *(["outside"] if part.hidden else [])]
    yield f'<g class="{" ".join(names)}">'
    yield f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.wide:.1f}" height="{box.high:.1f}" rx="6"/>'
    for number, text in enumerate(box.texts):
        y = box.y + PAD + 8 + number * LINE
        if text.status is not None:  # the mark has the colour of its status, the words beside it stay legible ink
            yield written(MARKS[text.status], box.x + PAD, y, f"state {text.status.value}")
        yield written(text.words, box.x + PAD + text.indent, y, text.name)
    yield "</g>"


# ------------------------------------------------------------------------------------------------ lines


def _line(line: Line, places: dict[str, _Box], nodes: Sequence[_Box], low: float, screen: Screen) -> Iterator[str]:
    """A line with what is written at it; those to boxes that are not drawn are left out."""
    source, target = places.get(line.source), places.get(line.target)
    told = screen.words(line.told)
    api = places.get("kube-apiserver")
    if api is None or source is None or (not nodes and target is None):
        return
    if target is None:  # the nodes as a whole
        y = _free(api.low - 14, nodes)
        yield _path(line, f"M{api.right:.1f},{y:.1f} H{nodes[0].x - _FRAME:.1f}")
        yield _label(told, api.right - PAD - long(told, LETTER), y + 3)
    elif source is target:
        x, top, end = source.x, source.y + 12, source.low - 12
        yield _path(line, f"M{x:.1f},{top:.1f} h{-_LOOP} V{end:.1f} h{_LOOP}")
    elif source.x >= api.right:
        yield from _from_node(line, source, api, nodes, told)
    elif target.y >= low:
        yield _path(line, _down(api, target, low))
    else:
        left, other = (source, target) if target is api else (target, source)
        y = left.middle
        ends = (left.right, other.x) if target is api else (other.x, left.right)
        yield _path(line, f"M{ends[0]:.1f},{y:.1f} H{ends[1]:.1f}")
        yield _label(told, (left.right + other.x) / 2 - long(told, LETTER) / 2, y - 5)


def _from_node(line: Line, card: _Box, api: _Box, nodes: Sequence[_Box], told: str) -> Iterator[str]:
    """From a node's card to the common way in front of the nodes, and along it to the API server."""
    bus = api.right + _FRAME + _BUS * 0.36
    entry = min(api.low - 34, max(api.y + 14, nodes[0].y + nodes[0].high / 2))
    y = _level(card)
    if card.x > nodes[0].x:  # the second column goes round above its neighbour
        way = f"M{card.x:.1f},{y:.1f} h{-_GAP} V{card.y - _GAP / 2:.1f} H{bus:.1f} V{entry:.1f} H{api.right:.1f}"
        yield _path(line, way)
        return
    yield _path(line, f"M{card.x:.1f},{y:.1f} H{bus:.1f} V{entry:.1f} H{api.right:.1f}")
    yield _label(told, card.x - _FRAME - 6 - long(told, LETTER), y - 5)


def _level(card: _Box) -> float:
    """How high a node's line leaves its card."""
    return card.y + PAD + 2 * LINE + 4


def _free(y: float, nodes: Sequence[_Box]) -> float:
    """The height, or the next above it that runs through no node's line and no time written at one."""
    levels = [_level(card) for card in nodes if card.x == nodes[0].x]
    while taken := [level for level in levels if level - 16 < y < level + 5]:
        y = min(taken) - 16
    return y


def _down(api: _Box, target: _Box, low: float) -> str:
    """From the API server out of the control plane, to a box beside."""
    x = api.x + api.wide / 2
    return f"M{x:.1f},{api.low:.1f} V{low + 7:.1f} H{target.x + 20:.1f} V{target.y:.1f}"


def _path(line: Line, way: str) -> str:
    return f'<path class="{"owns pointing" if line.proved else "other"}" d="{way}"/>'


def _label(words: str, x: float, y: float) -> str:
    return written(words, x, y, "label", LETTER)


def _legend(y: float, screen: Screen) -> Iterator[str]:
    signs = (("owns pointing", "solid"), ("other", "dashed"))
    for number, (name, word) in enumerate(signs):
        at = y + 14 * number
        yield f'<path class="{name}" d="M{_MARGIN},{at - 3:.1f} h34"/>'
        yield written(screen.words(say(f"picture.legend.{word}")), _MARGIN + 44, at, "label", LETTER)
    told = screen.words(say("picture.legend.hidden"))
    yield f'<g class="box outside"><rect x="{_MARGIN}" y="{y + 20:.1f}" width="34" height="11" rx="3"/></g>'
    yield written(told, _MARGIN + 44, y + 29, "label", LETTER)
