"""Every rule speaks on its positive case, is the root cause there, and is silent on its near miss."""

import json
import re
from pathlib import Path

import pytest

from kcompanion.cli.main import run
from kcompanion.explain import book
from kcompanion.explain.rule import Check
from kcompanion.model.finding import Severity
from kcompanion.text import catalog
from kcompanion.text.catalog import phrase
from tests.explain.casebook import CASES, codes_of, verdicts_of
from tools.demo import DEMOS, demos, shows

CODES = sorted({rule.code for rule in book.RULES})
NUMBERS = range(1, 177)  # of the taxonomy
FOLDERS = sorted(folder.name for folder in CASES.iterdir())


def cases(name: str, which: str) -> list[Path]:
    return sorted((CASES / name).glob(f"{which}*.*"))


@pytest.mark.parametrize("code", CODES)
def test_rule_has_cases(code: str) -> None:
    assert cases(code, "positive"), f"no positive case of {code}"
    assert cases(code, "negative"), f"no near miss of {code}"


@pytest.mark.parametrize("name", FOLDERS)
def test_rule_speaks_on_its_case(name: str) -> None:
    code = name.partition("-")[0]
    for file in cases(name, "positive"):
        assert code in codes_of(file), file


@pytest.mark.parametrize("name", FOLDERS)
def test_rule_is_silent_on_its_near_miss(name: str) -> None:
    code = name.partition("-")[0]
    for file in cases(name, "negative"):
        assert code not in codes_of(file), file


@pytest.mark.parametrize("name", FOLDERS)
def test_every_sentence_can_be_said(name: str) -> None:
    for file in [*cases(name, "positive"), *cases(name, "negative")]:
        for verdict in verdicts_of(file):
            assert "KC5000" not in {f.code for f in verdict.findings}, [f.evidence for f in verdict.findings]
            for finding in verdict.findings:
                for language in ("en", "ko"):
                    assert phrase(finding.message, language)
                    assert finding.why is not None
                    assert phrase(finding.why, language)
                    for step in finding.steps:
                        assert step.told is None or phrase(step.told, language)


@pytest.mark.parametrize("name", FOLDERS)
def test_cause_is_proved_and_leads_on(name: str) -> None:
    for file in cases(name, "positive"):
        for verdict in verdicts_of(file):
            for finding in verdict.findings:
                if finding.code == name.partition("-")[0]:
                    assert finding.evidence, finding.code
                    assert finding.steps or finding.severity is Severity.INFO, finding.code


def test_a_code_belongs_to_one_rule() -> None:
    checks: dict[str, Check] = {}
    for rule in book.RULES:
        assert re.fullmatch(r"KC5\d{3}", rule.code)
        assert checks.setdefault(rule.code, rule.check) is rule.check, rule.code


def test_every_number_of_the_taxonomy_is_claimed_once() -> None:
    claims = {rule.code: rule.numbers for rule in book.RULES}
    claimed = sorted(number for numbers in claims.values() for number in numbers)
    assert len(claimed) == len(set(claimed)), [n for n in set(claimed) if claimed.count(n) > 1]
    assert not set(claimed) & set(book.EXCLUDED)
    assert set(claimed) | set(book.EXCLUDED) == set(NUMBERS), sorted(set(NUMBERS) - set(claimed) - set(book.EXCLUDED))


@pytest.mark.parametrize("code", CODES)
def test_texts_are_complete(code: str) -> None:
    rule = next(rule for rule in book.RULES if rule.code == code)
    for language in ("en", "ko"):
        for key in ("title", "cause", "why"):
            assert catalog.has(language, f"{rule.area}.{code.lower()}.{key}"), (language, key)
    assert rule.read.startswith("https://")


def test_demos_belong_to_rules_and_are_recorded() -> None:
    for name, demo in demos().items():
        if demo.code:
            assert demo.code in CODES, name
            assert (CASES / name / "positive.kcr").is_file(), f"record {name}"
    assert len([name for name in FOLDERS if (CASES / name / "positive.kcr").is_file()]) >= 1


@pytest.mark.parametrize("name", [name for name, demo in demos().items() if demo.code])
def test_cause_stands_first_in_its_demos_recording(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    demo = demos()[name]
    words = ["explain", *demo.explain.split(), "-n", demo.at or demo.namespace, "-o", "json"]
    assert run([*words, "--from", str(CASES / name / "positive.kcr")]) == 0
    assert shows(json.loads(capsys.readouterr().out), demo)


def test_every_folder_of_demos_is_one() -> None:
    assert {folder.name for folder in DEMOS.iterdir() if folder.is_dir()} == set(demos())
