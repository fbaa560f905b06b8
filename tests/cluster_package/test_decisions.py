"""Following an operator's decisions: from where on, after a break, and to whom credentials go."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.cluster.decisions import Decisions, check_url
from kcompanion.errors import UsageError
from tests.servers import Answer, Api, Request, write_kubeconfig

PATH = "/decisions"


@pytest.fixture
def connection(api: Api, tmp_path: Path) -> Iterator[Connection]:
    made = connect(Target(kubeconfig=str(write_kubeconfig(tmp_path / "config", api.url)), as_user="ann"))
    yield made
    made.client.rest_client.close()


def answering(api: Api, *entries: dict[str, Any]) -> None:
    """As the operator does: a list, or with watch=1 the entries after `since`, one per line."""

    def answer(request: Request) -> Answer:
        if "watch" not in request.query:
            return Answer(list(entries[:1]))
        since = int(request.query["since"])
        return Answer("".join(json.dumps(entry) + "\n" for entry in entries if entry["seq"] > since))

    api.answers[PATH] = answer


def first(decisions: Decisions) -> dict[str, Any]:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        for entry in decisions.new():
            return entry
        time.sleep(0.01)
    pytest.fail("nothing came")


def test_what_was_decided_before_is_not_told(api: Api, connection: Connection) -> None:
    answering(api, {"seq": 4}, {"seq": 5})
    decisions = Decisions(lambda: PATH, "shop", "web", connection)
    decisions.start()
    try:
        assert first(decisions) == {"seq": 5}
    finally:
        decisions.stop()
    assert api.requests[0].query == {"namespace": "shop", "name": "web"}
    assert api.requests[1].query == {"namespace": "shop", "name": "web", "watch": "1", "since": "4"}
    assert api.requests[1].values("Impersonate-User") == ["ann"]


def test_after_a_break_it_goes_on_where_it_stopped(api: Api, connection: Connection) -> None:
    answering(api, {"seq": 1}, {"seq": 2})
    decisions = Decisions(lambda: PATH, "shop", "web", connection)
    decisions.start()
    try:
        assert first(decisions) == {"seq": 2}
        answering(api, {"seq": 1}, {"seq": 2}, {"seq": 3})  # the server ended the first answer
        assert first(decisions) == {"seq": 3}
    finally:
        decisions.stop()


def test_another_leader_counts_from_the_beginning(api: Api, connection: Connection) -> None:
    answering(api, {"seq": 700})
    api.answers["/other"] = lambda request: Answer(json.dumps({"seq": int(request.query["since"]) + 1}) + "\n")
    places = iter([PATH, "/other"])
    decisions = Decisions(lambda: next(places, "/other"), "shop", "web", connection)
    decisions.start()
    try:
        assert first(decisions) == {"seq": 1}
    finally:
        decisions.stop()


def test_an_address_named_by_hand_gets_no_credentials(api: Api) -> None:
    answering(api, {"seq": 0}, {"seq": 1})
    decisions = Decisions(lambda: check_url(api.url), "shop", "web")
    decisions.start()
    try:
        assert first(decisions) == {"seq": 1}
    finally:
        decisions.stop()
    names = {name.lower() for request in api.requests for name, _ in request.headers}
    assert not names & {"authorization", "impersonate-user", "cookie"}


def test_that_nobody_answers_is_said_once(api: Api) -> None:
    url = check_url(api.url)
    api.stop()
    decisions = Decisions(lambda: url, "shop", "web")
    decisions.start()
    try:
        assert "refused" in first(decisions)["lost"]
        time.sleep(0.1)
        assert list(decisions.new()) == []
    finally:
        decisions.stop()


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "file:///etc/passwd", "http://", "ftp://x/decisions"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError):
        check_url(url)


def test_the_path_may_be_left_out() -> None:
    assert check_url("http://127.0.0.1:8080/") == "http://127.0.0.1:8080/decisions"
    assert check_url("http://localhost:1/x/decisions") == "http://localhost:1/x/decisions"
