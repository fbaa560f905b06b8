"""`activity` at servers that tell nothing: the reason at once, and the exit code of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcompanion.cluster import watch as watching
from tests.cli.conftest import Command, complained
from tests.servers import Answer, Api, Request, items, refusal, write_kubeconfig

PODS = "/api/v1/pods"


@pytest.fixture
def config(api: Api, tmp_path: Path) -> str:
    return str(write_kubeconfig(tmp_path / "config", api.url))


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, 3, "does not know these credentials"),
        (403, 5, "nothing can be watched: no for you"),
        (500, 5, "nothing can be watched: no for you"),
    ],
)
def test_where_nothing_can_be_watched_it_ends(
    inside: Command, api: Api, config: str, status: int, code: int, said: str
) -> None:
    api.otherwise = refusal(status, "no for you")
    ran = inside("activity", KUBECONFIG=config)
    complained(ran, code, said)
    assert "--deadline" not in ran.err  # it was not the deadline that ended it


def test_a_dead_server_is_told_at_once(inside: Command, tmp_path: Path) -> None:
    config = str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1"))
    ran = inside("activity", KUBECONFIG=config)
    complained(ran, 3, "does not answer", "127.0.0.1:1: connection refused")
    assert "--deadline" not in ran.err  # it was not the deadline that ended it


def test_what_may_be_watched_is_and_the_rest_is_named(inside: Command, api: Api, config: str) -> None:
    def answer(request: Request) -> Answer:
        if request.path != PODS:
            return refusal(403, "no for you")
        return items() if "watch" not in request.query else api.hang(request)

    api.otherwise = answer
    ran = inside("activity", "--for", "1s", KUBECONFIG=config)
    assert ran.code == 0
    assert ran.err.count("no for you") == 9
    assert "pods cannot be watched" not in ran.err


def test_a_list_that_fails_at_first_is_asked_again(
    inside: Command, api: Api, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_WAITS", (0.02,))
    failed: set[str] = set()

    def answer(request: Request) -> Answer:
        if request.path not in failed:
            failed.add(request.path)
            return refusal(503, "starting")
        return items() if "watch" not in request.query else api.hang(request)

    api.otherwise = answer
    assert inside("activity", "--for", "1s", KUBECONFIG=config).code == 0


def test_credentials_that_end_while_it_watches_end_it(inside: Command, api: Api, config: str) -> None:
    api.otherwise = lambda request: items() if "watch" not in request.query else refusal(401, "expired")
    ran = inside("activity", KUBECONFIG=config)
    assert ran.code == 3
    assert "does not know these credentials" in ran.err
