"""What our pictures share: sizes of letters, the palette for light and dark, and the style of boxes and lines.

Text is given its width: whatever font draws it, it ends where its box does. A Hangul syllable takes two columns.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from kcompanion.render.clean import clean
from kcompanion.render.wrap import width

CELL = 7.25  # pixels of one column of a monospaced 12 px font
LINE = 16
PAD = 10
LETTER = 0.82  # size of what is written at a line, of a box's
_STATES = ("ok", "warn", "fail", "unknown", "not_visible")
LIGHT = """--paper: #ffffff; --ink: #1c1f23; --soft: #5b6470; --line: #8a94a0; --box: #f6f8fa; --accent: #0b5cad;
    --ok: #1a7f45; --warn: #9a6700; --fail: #c4232f; --unknown: #7544c7; --not_visible: #626b75;"""
DARK = """--paper: #14171a; --ink: #e8eaed; --soft: #a3adb8; --line: #7d8793; --box: #1f242a; --accent: #7cb8ff;
    --ok: #4cc38a; --warn: #e2b340; --fail: #ff7b81; --unknown: #b592f5; --not_visible: #98a2ad;"""
RULES = """
  svg text { font: 12px ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono CJK KR", "D2Coding", monospace;
    fill: var(--ink); }
  .paper { fill: var(--paper); }
  .box rect { fill: var(--box); stroke: var(--line); }
  .kind { fill: var(--soft); }
  .asked rect { stroke-width: 3; }
  .asked .name, svg .strong { font-weight: bold; }
  .outside rect { stroke-dasharray: 4 3; }
  .owns, .other { fill: none; stroke: var(--line); }
  .other { stroke-dasharray: 4 3; }
  .pointing, .other { marker-end: url(#end); }
  .head { fill: var(--line); }
  .frame { fill: none; stroke: var(--line); stroke-opacity: 0.55; }
  svg .label { font-size: 10px; fill: var(--soft); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
""" + "".join(
    f"  .{name} rect {{ stroke: var(--{name}); }} .{name} .state, .box .state.{name} {{ fill: var(--{name}); }}\n"
    for name in _STATES
)
STYLE = f"""
  svg {{ {LIGHT} }}
  @media (prefers-color-scheme: dark) {{
    svg {{ {DARK} }}
  }}{RULES}"""
STYLE_ELEMENT = f"<style>{STYLE}</style>"
END = (
    '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="head" d="M0,0 L8,4 L0,8 z"/></marker></defs>'
)


def cut(words: str, cells: int) -> str:
    """The words on one line, cut to so many columns."""
    told = clean(words)
    if width(told) <= cells:
        return told
    while told and width(told) >= cells:
        told = told[: -max(1, (width(told) - cells) // 2)]
    return told + "…"


def long(words: str, size: float = 1.0) -> float:
    """How long a line of text is, in pixels."""
    return width(words) * CELL * size


def written(words: str, x: float, y: float, name: str, size: float = 1.0) -> str:
    """A line of text of known length."""
    return (
        f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" textLength="{long(words, size):.1f}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(words)}</text>'
    )
