"""How outputs get into hand-written pages: what is kept, what is marked as left out, and what is refused."""

import pytest

from tools import excerpts
from tools.excerpts import Stale, kept

OUTPUT = "Title\n\nFirst\n  a  1\n  b  2\n\nSecond\n  a  3\n  c  4\n"


@pytest.mark.parametrize(
    ("show", "lines"),
    [
        (None, OUTPUT.rstrip("\n").split("\n")),
        ("Title", ["Title", "…"]),
        ("First ++", ["…", "First", "  a  1", "  b  2", "…"]),
        ("Title / First +1", ["Title", "", "First", "  a  1", "…"]),
        ("Second / a", ["…", "Second", "  a  3", "…"]),  # the next one, not the first
        ("Second +9", ["…", "Second", "  a  3", "  c  4"]),
        (r"a +0 / c\s+4", ["…", "  a  1", "…", "  c  4"]),
    ],
)
def test_what_is_kept(show: str | None, lines: list[str]) -> None:
    assert kept(OUTPUT, show) == lines


def test_a_pattern_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(Stale, match="no line after 'Second' has 'First'"):
        kept(OUTPUT, "Second / First")


PAGE = """Prose.

<!-- show: COMPONENT +1 -->
```console
$ kcompanion controlplane --from demo:three-nodes
what it said long ago
```

```console
$ kcompanion contexts
kept by hand
```
"""


def test_a_block_gets_todays_output() -> None:
    page = excerpts.filled(PAGE, "en")
    assert "what it said long ago" not in page
    assert "demo:three-nodes\n…\n  COMPONENT " in page
    assert page.endswith("kept by hand\n```\n")
    assert excerpts.filled(page, "en") == page


def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(Stale, match="nodes --from demo:nowhere"):
        excerpts.filled(PAGE.replace("controlplane --from demo:three-nodes", "nodes --from demo:nowhere"), "en")


def test_this_machines_settings_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = excerpts.printed("nodes --from demo:ha", "en")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert excerpts.printed("nodes --from demo:ha", "en") == plain
