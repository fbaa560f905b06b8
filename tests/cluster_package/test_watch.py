"""Watches: from list to changes, through ends, breaks, expired versions and refusals."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster import watch as watching
from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.cluster.watch import Notice, Watch
from kcompanion.model import resources as r
from tests.servers import Answer, Api, Request, refusal, write_kubeconfig

PATH = "/api/v1/namespaces/shop/pods"
Notices = "queue.SimpleQueue[Notice]"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_WAITS", (0.02,))


@pytest.fixture
def connection(api: Api, tmp_path: Path) -> Iterator[Connection]:
    made = connect(Target(kubeconfig=str(write_kubeconfig(tmp_path / "config", api.url))))
    yield made
    made.client.rest_client.close()


def pod(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}}


def listed(version: int, *pods: dict[str, Any]) -> Answer:
    return Answer({"metadata": {"resourceVersion": str(version)}, "items": list(pods)})


def changed(*changes: tuple[str, dict[str, Any]]) -> Answer:
    return Answer("".join(json.dumps({"type": kind, "object": item}) + "\n" for kind, item in changes))


def script(api: Api, lists: list[Answer], watches: list[Answer | Callable[[Request], Answer]]) -> list[Request]:
    """Answers lists and watches in turn, then hangs; returns the watches that were asked."""
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        if "watch" not in request.query:
            return lists.pop(0)
        asked.append(request)
        told = watches.pop(0) if watches else api.hang
        return told(request) if callable(told) else told

    api.answers[PATH] = answer
    return asked


def collect(connection: Connection, count: int, fields: str = "") -> list[tuple[str, str]]:
    """Type and name of the first notices."""
    notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
    watch = Watch(connection, r.PODS, "shop", notices, fields)
    watch.start()
    found: list[tuple[str, str]] = []
    ends = time.monotonic() + 5
    while len(found) < count and time.monotonic() < ends:
        try:
            one = notices.get(timeout=0.2)
        except queue.Empty:
            continue
        found.append((one.type, one.item["metadata"]["name"] if one.item else one.detail))
    watch.stop()
    return found


def test_what_is_there_then_what_changes(api: Api, connection: Connection) -> None:
    asked = script(api, [listed(5, pod("a", 3))], [changed(("ADDED", pod("b", 6)), ("DELETED", pod("a", 7)))])
    found = collect(connection, 4, "metadata.name=x")
    assert found == [("PRESENT", "a"), ("SYNCED", ""), ("ADDED", "b"), ("DELETED", "a")]
    assert asked[0].query["resourceVersion"] == "5"
    assert asked[0].query["fieldSelector"] == "metadata.name=x"


def test_an_ended_watch_goes_on_where_it_was_and_bookmarks_count(api: Api, connection: Connection) -> None:
    bookmark = {"metadata": {"resourceVersion": "40"}}
    asked = script(api, [listed(5)], [changed(("BOOKMARK", bookmark)), changed(("ADDED", pod("b", 41)))])
    assert collect(connection, 2) == [("SYNCED", ""), ("ADDED", "b")]
    assert [request.query["resourceVersion"] for request in asked[:2]] == ["5", "40"]


def test_a_broken_line_and_a_server_in_trouble_are_tried_again(api: Api, connection: Connection) -> None:
    broken = Answer(json.dumps({"type": "ADDED", "object": pod("b", 6)}) + "\n{\n")
    asked = script(api, [listed(5)], [broken, refusal(500), changed(("ADDED", pod("c", 7)))])
    assert collect(connection, 3) == [("SYNCED", ""), ("ADDED", "b"), ("ADDED", "c")]
    assert [request.query["resourceVersion"] for request in asked[:3]] == ["5", "6", "6"]


@pytest.mark.parametrize(
    "expired",
    [refusal(410), changed(("ERROR", {"kind": "Status", "code": 410, "message": "too old"}))],
    ids=["answer", "event"],
)
def test_what_was_missed_is_told_after_a_new_list(api: Api, connection: Connection, expired: Answer) -> None:
    before = listed(5, pod("same", 1), pod("changed", 2), pod("gone", 3))
    after = listed(90, pod("same", 1), pod("changed", 80), pod("new", 85))
    asked = script(api, [before, after], [expired])
    found = collect(connection, 8)
    assert found[3:] == [("SYNCED", ""), ("AGAIN", ""), ("MODIFIED", "changed"), ("ADDED", "new"), ("DELETED", "gone")]
    assert asked[0].query["resourceVersion"] == "5"


def test_a_refusal_ends_it_and_says_why(api: Api, connection: Connection) -> None:
    api.answers[PATH] = refusal(403, "pods is forbidden")
    assert collect(connection, 1) == [("BLIND", "pods is forbidden")]
    assert len(api.requests) == 1


def test_what_comes_is_scrubbed(api: Api, connection: Connection) -> None:
    item = {**pod("a", 6), "spec": {"containers": [{"name": "x", "env": [{"name": "P", "value": "hunter2"}]}]}}
    script(api, [listed(5)], [changed(("ADDED", item))])
    notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
    watch = Watch(connection, r.PODS, "shop", notices)
    watch.start()
    assert notices.get(timeout=5).type == "SYNCED"
    assert "hunter2" not in str(notices.get(timeout=5).item)
    watch.stop()
