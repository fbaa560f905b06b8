"""Draws `make demo` as a moving picture for the READMEs: `python tools/film.py` (or `make docs`)
writes docs/img/demo.*.svg.

The steps are read from demo/demo.sh and their commands run, so the film cannot show anything but the demo's own
output. It is one SVG without a script: CSS shows one step after the other and moves what is longer than the screen.
Who prefers reduced motion, or has a viewer that moves nothing, sees the first step.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wcwidth import wcwidth

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that `python tools/film.py` finds this checkout

from tools import cast, excerpts  # noqa: E402 - after the path

COLUMNS, ROWS = 80, 30
READ, PER_ROW, MOVE = 3.5, 0.16, 1.4  # seconds: for any step, for each row of it, and for moving to its end
TITLES = {"en": "make demo: kcompanion on recorded clusters", "ko": "make demo: 기록된 클러스터로 보는 kcompanion"}
MORE = {"en": "more lines", "ko": "줄 더 있음"}  # as demo/stage.sh has it


@dataclass(frozen=True)
class Step:
    """A step of the demo: its headline, its command after `kcompanion`, and how many lines of output it shows."""

    headline: str
    command: str
    most: int


@dataclass(frozen=True)
class Scene:
    """A step with what it prints, and when it is shown, in seconds from the beginning."""

    lines: Sequence[str]
    start: float
    end: float

    @property
    def hidden(self) -> int:
        """Rows below the screen."""
        return max(0, len(self.lines) - ROWS)


def steps(language: str) -> list[Step]:
    """The demo's steps that show a command's output on recordings."""
    script = (ROOT / "demo" / "demo.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    found: list[Step] = []
    headline = ""
    for line in script.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["say"]:
            headline = words[1 if language == "en" else 2]
        elif words[:1] == ["show"] and "-O" not in words:  # a file has nothing to show here
            found.append(Step(headline, shlex.join(words[2:]), int(words[1])))
    return found


def scenes(language: str) -> Iterator[Scene]:
    """Every step with the output it has today."""
    start = 0.0
    for number, step in enumerate(steps(language), 1):
        words = f"{step.command} --color always"
        printed = excerpts.printed(words, language, COLUMNS).rstrip("\n").split("\n")
        shown = printed[: step.most or None]
        left = len(printed) - len(shown)
        lines = [
            f"\x1b[1m{number}. {step.headline}\x1b[0m",
            f"\x1b[2m$\x1b[0m \x1b[36mkcompanion {step.command}\x1b[0m",
            "",
            *(row for line in shown for row in folded(line)),
            *([f"\x1b[2m  … {left} {MORE[language]}\x1b[0m"] if left else []),
        ]
        scene = Scene(lines, start, start)
        lasts = READ + PER_ROW * len(lines) + (MOVE if scene.hidden else 0)
        yield Scene(lines, start, start + lasts)
        start += lasts


def folded(line: str) -> Iterator[str]:
    """The line as a terminal shows it: what is too long for a row goes on in the next one, in the same style."""
    row, used, style = "", 0, ""
    for part in re.findall(r"\x1b\[[\d;]*m|.", line):
        cells = 0 if part.startswith("\x1b") else max(0, wcwidth(part))
        if used + cells > COLUMNS:
            yield row
            row, used = style, 0
        if part.startswith("\x1b"):
            style = "" if part in ("\x1b[m", "\x1b[0m") else style + part
        row, used = row + part, used + cells
    yield row


def svg(language: str) -> str:
    """The film, ending in a line break."""
    film = list(scenes(language))
    width = 2 * cast.PAD + cast.CELL * COLUMNS
    height = cast.BAR + 2 * cast.PAD + cast.LEADING * ROWS - 8
    title = escape(TITLES[language])
    told = " · ".join(step.headline for step in steps(language))
    top = cast.BAR + 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" lang="{language}" '
            f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">',
            f"<title>{title}</title>",
            f"<desc>{escape(told)}</desc>",
            f"<style>{cast.styles()}{_motion(film)}</style>",
            f'<clipPath id="screen"><rect y="{top:g}" width="{width:g}" height="{height - top - 4:g}"/></clipPath>',
            f'<rect class="ground" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>',
            *(f'<circle class="edge" cx="{cast.PAD + 4 + 16 * i:g}" cy="18" r="5"/>' for i in range(3)),
            '<g clip-path="url(#screen)">',
            *(line for number, scene in enumerate(film) for line in _drawn(number, scene)),
            "</g>",
            "</svg>\n",
        ]
    )


def _drawn(number: int, scene: Scene) -> Iterator[str]:
    yield f'<g class="scene s{number}">'
    for row, line in enumerate(scene.lines):
        yield from (cast.text(run, row) for run in cast.runs(line))
    yield "</g>"


def _motion(film: Sequence[Scene]) -> str:
    """One animation shows a scene in its time; another, where it is longer than the screen, moves it to its end."""
    whole = film[-1].end

    def at(second: float) -> str:
        return f"{100 * second / whole:.5g}%"

    rules = []
    for number, scene in enumerate(film):
        before = "" if number == 0 else "0%{visibility:hidden}"
        frames = f"{before}{at(scene.start)}{{visibility:visible}}{at(scene.end)}{{visibility:hidden}}"
        names = [f"v{number} {whole:g}s step-end infinite"]
        rules.append(f"@keyframes v{number}{{{frames}}}")
        if scene.hidden:
            rest = scene.end - PER_ROW * scene.hidden - READ / 2
            down = f"translateY({-cast.LEADING * scene.hidden:g}px)"
            ways = f"0%,{at(rest - MOVE)}{{transform:none}}{at(rest)},100%{{transform:{down}}}"
            names.append(f"y{number} {whole:g}s ease-in-out infinite")
            rules.append(f"@keyframes y{number}{{{ways}}}")
        rules.append(f".s{number}{{animation:{','.join(names)}}}")
    moving = f"@media(prefers-reduced-motion:no-preference){{{''.join(rules)}}}"
    return f".scene{{visibility:hidden}}.s0{{visibility:visible}}{moving}"


def write(*, check: bool) -> int:
    """Writes the films; with `check` only tells which of them are out of date."""
    stale = 0
    for language in TITLES:
        file = cast.IMAGES / f"demo.{language}.svg"
        drawn = svg(language)
        if file.is_file() and file.read_text(encoding="utf-8") == drawn:
            continue
        stale += 1
        print(f"{'stale' if check else 'written'}: {file.relative_to(ROOT)}")
        if not check:
            file.write_text(drawn, encoding="utf-8")
    return int(check and stale > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw make demo as a moving picture.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a film is out of date")
    return write(check=parser.parse_args().check)


if __name__ == "__main__":
    sys.exit(main())
