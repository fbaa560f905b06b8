"""JUnit and SARIF hold every cause, and nothing of the cluster's text can break out of them."""

import json
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from kcompanion.render import junit, sarif

HOSTILE = 'a]]></failure><script>"&\x1b[31m\x00\u202e\ud800'


def test_junit_counts_and_escapes() -> None:
    cases = [
        junit.Case("KC5044", HOSTILE, "failure", f"{HOSTILE}\nsecond line", "critical"),
        junit.Case("not evaluated", "list nodes", "error", "needs list nodes"),
        junit.Case("KC5044", "known", "skipped", "accepted"),
        junit.Case("looked at", "Pod"),
    ]
    root = ElementTree.fromstring(junit.render("kcompanion health", cases, {"judged.Pod": "3"}))
    suite = root[0]
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "second line" in (failure.text or "")
    assert "\x1b" not in (failure.text or "")


@given(st.text())
def test_junit_is_xml_whatever_it_holds(text: str) -> None:
    ElementTree.fromstring(junit.render(text, [junit.Case(text, text, "failure", text, text)], {text: text}))


@given(st.text(), st.text())
def test_sarif_is_json_whatever_it_holds(subject: str, text: str) -> None:
    results = [sarif.Result("KC5044", "critical", subject, text)]
    log = json.loads(sarif.render("1", results, {"KC5044": sarif.RuleText("t", "", "")}, [], baseline=False))
    assert log["runs"][0]["results"][0]["ruleId"] == "KC5044"


def test_sarif_tells_levels_suppressions_and_gaps() -> None:
    results = [
        sarif.Result("KC5044", "critical", "Deployment/shop/web", "it ends"),
        sarif.Result("KC5001", "warning", "Pod/shop/a b", "waits", accepted="ticket 1"),
        sarif.Result("KC5002", "info", "Pod/shop/c", "gated", unchanged=True),
    ]
    rules = {code: sarif.RuleText("title", "why", "https://example.test/") for code in ("KC5044", "KC5001", "KC5002")}
    run = json.loads(sarif.render("1.0", results, rules, ["needs list nodes"], baseline=True))["runs"][0]
    assert [r["level"] for r in run["results"]] == ["error", "warning", "note"]
    assert [r["baselineState"] for r in run["results"]] == ["new", "new", "unchanged"]
    assert run["results"][1]["suppressions"] == [{"kind": "external", "justification": "ticket 1"}]
    assert run["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "Pod/shop/a%20b"
    assert run["invocations"][0]["executionSuccessful"] is False
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"KC5044", "KC5001", "KC5002"}
