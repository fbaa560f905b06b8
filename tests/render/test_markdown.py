"""Text in Markdown stays text, and stays readable."""

import pytest

from kcompanion.render.markdown import code, plain


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a-b (c) 1.36", "a-b (c) 1.36"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("# title", r"\# title"),
        ("--- rule", r"\--- rule"),
        ("a|b", r"a\|b"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[click](javascript:x)", r"\[click\](javascript:x)"),
        ("*b* _i_ `c` ~s~ $m$ @you &amp;", r"\*b\* \_i\_ \`c\` \~s\~ \$m\$ \@you \&amp;"),
        ("한글-이름", "한글-이름"),
    ],
)
def test_text(text: str, told: str) -> None:
    assert plain(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("", "`-`"),
        ("a\nb\x1b[31m", "`a b`"),
        ("```", "```` ``` ````"),
    ],
)
def test_code(text: str, told: str) -> None:
    assert code(text) == told
