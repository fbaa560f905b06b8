"""Draws what kcompanion prints as SVG pictures: `python tools/cast.py` (or `make docs`) writes docs/img/*.svg.

The output is real: each picture runs the command on a shipped recording. Nothing is fetched, no font is embedded, and
the same recording gives the same bytes, so `--check` can tell a picture of yesterday's output.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from wcwidth import wcwidth

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "img"
COLUMNS = 96


@dataclass(frozen=True)
class Cast:
    """One picture: its file name without suffix, what it shows, and the command after `kcompanion`.

    `paragraphs` is how many of the output's paragraphs it shows (0: all); an ellipsis stands for the rest.
    """

    name: str
    title: str
    command: str
    paragraphs: int = 0
    columns: int = COLUMNS


CASTS = (
    Cast(
        "explain.en",
        "Why a Deployment has no pods",
        "explain deployment web -n demo-kc5148 --from demo:faulty --lang en",
        2,
    ),
    Cast(
        "explain.ko",
        "디플로이먼트에 파드가 없는 까닭",
        "explain deployment web -n demo-kc5148 --from demo:faulty --lang ko",
        2,
    ),
    Cast("health.en", "What is wrong in a cluster", "health --from demo:faulty --lang en"),
    Cast("health.ko", "클러스터의 문제", "health --from demo:faulty --lang ko"),
    Cast("one-down.en", "The control plane with one node stopped", "controlplane --from demo:ha-one-down --lang en", 2),
    Cast("one-down.ko", "노드 하나가 멈춘 컨트롤 플레인", "controlplane --from demo:ha-one-down --lang ko", 2),
    Cast(
        "tree.en",
        "Who owns whom, after a node was lost",
        "tree deployment/web -n shop --from demo:shop-node-lost --lang en",
    ),
    Cast("tree.ko", "노드를 잃은 뒤의 소유 관계", "tree deployment/web -n shop --from demo:shop-node-lost --lang ko"),
    Cast("etcd.en", "etcd with one member lost", "controlplane etcd --from demo:ha-one-down --lang en"),
    Cast("etcd.ko", "멤버 하나를 잃은 etcd", "controlplane etcd --from demo:ha-one-down --lang ko"),
)

# ---------------------------------------------------------------------------------- reading the terminal


@dataclass(frozen=True)
class Style:
    """How a cell looks: a colour name of the palette, bold, dim."""

    colour: str = ""
    bold: bool = False
    dim: bool = False


@dataclass(frozen=True)
class Run:
    """Text of one style and one width of character, and the column it starts in."""

    column: int
    text: str
    style: Style
    cells: int


PLAIN = Style()
_COLOURS = {31: "red", 32: "green", 33: "yellow", 35: "magenta", 36: "cyan"}
_SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m")


def styled(line: str) -> Iterator[tuple[str, Style]]:
    """Every character of a line with its style; colour sequences themselves are gone."""
    style, place = PLAIN, 0
    for match in _SEQUENCE.finditer(line):
        yield from ((char, style) for char in line[place : match.start()])
        style, place = _changed(style, match[1]), match.end()
    yield from ((char, style) for char in line[place:])


def _changed(style: Style, numbers: str) -> Style:
    for number in (int(word or 0) for word in numbers.split(";")):
        if number == 0:
            style = PLAIN
        elif number in (1, 2):
            style = Style(style.colour, style.bold or number == 1, style.dim or number == 2)
        elif number in _COLOURS:
            style = Style(_COLOURS[number], style.bold, style.dim)
        else:
            raise ValueError(f"no picture knows the colour sequence {number}")
    return style


def runs(line: str) -> list[Run]:
    """A line cut where style or width of character changes, without the spaces between the parts."""
    cells: list[tuple[int, str, Style, int]] = []
    column = 0
    for char, style in styled(line):
        wide = max(0, wcwidth(char))
        cells.append((column, char, style, wide))
        column += wide
    found: list[Run] = []
    for (style, wide, space), group in groupby(cells, key=lambda cell: (cell[2], cell[3], cell[1] == " ")):
        part = list(group)
        if not space:
            found.append(Run(part[0][0], "".join(cell[1] for cell in part), style, wide * len(part)))
    return found


# ------------------------------------------------------------------------------------------- drawing

FONTS = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', D2Coding, "
    "'Nanum Gothic Coding', 'Noto Sans Mono CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', monospace"
)
SIZE, CELL, LEADING = 14.0, 8.4, 20.0
WIDE_SIZE = 16  # two cells are wider than a Hangul syllable of the ordinary size: words would fall apart
PAD, BAR = 18.0, 34.0
# name: (on light, on dark). Every one of them has a contrast of 4.5 or more to its ground.
PALETTE = {
    "ground": ("#fbfbfa", "#16181d"),
    "edge": ("#d0d4da", "#343a46"),
    "text": ("#24292f", "#d7dce4"),
    "dim": ("#626b76", "#949daa"),
    "red": ("#b91c1c", "#ff8a80"),
    "green": ("#1a7431", "#6fd68a"),
    "yellow": ("#8a5300", "#f0b95a"),
    "magenta": ("#8b2a94", "#de9bea"),
    "cyan": ("#0b6a75", "#69cfdb"),
}


def svg(cast: Cast, output: str) -> str:
    """The picture of a command line and its output."""
    lines = shown(output, cast.paragraphs).split("\n")
    width = 2 * PAD + CELL * cast.columns
    height = BAR + 2 * PAD + LEADING * (len(lines) + 2) - 8
    told = f"kcompanion {cast.command}"
    prompt = text(Run(0, "$", Style(dim=True), 1), 0) + text(Run(2, told, Style(bold=True), len(told)), 0)
    body = [text(run, row) for row, line in enumerate(lines, 2) for run in runs(line)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(cast.title)}" '
            f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">',
            f"<title>{escape(cast.title)}: {escape(told)}</title>",
            f"<style>{styles()}</style>",
            f'<rect class="ground" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>',
            *(f'<circle class="edge" cx="{PAD + 4 + 16 * i:g}" cy="18" r="5"/>' for i in range(3)),
            f"<g>{prompt}",
            *body,
            "</g>",
            "</svg>\n",
        ]
    )


def shown(output: str, paragraphs: int) -> str:
    """The first paragraphs of an output, all of them when there are no more."""
    parts = output.rstrip("\n").split("\n\n")
    if not 0 < paragraphs < len(parts):
        return "\n\n".join(parts)
    return "\n\n".join([*parts[:paragraphs], "\x1b[2m…\x1b[0m"])


def text(run: Run, row: int) -> str:
    """The run at its place; `textLength` keeps the columns whatever font the reader has."""
    x = PAD + CELL * run.column
    y = BAR + PAD + LEADING * row
    names = [name for name, on in (("b", run.style.bold), ("d", run.style.dim)) if on]
    names += ["w"] if run.cells == 2 * len(run.text) else []
    names += [run.style.colour] if run.style.colour else []
    kind = f' class="{" ".join(names)}"' if names else ""
    length = f' textLength="{CELL * run.cells:.5g}"' if run.cells > 1 else ""
    return f'<text x="{x:.5g}" y="{y:g}"{kind}{length}>{escape(run.text, quote=False)}</text>'


def styles() -> str:
    """The style sheet that every picture of a terminal has."""
    light, dark = (_rules(i) for i in range(2))
    return (
        f"text{{font:{SIZE:g}px {FONTS};white-space:pre}}.b{{font-weight:700}}.w{{font-size:{WIDE_SIZE}px}}"
        f"{light}@media(prefers-color-scheme:dark){{{dark}}}"
    )


def _rules(scheme: int) -> str:
    """The colours of one scheme; a class that stands later wins, so colours come after dim."""
    value = {name: pair[scheme] for name, pair in PALETTE.items()}
    named = "".join(f".{name}{{fill:{value[name]}}}" for name in _COLOURS.values())
    return (
        f".ground{{fill:{value['ground']};stroke:{value['edge']}}}.edge{{fill:{value['edge']}}}"
        f"text{{fill:{value['text']}}}.d{{fill:{value['dim']}}}{named}"
    )


# ------------------------------------------------------------------------------------------- running


def printed(cast: Cast) -> str:
    """What the command prints on a terminal of that width, in colour, whatever this machine's settings are."""
    done = subprocess.run(
        [sys.executable, "-m", "kcompanion", *cast.command.split(), "--color", "always"],
        cwd=ROOT,
        env={"PATH": os.defpath, "COLUMNS": str(cast.columns), "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"kcompanion {cast.command} ended with {done.returncode}:\n{done.stderr}")
    if "\x1b[" not in done.stdout:
        raise SystemExit(f"kcompanion {cast.command} --color always printed no colour")
    return done.stdout


def draw(casts: Iterable[Cast], *, check: bool) -> int:
    """Writes the pictures, or with `check` only tells which of them are out of date."""
    stale = 0
    for cast in casts:
        file = IMAGES / f"{cast.name}.svg"
        picture = svg(cast, printed(cast))
        if file.is_file() and file.read_text(encoding="utf-8") == picture:
            continue
        stale += 1
        print(f"{'stale' if check else 'written'}: {file.relative_to(ROOT)}")
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(picture, encoding="utf-8")
    return int(check and stale > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a picture is out of date")
    return draw(CASTS, check=parser.parse_args().check)


if __name__ == "__main__":
    sys.exit(main())
