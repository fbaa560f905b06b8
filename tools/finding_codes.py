"""Which findings the code can make, and how severe: read from the source, for no run of it makes all of them.

A rule names its code and severity in one call, `Finding("KC1010", Severity.INFO, …)` or `_finding(…)`. Either may be
a condition or a variable; a code and a severity that stand under the same condition belong together.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

CODE = re.compile(r"KC\d{4}")
ORDER = ("critical", "warning", "info")
# A value an expression may have, and the conditions (as source) under which it has it.
Choice = tuple[str, Mapping[str, bool]]


def severities(folder: Path) -> dict[str, tuple[str, ...]]:
    """Every code of the package below `folder` with its severities, worst first."""
    found: dict[str, set[str]] = {}
    for file in sorted(folder.rglob("*.py")):
        for code, severity in _made(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(code, set()).add(severity)
    return {code: tuple(s for s in ORDER if s in found[code]) for code in sorted(found)}


def _made(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and len(call.args) > 1:
                    yield from _pairs(call, function)


def _pairs(call: ast.Call, function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    codes = [choice for choice in _choices(call.args[0], function) if CODE.fullmatch(choice[0])]
    for code, given in codes:
        for severity, needed in _choices(call.args[1], function):
            if severity in ORDER and all(_may_be(test, truth, code, given) for test, truth in needed.items()):
                yield code, severity


def _choices(node: ast.expr, function: ast.FunctionDef) -> list[Choice]:
    """The values an expression may have; none when it cannot be told from the source."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [(node.value, {})]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Severity":
        return [(node.attr.lower(), {})]
    if isinstance(node, ast.IfExp):
        test = ast.unparse(node.test)
        branches = ((True, node.body), (False, node.orelse))
        return [(v, {**when, test: truth}) for truth, branch in branches for v, when in _choices(branch, function)]
    if isinstance(node, ast.Name):
        value = _assigned(node, function)
        return [] if value is None else _choices(value, function)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Dict):
        return [choice for value in node.func.value.values for choice in _choices(value, function)]
    return []


def _assigned(name: ast.Name, function: ast.FunctionDef) -> ast.expr | None:
    """What a variable was last set to above the line that uses it."""
    before = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and node.lineno < name.lineno
        and any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets)
    ]
    return max(before, key=lambda node: node.lineno).value if before else None


def _may_be(test: str, truth: bool, code: str, given: Mapping[str, bool]) -> bool:
    """Whether a condition can be so for this code: it was chosen under the same one, or it asks for the code."""
    if match := re.fullmatch(r"\w+ == '(KC\d{4})'", test):
        return (match[1] == code) is truth
    return given.get(test, truth) is truth
