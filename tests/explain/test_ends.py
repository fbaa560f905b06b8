"""How containers end: exit codes, restart policies, and the one cause that only a log tells."""

from __future__ import annotations

from typing import Any

import pytest

from kcompanion.explain import ends
from kcompanion.explain.exitcodes import EXIT_CODES, SIGNALS, exit_code
from kcompanion.explain.judge import judge_alone
from kcompanion.explain.pod import Container, Pod, Sort
from kcompanion.model.ask import Outcome, Reading, listing, log_tail
from kcompanion.model.resources import KNOWN
from kcompanion.model.snapshot import Snapshot
from kcompanion.model.world import World
from kcompanion.text.catalog import phrase
from tests.explain.casebook import NOW


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_exit_code_can_be_told(language: str) -> None:
    for code in (*range(256), -1, 256, 3221225477):
        told = exit_code(code)
        for message in (told.short, told.means, told.sender):
            assert phrase(message, language)


@pytest.mark.parametrize(
    ("code", "signal"),
    [(0, ""), (1, ""), (128, ""), (129, "SIGHUP"), (137, "SIGKILL"), (143, "SIGTERM"), (159, "SIGSYS"), (160, "")],
)
def test_a_signal_is_128_and_its_number(code: int, signal: str) -> None:
    assert exit_code(code).signal == signal
    assert exit_code(code).number == (code - 128 if signal else 0)


def test_the_table_explains_what_users_meet() -> None:
    assert set(EXIT_CODES) >= {0, 1, 2, 125, 126, 127, 128, 130, 134, 137, 139, 141, 143, 159, 255}
    assert len(SIGNALS) == 31


def container(code: int, **spec: Any) -> Container:
    ended = {"state": {"terminated": {"exitCode": code, "reason": "Error"}}}
    return Container("app", Sort.APP, 0, {"name": "app", **spec}, ended)


def pod(policy: str, phase: str = "Running") -> Pod:
    return Pod({"metadata": {"name": "web"}, "spec": {"restartPolicy": policy}, "status": {"phase": phase}})


def only(operator: str, *codes: int) -> list[dict[str, Any]]:
    return [{"action": "Restart", "exitCodes": {"operator": operator, "values": list(codes)}}]


@pytest.mark.parametrize(
    ("policy", "code", "spec", "again"),
    [
        ("Always", 0, {}, True),
        ("Always", 1, {}, True),
        ("OnFailure", 0, {}, False),
        ("OnFailure", 1, {}, True),
        ("Never", 1, {}, False),
        ("Never", 1, {"restartPolicy": "Always"}, True),
        ("Always", 1, {"restartPolicy": "Never"}, False),
        ("Never", 42, {"restartPolicy": "Never", "restartPolicyRules": only("In", 42)}, True),
        ("Never", 41, {"restartPolicy": "Never", "restartPolicyRules": only("In", 42)}, False),
        ("Never", 41, {"restartPolicy": "Never", "restartPolicyRules": only("NotIn", 42)}, True),
        ("Never", 42, {"restartPolicy": "Never", "restartPolicyRules": only("NotIn", 42)}, False),
    ],
)
def test_who_is_started_again(policy: str, code: int, spec: dict[str, Any], again: bool) -> None:
    assert ends.restarted(pod(policy), container(code, **spec), code) is again


def test_a_pod_that_is_over_starts_nothing() -> None:
    assert not ends.restarted(pod("Always", "Failed"), container(1), 1)


def test_odd_restart_rules_are_left_aside() -> None:
    odd = container(
        1, restartPolicyRules=[{}, {"exitCodes": None}, {"exitCodes": {"operator": "Near", "values": [1]}}, 7]
    )
    assert ends.rule_for(odd, 1) == {}


def test_a_log_that_tells_the_wrong_processor_is_the_root_cause() -> None:
    raw = {
        "metadata": {"name": "web", "namespace": "shop", "uid": "1"},
        "spec": {"nodeName": "worker-1", "containers": [{"name": "app", "image": "shop/web:1"}]},
        "status": {
            "phase": "Running",
            "startTime": "2026-11-21T11:50:00Z",
            "containerStatuses": [
                {
                    "name": "app",
                    "restartCount": 4,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 255, "reason": "Error"}},
                }
            ],
        },
    }
    readings = [Reading(listing(resource), Outcome.OK, 200, body=[]) for resource in KNOWN]
    log = log_tail("shop", "web", "app", previous=True)
    readings.append(Reading(log, Outcome.OK, 200, body="exec /web: exec format error\n"))
    snapshot = Snapshot(NOW, readings={reading.ask.key: reading for reading in readings})

    def found(*, logs: bool) -> set[str]:
        return {finding.code for finding in judge_alone(raw, "Pod", World(snapshot, logs=logs)).findings}

    assert "KC5220" in found(logs=True)
    assert "KC5044" not in found(logs=True)
    assert "KC5044" in found(logs=False)
