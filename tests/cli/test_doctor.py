"""`doctor` on the rights of commands that only live clusters can answer: what follows it, and what changes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from kcompanion.cli.main import run
from tests.cli.conftest import Command
from tests.servers import Answer, Api, Request, write_kubeconfig

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
Capture = pytest.CaptureFixture[str]


def may_only(*verbs: str, api: Api) -> None:
    def review(request: Request) -> Answer:
        asked = json.loads(request.body)["spec"].get("resourceAttributes", {})
        return Answer({"status": {"allowed": asked.get("verb", "get") in verbs}}, 201)

    api.answers[REVIEWS] = review


@pytest.mark.parametrize(
    ("verbs", "activity", "learn"),
    [
        (("get", "list"), "impossible", "impossible"),
        (("get", "list", "watch"), "complete", "impossible"),
        (("get", "list", "watch", "create", "delete", "patch", "update"), "complete", "complete"),
        (("create", "delete", "patch", "update"), "impossible", "partial"),
    ],
)
def test_what_follows_needs_watching_and_what_teaches_needs_changing(
    inside: Command, api: Api, tmp_path: Path, verbs: tuple[str, ...], activity: str, learn: str
) -> None:
    may_only(*verbs, api=api)
    config = str(write_kubeconfig(tmp_path / "config", api.url))
    rows = json.loads(inside("doctor", "activity", "learn", "-o", "json", KUBECONFIG=config).out)["commands"]
    assert {row["command"]: row["verdict"] for row in rows} == {"activity": activity, "learn": learn}


def test_for_learn_it_names_what_tells_more(inside: Command, api: Api, tmp_path: Path) -> None:
    may_only("get", "list", "watch", api=api)
    told = inside("doctor", "learn", KUBECONFIG=str(write_kubeconfig(tmp_path / "config", api.url))).out
    assert "kcompanion learn --check" in told
    assert "create pods" in told
    assert "--rbac" not in told


def test_roles_grant_watching_and_no_changing(capsys: Capture, inside: Command) -> None:
    told = inside("doctor", "--rbac").out
    verbs = {verb for one in yaml.safe_load_all(told) for rule in one.get("rules", ()) for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    told = inside("doctor", "learn", "--rbac").out
    assert "# learn changes things" in told
    assert [rule for one in yaml.safe_load_all(told) for rule in one.get("rules", ())] == []


def test_a_recording_is_not_asked_about_what_it_cannot_stand_in_for(capsys: Capture) -> None:
    assert run(["doctor", "--from", "demo:three-nodes", "-o", "json"]) in (0, 5)
    commands = [row["command"] for row in json.loads(capsys.readouterr().out)["commands"]]
    assert "overview" in commands
    assert {"activity", "learn"} & set(commands) == set()
