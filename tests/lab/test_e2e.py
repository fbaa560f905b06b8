"""A run of upstream's tests is judged by name: none may lack, none may be one too many."""

import re

import pytest

from lab import e2e

_SPECS = ("[sig-apps] ReplicaSet should work (now) [Conformance]", "[sig-apps] ReplicaSet should work")


def _report(*tests: tuple[str, str]) -> str:
    cases = "".join(f'<testcase name="{name}" status="{status}"/>' for name, status in tests)
    return f"<testsuites><testsuite>{cases}</testsuite></testsuites>"


def _it(spec: str) -> str:
    return f"[It] {spec} [sig-apps, Conformance]"


_PASSED = tuple((_it(spec), "passed") for spec in _SPECS)
_AROUND = (
    ("[SynchronizedBeforeSuite]", "passed"),
    ("[ReportAfterSuite] Log Check", "passed"),
    ("[It] x [y]", "skipped"),
)


def test_exactly_the_named_specs_are_a_pass() -> None:
    assert e2e.judge(_report(*_PASSED, *_AROUND), _SPECS) == []


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (_PASSED[:1], f"did not run: {_SPECS[1]}"),
        ((_PASSED[0], (_PASSED[1][0], "failed")), f"failed: {_SPECS[1]}"),
        ((_PASSED[0], (_PASSED[1][0], "skipped")), f"did not run: {_SPECS[1]}"),
        ((*_PASSED, (_it("another"), "passed")), "ran and was not asked for: another"),
        ((*_PASSED, ("[SynchronizedBeforeSuite]", "failed")), "failed: [SynchronizedBeforeSuite]"),
    ],
)
def test_anything_else_is_told(tests: tuple[tuple[str, str], ...], said: str) -> None:
    assert e2e.judge(_report(*tests), _SPECS) == [said]


def test_there_are_seven_and_sixteen() -> None:
    assert (len(set(e2e.REPLICASET)), len(set(e2e.NEIGHBOURS))) == (7, 16)


@pytest.mark.parametrize("spec", [*_SPECS, *e2e.REPLICASET, *e2e.NEIGHBOURS])
def test_a_pattern_finds_its_spec_and_no_longer_one(spec: str) -> None:
    assert re.search(e2e.pattern(spec), f"Kubernetes e2e suite {spec}")
    assert not re.search(e2e.pattern(spec), f"{spec} and more")
