"""Causes as a JUnit report: a failed case for each, a passed one for each kind of object without any."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from kcompanion.render.clean import clean


@dataclass(frozen=True)
class Case:
    """One test case: `failure` for a cause, `error` for what was not evaluated, `skipped` for what is accepted."""

    group: str
    name: str
    outcome: str = ""  # failure, error, skipped, or empty when it passed
    text: str = ""
    type: str = ""


def render(name: str, cases: Sequence[Case], properties: Mapping[str, str]) -> str:
    """The report as XML; the same cases give the same text."""
    counts = {word: sum(case.outcome == word for case in cases) for word in ("failure", "error", "skipped")}
    numbers = (
        f'tests="{len(cases)}" failures="{counts["failure"]}" errors="{counts["error"]}" skipped="{counts["skipped"]}"'
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites name={_attribute(name)} {numbers}>",
        f"  <testsuite name={_attribute(name)} {numbers}>",
        "    <properties>",
        *(f"      <property name={_attribute(k)} value={_attribute(v)}/>" for k, v in sorted(properties.items())),
        "    </properties>",
        *(_case(case) for case in cases),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(case: Case) -> str:
    head = f"    <testcase classname={_attribute(case.group)} name={_attribute(case.name)}"
    if not case.outcome:
        return f"{head}/>"
    first = case.text.splitlines()[0] if case.text else ""
    kind = f" type={_attribute(case.type)}" if case.type and case.outcome != "skipped" else ""
    body = escape("\n".join(_legal(clean(line)) for line in case.text.splitlines()))
    return f"{head}><{case.outcome} message={_attribute(first)}{kind}>{body}</{case.outcome}></testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_legal(clean(text)))


def _legal(text: str) -> str:
    """Without what XML 1.0 cannot hold in any spelling."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
