"""`report`, `health` and `overview` say what `controlplane`, `nodes` and `addons` say: findings, gaps, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cli.main import run
from kcompanion.cluster import recording
from kcompanion.controlplane import asks
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Reading, listing
from kcompanion.model.snapshot import Snapshot

Capture = pytest.CaptureFixture[str]
SHIPPED = Path(str(resources.files("kcompanion") / "recordings"))
NAMES = sorted(file.stem for file in SHIPPED.glob("*.kcr"))
VIEWS = ("controlplane", "nodes", "addons")
WHOLE = ("report", "health", "overview")
# What is told by another code of the same matter: of the same node, or the node that a part's pods are lost with.
STANDS_FOR = {
    "KC1000": {"KC5115", "KC5123"},
    "KC2001": {"KC5115"},
    "KC2002": {"KC5123", "KC1000"},
    "KC3005": {"KC3002"},
    "KC3012": {"KC5115", "KC5123", "KC1000"},
    "KC3020": {"KC5115", "KC5123", "KC1000"},
}


def told(capsys: Capture, command: str, *words: str) -> tuple[int, dict[str, Any]]:
    code = run([command, *words, "-o", "json"])
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, body


def bad(body: dict[str, Any], *severities: str) -> set[tuple[str, str]]:
    return {(one["code"], one["subject"]) for one in body["findings"] if one["severity"] in severities}


def without(name: str, tmp_path: Path, *questions: Ask) -> str:
    snapshot = recording.load(SHIPPED / f"{name}.kcr")
    readings = dict(snapshot.readings)
    for key, one in snapshot.readings.items():
        if any(one.ask == ask or (ask.resource and one.ask.resource == ask.resource) for ask in questions):
            readings[key] = Reading(one.ask, Outcome.FORBIDDEN, 403, "no")
    return written(tmp_path, replace(snapshot, readings=readings))


def written(tmp_path: Path, snapshot: Snapshot) -> str:
    recording.save(snapshot, tmp_path / "cut.kcr")
    return str(tmp_path / "cut.kcr")


@pytest.mark.parametrize("name", NAMES)
def test_every_warning_of_the_views_is_told_once(capsys: Capture, name: str) -> None:
    source = ("--from", f"demo:{name}")
    views = [told(capsys, view, *source)[1] for view in VIEWS]
    wanted = set().union(*(bad(view, "critical", "warning") for view in views))
    for command in WHOLE:
        body = told(capsys, command, *source)[1]
        found = bad(body, "critical", "warning")
        codes = {code for code, _ in found}
        assert {code for code, subject in wanted - found if not STANDS_FOR.get(code, set()) & codes} == set(), command
        assert any(bad(view, "critical") for view in views) <= bool(bad(body, "critical")), command
        nodes = [subject for _, subject in found if subject.startswith("Node/")]
        assert len(nodes) == len(set(nodes)), "a node's silence is told once: by its rule, or by what says worse of it"


@pytest.mark.parametrize("command", WHOLE)
def test_dead_dns_fails_the_gate(capsys: Capture, command: str) -> None:
    code, body = told(capsys, command, "--from", "demo:ha-one-down", "--fail-on", "critical")
    assert code == 1
    assert bad(body, "critical") == {
        ("KC1000", "Node/kcompanion-ha-control-plane"),
        ("KC3002", "Deployment/kube-system/coredns"),
        ("KC3050", "Addon/local-path-provisioner"),
    }


def test_what_suffers_from_a_node_goes_with_the_view_that_says_worse_than_the_rule(capsys: Capture) -> None:
    _, body = told(capsys, "health", "--from", "demo:ha-one-down")
    [entry] = [one for one in body["entries"] if one["root"] == "Node/kcompanion-ha-control-plane"]
    assert (entry["code"], entry["affectedCount"]) == ("KC1000", 10)  # the pods of KC5123


def test_a_cause_is_as_bad_as_what_it_does(capsys: Capture) -> None:
    """The node's silence alone is a warning; that nobody answers for DNS because of it is not."""
    source = ("-n", "kube-system", "--from", "demo:ha-one-down", "--fail-on", "critical")
    code, body = told(capsys, "health", *source)
    [entry] = body["entries"]
    assert (code, entry["code"], entry["severity"]) == (1, "KC5123", "critical")
    assert entry["affected"][0] == "Service/kube-system/kube-dns"
    assert run(["explain", "service/kube-dns", *source]) == code


@pytest.mark.parametrize("command", WHOLE)
@pytest.mark.parametrize("name", ["three-nodes", "ha", "minikube", "k3s", "eks"])
def test_what_is_well_stays_green(capsys: Capture, name: str, command: str) -> None:
    code, body = told(capsys, command, "--from", f"demo:{name}", "--fail-on", "warning")
    assert (code, body["status"], body["complete"]) == (0, "ok", True)


CUT_OUT = pytest.mark.parametrize(
    "questions",
    [
        (asks.READYZ, asks.LIVEZ),
        (asks.API_SERVICES,),
        (listing(r.CONFIGMAPS),),
        (asks.VERSION,),
        (listing(r.DAEMONSETS),),
        (listing(r.LEASES),),
    ],
    ids=["readyz", "apiservices", "configmaps", "version", "daemonsets", "leases"],
)


@CUT_OUT
def test_the_report_hides_no_gap_of_the_views(capsys: Capture, tmp_path: Path, questions: tuple[Ask, ...]) -> None:
    source = ("--from", without("three-nodes", tmp_path, *questions))
    code, report = told(capsys, "report", *source)
    views = [told(capsys, view, *source) for view in VIEWS]
    missing = {gap["what"] for _, view in views for gap in view["gaps"]}
    assert missing
    assert missing <= {gap["what"] for gap in report["gaps"]}
    assert not report["complete"]
    assert code == 5 or all(view != 5 for view, _ in views)


@CUT_OUT
@pytest.mark.parametrize("command", ["health", "overview"])
def test_what_a_view_leaves_open_is_open(
    capsys: Capture, tmp_path: Path, command: str, questions: tuple[Ask, ...]
) -> None:
    source = ("--from", without("three-nodes", tmp_path, *questions))
    views = [told(capsys, view, *source) for view in VIEWS]
    missing = {gap["what"] for code, view in views if code == 5 for gap in view["gaps"]}
    code, body = told(capsys, command, *source)
    assert (code == 5, body["status"] == "unknown", not body["complete"]) == (bool(missing),) * 3
    assert missing <= {gap["what"] for gap in body["gaps"]}


@pytest.mark.parametrize(
    ("language", "words"), [("en", "everything that was asked was answered"), ("ko", "물어본 것에 모두 답을 받음")]
)
def test_the_page_says_so(capsys: Capture, tmp_path: Path, language: str, words: str) -> None:
    source = without("three-nodes", tmp_path, asks.READYZ, asks.LIVEZ)
    assert run(["report", "--from", source, "-o", "md", "--lang", language]) == 5
    assert words not in capsys.readouterr().out
    assert run(["report", "--from", "demo:three-nodes", "-o", "md", "--lang", language]) == 0
    assert words in capsys.readouterr().out
