"""The outputs in hand-written pages: runs the commands of the tutorials and puts what they print beneath them.

`python tools/excerpts.py` (or `make docs`) writes, `--check` only tells which blocks are out of date. A block is a
`console` fence whose first line is a command of kcompanion on a shipped recording. A comment before it says which
lines to keep, each by a pattern that has to be there; what is left out becomes `…`:

    <!-- show: ^Quorum ++ / MEMBERS +2 -->
    ```console
    $ kcompanion controlplane etcd --from demo:ha
    ```

`PATTERN` keeps the next line it is found in, `PATTERN +N` also the N lines after it, `PATTERN ++` the rest of its
paragraph. Without a comment everything is kept. A pattern that finds nothing is an error: then the command no longer
says what the page promises.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that `python tools/excerpts.py` finds this checkout

from kcompanion.cli.main import run  # noqa: E402 - after the path

PAGES = {f"docs/{name}.{language}.md": language for name in ("corrections", "tutorial") for language in ("en", "ko")}
# Without one of these words a command asks a live cluster; such a block is kept by hand.
OFFLINE = re.compile(r"--from demo:|^reconcile simulate\b")
COLUMNS = 96
BLOCK = re.compile(
    r"^(?:<!-- show: (?P<show>.+?) -->\n)?```console\n\$ kcompanion (?P<words>.+)\n(?P<output>(?:(?!```).*\n)*)```$",
    re.MULTILINE,
)
LEFT_OUT = "…"


class Stale(Exception):
    """A block that cannot be filled: its command fails, or does not say what the page promises."""


@dataclass(frozen=True)
class Pick:
    """One pattern of a `show` comment: how to find a line, and how many to keep after it (None: the paragraph)."""

    pattern: str
    after: int | None = 0


def picks(show: str) -> list[Pick]:
    """The patterns of a `show` comment."""
    found = []
    for part in show.split(" / "):
        match = re.fullmatch(r"(.+?)(?: \+(\d+|\+))?", part.strip())
        assert match
        number = match[2]
        found.append(Pick(match[1], None if number == "+" else int(number or 0)))
    return found


def kept(output: str, show: str | None) -> list[str]:
    """The lines to print, with `…` where some are left out.

    Raises:
        Stale: a pattern is in no line after the one kept before it.
    """
    lines = output.rstrip("\n").split("\n")
    if show is None:
        return lines
    chosen: list[int] = []
    for pick in picks(show):
        start = chosen[-1] + 1 if chosen else 0
        first = next((i for i in range(start, len(lines)) if re.search(pick.pattern, lines[i])), None)
        if first is None:
            raise Stale(f"no line after {lines[start - 1]!r} has {pick.pattern!r}")
        chosen += range(first, _end(lines, first, pick.after))
    return list(_with_gaps(lines, chosen))


def _end(lines: list[str], first: int, after: int | None) -> int:
    if after is not None:
        return min(first + after + 1, len(lines))
    return next((i for i in range(first, len(lines)) if not lines[i]), len(lines))


def _with_gaps(lines: list[str], chosen: list[int]) -> Iterator[str]:
    """A gap of blank lines alone is no gap worth a mark."""
    previous = -1
    for index in [*chosen, len(lines)]:
        skipped = lines[previous + 1 : index]
        if any(skipped):
            yield LEFT_OUT
        elif skipped and index < len(lines):
            yield ""
        if index < len(lines):
            yield lines[index]
        previous = index


def printed(words: str, language: str, columns: int = COLUMNS) -> str:
    """What the command prints in that language, whatever this machine's settings are.

    Raises:
        Stale: it fails.
    """
    environ = {"KCOMPANION_LANG": language, "COLUMNS": str(columns), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environ, clear=True),
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run(shlex.split(words))
    if code != 0:
        raise Stale(f"it ended with {code}: {err.getvalue().strip()}")
    return out.getvalue()


def filled(text: str, language: str) -> str:
    """The page with today's output in every block.

    Raises:
        Stale: one of them cannot be filled.
    """

    def fill(block: re.Match[str]) -> str:
        words, show = block["words"], block["show"]
        if not OFFLINE.search(words):
            return block[0]
        try:
            lines = kept(printed(words, language), show)
        except Stale as error:
            raise Stale(f"kcompanion {words} ({language}): {error}") from error
        comment = f"<!-- show: {show} -->\n" if show else ""
        return "\n".join([f"{comment}```console", f"$ kcompanion {words}", *lines, "```"])

    return BLOCK.sub(fill, text)


def write(*, check: bool) -> int:
    """Fills the pages; with `check` writes nothing and returns 1 when something would change."""
    stale = 0
    for name, language in PAGES.items():
        file = ROOT / name
        text = file.read_text(encoding="utf-8")
        page = filled(text, language)
        if page != text:
            stale += 1
            print(f"{'stale' if check else 'written'}: {name}")
            if not check:
                file.write_text(page, encoding="utf-8")
    return int(check and stale > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description="Put today's output beneath the commands of the hand-written pages.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a block is out of date")
    try:
        return write(check=parser.parse_args().check)
    except Stale as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
