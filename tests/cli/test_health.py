"""`health` on shipped recordings: exit codes, formats, baseline and suppressions."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.report.health import LISTED
from tests.explain.build import crashing, node
from tests.explain.casebook import world_from

Capture = pytest.CaptureFixture[str]
FAULTY = ("health", "--from", "demo:faulty")


def answer(capsys: Capture, *words: str, code: int = 0) -> dict[str, Any]:
    assert run([*words, "-o", "json"]) == code
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    run(["schema", "Health"])
    Draft202012Validator(json.loads(capsys.readouterr().out)).validate(body)
    return body


def test_a_cluster_that_is_well(capsys: Capture) -> None:
    body = answer(capsys, "health", "--from", "demo:three-nodes", "--fail-on", "warning")
    assert (body["status"], body["entries"]) == ("ok", [])


def test_faults_are_found_and_only_counted_when_asked(capsys: Capture) -> None:
    body = answer(capsys, *FAULTY)
    found = {entry["code"] for entry in body["entries"]}
    assert found >= {"KC5041", "KC5054", "KC5061", "KC5144", "KC5148", "KC5212"}
    answer(capsys, *FAULTY, "--fail-on", "critical", code=1)


def test_one_namespace(capsys: Capture) -> None:
    body = answer(capsys, *FAULTY, "-n", "demo-kc5061")
    assert [entry["code"] for entry in body["entries"]] == ["KC5061"]
    run([*FAULTY, "-n", "demo-kc5061"])
    assert "1 critical cause and 0 warnings in 1 object (1 pod)." in capsys.readouterr().out


@pytest.mark.parametrize("words", [("health",), ("health", "--fail-on", "critical"), ("overview",), ("orphans",)])
def test_a_namespace_that_does_not_exist_is_not_well(capsys: Capture, words: tuple[str, ...]) -> None:
    assert run([*words, "--from", "demo:faulty", "-n", "nosuch"]) == 4
    assert 'namespace "nosuch" not found' in capsys.readouterr().err


def test_an_empty_namespace_is_well_and_an_unknown_one_is_open(tmp_path: Path, capsys: Capture) -> None:
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bare"}, "status": {"phase": "Active"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "other"}},
    ]
    recording.save(world_from(objects).snapshot, tmp_path / "read.kcr")
    assert run(["health", "--from", str(tmp_path / "read.kcr"), "-n", "bare"]) == 0
    recording.save(world_from([{"forbidden": ["namespaces"]}, *objects]).snapshot, tmp_path / "refused.kcr")
    capsys.readouterr()
    assert run(["health", "--from", str(tmp_path / "refused.kcr"), "-n", "bare"]) == 5
    assert "namespaces" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["health", "controlplane", "addons", "overview", "whoami", "quiz", "doctor"])
def test_labels_that_select_nothing_are_refused(capsys: Capture, command: str) -> None:
    assert run([command, "-l", "app=web", "--from", "demo:three-nodes"]) == 2
    assert "-l selects nothing" in capsys.readouterr().err


def test_what_the_baseline_holds_does_not_count(capsys: Capture) -> None:
    body = answer(capsys, *FAULTY, "--baseline", "demo:faulty", "--fail-on", "warning")
    assert body["entries"] == []
    assert len(body["known"]) >= 6
    fresh = answer(capsys, *FAULTY, "--baseline", "demo:three-nodes", "--fail-on", "warning", code=1)
    assert len(fresh["entries"]) >= 6


def test_a_baseline_that_could_not_say_leaves_it_open(capsys: Capture, tmp_path: Path) -> None:
    pods = [crashing("a"), crashing("b")]
    now, before = tmp_path / "now.kcr", tmp_path / "before.kcr"
    recording.save(world_from([*node(), *pods]).snapshot, now)
    recording.save(world_from([{"forbidden": ["pods"]}, *node()]).snapshot, before)
    words = ("health", "-n", "shop", "--from", str(now), "--baseline", str(before), "--fail-on", "warning")
    body = answer(capsys, *words, code=5)
    assert [gap["resource"] for gap in body["baseline"]["gaps"]] == ["pods"]
    for language, told in (("en", "the baseline lacks list pods"), ("ko", "기준 기록에 없음: list pods")):
        run([*words, "--lang", language])
        assert told in capsys.readouterr().out
    recording.save(world_from([{"forbidden": ["jobs.batch"]}, *node()]).snapshot, before)
    answer(capsys, *words, code=1)  # that says nothing of pods


def test_a_baseline_of_another_cluster_is_told(capsys: Capture) -> None:
    run([*FAULTY, "--baseline", "demo:eks"])
    assert "another cluster" in capsys.readouterr().err
    run([*FAULTY, "--baseline", "demo:faulty"])
    assert capsys.readouterr().err == ""


def test_what_is_suppressed_does_not_count_until_it_expires(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "accepted.yaml"
    file.write_text(
        "suppressions:\n"
        "  - {code: KC5061, namespace: demo-kc5061, reason: a lesson}\n"
        "  - {code: KC5041, reason: old, expires: 2020-01-01}\n"
        "  - {code: KC5044, namespace: nowhere, reason: long gone}\n"
    )
    body = answer(capsys, *FAULTY, "--suppress", str(file))
    assert [(entry["code"], entry["reason"]) for entry in body["suppressed"]] == [("KC5061", "a lesson")]
    assert "KC5041" in {entry["code"] for entry in body["entries"]}
    assert [row["code"] for row in body["expiredSuppressions"]] == ["KC5041"]
    assert body["unusedSuppressions"] == [{"code": "KC5044", "reason": "long gone"}]
    run([*FAULTY, "--suppress", str(file)])
    assert "KC5044 (long gone) covers nothing" in " ".join(capsys.readouterr().out.split())


def test_the_help_shows_a_suppressions_file_that_is_read(capsys: Capture, tmp_path: Path) -> None:
    run(["health", "--help"])
    lines = dedent(capsys.readouterr().out.partition("  suppressions:")[2].partition("\n\n")[0])
    (tmp_path / "accepted.yaml").write_text(f"suppressions:\n{lines}\n")
    assert run([*FAULTY, "--suppress", str(tmp_path / "accepted.yaml")]) == 0


def test_junit_and_sarif_tell_the_same(capsys: Capture) -> None:
    codes = sorted(entry["code"] for entry in answer(capsys, *FAULTY)["entries"] if entry["severity"] != "info")
    assert run([*FAULTY, "-o", "junit"]) == 0
    suite = ElementTree.fromstring(capsys.readouterr().out)
    assert sorted(case.get("classname", "") for case in suite.iter("testcase") if case.find("failure") is not None) == (
        codes
    )
    assert run([*FAULTY, "-o", "sarif"]) == 0
    [log] = json.loads(capsys.readouterr().out)["runs"]
    assert sorted(result["ruleId"] for result in log["results"]) == codes
    assert {rule["id"] for rule in log["tool"]["driver"]["rules"]} == set(codes)


def test_machine_formats_are_bounded_and_tell_what_is_fake(capsys: Capture, tmp_path: Path) -> None:
    """As long as the JSON at most; what is left out fails the build all the same."""
    [pretended, lease] = node("worker-9")
    pretended["metadata"]["annotations"] = {"kwok.x-k8s.io/node": "fake"}
    file = tmp_path / "many.kcr"
    pods = [crashing(f"web-{number}") for number in range(LISTED + 7)]
    recording.save(world_from([*node(), pretended, lease, *pods]).snapshot, file)
    run(["health", "--from", str(file), "-o", "junit"])
    suite = ElementTree.fromstring(capsys.readouterr().out)
    failed = [case for case in suite.iter("testcase") if case.find("failure") is not None]
    assert len(failed) == LISTED + 1
    assert failed[-1].get("name", "").endswith("more causes are not listed here")
    assert [one.get("value") for one in suite.iter("property") if "fake" in one.get("value", "")]
    run(["health", "--from", str(file), "-o", "sarif"])
    [log] = json.loads(capsys.readouterr().out)["runs"]
    assert len(log["results"]) == LISTED
    told = [(one["level"], one["message"]["text"]) for one in log["invocations"][0]["toolExecutionNotifications"]]
    assert [level for level, text in told if "fake" in text or "not listed here" in text] == ["note", "note"]


def test_sarif_says_where_what_was_missing_is(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "refused.kcr"
    pods = [crashing(name, namespace=name) for name in ("a", "b")]
    recording.save(world_from([{"forbidden": ["services", "jobs.batch"]}, *node(), *pods]).snapshot, file)
    run(["health", "--from", str(file), "-o", "sarif"])
    [log] = json.loads(capsys.readouterr().out)["runs"]
    told = [one["message"]["text"] for one in log["invocations"][0]["toolExecutionNotifications"]]
    assert told
    assert len(told) == len(set(told))


def cases(capsys: Capture, *words: str) -> dict[str, str]:
    """The JUnit cases about kinds, and how each ended."""
    run(["health", *words, "-o", "junit"])
    suite = ElementTree.fromstring(capsys.readouterr().out)
    looked = [case for case in suite.iter("testcase") if case.get("classname") == "looked at"]
    return {case.get("name", "").partition(":")[0]: next((part.tag for part in case), "passed") for case in looked}


def test_junit_passes_no_kind_that_is_affected(capsys: Capture) -> None:
    affected = {
        name.partition("/")[0]
        for entry in answer(capsys, "health", "--from", "demo:shop-node-lost")["entries"]
        if entry["severity"] != "info"
        for name in (entry["root"], *entry["affected"])
    }
    assert {"DaemonSet", "HorizontalPodAutoscaler"} <= affected
    assert not affected & set(cases(capsys, "--from", "demo:shop-node-lost"))


def test_junit_passes_no_kind_that_was_not_read(capsys: Capture, tmp_path: Path) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": "Succeeded"}}
    file = tmp_path / "refused.kcr"
    recording.save(world_from([{"forbidden": ["nodes", "services"]}, pod]).snapshot, file)
    found = cases(capsys, "--from", str(file))
    assert (found["Node"], found["Service"]) == ("skipped", "skipped")
    assert found["Pod"] == "passed"
    assert "Deployment" not in found, "there are none"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_fits_on_a_screen(capsys: Capture, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run([*FAULTY, "--lang", language])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 50


@pytest.mark.parametrize(
    "words",
    [
        ("--suppress", "/nonexistent"),
        ("--baseline", "/nonexistent"),
        ("--wait",),
        ("-n", "a", "-A"),
        ("-o", "xml"),
    ],
)
def test_wrong_usage(capsys: Capture, words: tuple[str, ...]) -> None:
    assert run([*FAULTY, *words]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("text", ["suppressions: [", "suppressions: [{code: KC5044, reason: r, expires: 2027-13-01}]"])
def test_a_suppressions_file_that_is_no_yaml(capsys: Capture, tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    assert run([*FAULTY, "--suppress", str(file)]) == 2
    assert "no YAML" in capsys.readouterr().err


def test_an_older_recording_leaves_it_undecided(capsys: Capture) -> None:
    """It was made before health existed, and lacks what no command asked for then."""
    file = Path(__file__).parents[1] / "data" / "restricted.kcr"
    assert run(["health", "--from", str(file)]) == 5
    assert "not" in capsys.readouterr().out
