"""Causes as SARIF 2.1.0, the format that code-scanning services take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kcompanion.render.clean import clean

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {"critical": "error", "warning": "warning", "info": "note"}


@dataclass(frozen=True)
class Result:
    """One cause. `subject` is `Kind/namespace/name`; `accepted` is why it does not count, when it does not."""

    code: str
    severity: str
    subject: str
    text: str
    accepted: str = ""
    unchanged: bool = False  # in the baseline too


@dataclass(frozen=True)
class RuleText:
    """What a rule is about, and where to read more."""

    title: str
    why: str
    url: str


def render(
    version: str,
    results: Sequence[Result],
    rules: Mapping[str, RuleText],
    missing: Sequence[str],
    notes: Sequence[str] = (),
    *,
    baseline: bool,
) -> str:
    """The log as JSON with sorted keys; `missing` are sentences on what could not be evaluated, `notes` on the rest."""
    run = {
        "tool": {
            "driver": {
                "name": "kcompanion",
                "version": version,
                "rules": [_rule(code, rules[code]) for code in sorted(rules)],
            }
        },
        "results": [_result(result, baseline=baseline) for result in results],
        "invocations": [
            {
                "executionSuccessful": not missing,
                "toolExecutionNotifications": [
                    {"level": level, "message": {"text": clean(text)}}
                    for level, texts in (("error", missing), ("note", notes))
                    for text in texts
                ],
            }
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _rule(code: str, text: RuleText) -> dict[str, Any]:
    told: dict[str, Any] = {"id": code, "shortDescription": {"text": text.title}}
    if text.why:
        told["fullDescription"] = {"text": text.why}
    if text.url:
        told["helpUri"] = text.url
    return told


def _result(result: Result, *, baseline: bool) -> dict[str, Any]:
    kind, _, place = clean(result.subject).partition("/")
    # a cluster has no files; services that insist on one get the object's place as a path
    place_of = {"physicalLocation": {"artifactLocation": {"uri": quote(f"{kind}/{place}" if place else kind)}}}
    logical = {"logicalLocations": [{"fullyQualifiedName": clean(result.subject), "kind": "resource"}]}
    told: dict[str, Any] = {
        "ruleId": result.code,
        "level": _LEVEL[result.severity],
        "message": {"text": clean(result.text)},
        "locations": [{**place_of, **logical}],
        "partialFingerprints": {"causeAndRoot/v1": f"{result.code}:{clean(result.subject)}"},
    }
    if baseline:
        told["baselineState"] = "unchanged" if result.unchanged else "new"
    if result.accepted:
        told["suppressions"] = [{"kind": "external", "justification": clean(result.accepted)}]
    return told
