"""Reading lists: what an API server may send, and what becomes of it."""

from __future__ import annotations

import gzip
import json

import pytest

from kcompanion.cluster.live import LiveSource
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Reading, listing
from kcompanion.model.snapshot import Snapshot
from tests.cluster_package.conftest import Connect
from tests.servers import Answer, Api, Request, items, refusal

PODS = listing(r.PODS)
PATH = "/api/v1/pods"


def read(source: LiveSource, ask: Ask = PODS) -> Reading:
    return source.read([ask])[ask.key]


def pod(name: str, **fields: object) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "shop"}, **fields}


def test_unknown_fields_survive(api: Api, source: Connect) -> None:
    api.answers[PATH] = items(pod("a", spec={"fieldOf2031": {"deep": [1, None]}}, futureThing=True))
    assert read(source(api.url)).body == [pod("a", spec={"fieldOf2031": {"deep": [1, None]}}, futureThing=True)]


@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": {"name": "odd"}, "eventTime": None, "spec": {"containers": None}},
        {"metadata": None, "spec": "text", "status": [None, 3]},
        {"metadata": {"name": "odd", "annotations": [], "managedFields": "x"}, "spec": {"env": [None, "x"]}},
        {"spec": {"args": [None, 7], "env": {"not": "a list"}}},
    ],
)
def test_an_odd_object_does_not_sink_the_list(api: Api, source: Connect, odd: dict[str, object]) -> None:
    api.answers[PATH] = items(pod("a"), odd, pod("b"))
    reading = read(source(api.url))
    assert reading.ok
    assert [item for item in reading.body if item in (pod("a"), pod("b"))] == [pod("a"), pod("b")]
    assert len(reading.body) == 3


def test_entries_that_are_no_objects_are_dropped(api: Api, source: Connect) -> None:
    api.answers[PATH] = items(pod("a"), None, "text", 7, ["list"])
    assert read(source(api.url)).body == [pod("a")]


def test_items_may_be_null(api: Api, source: Connect) -> None:
    api.answers[PATH] = Answer({"kind": "PodList", "items": None})
    assert read(source(api.url)).body == []


@pytest.mark.parametrize("body", ["[]", "null", '{"items": {"a": 1}}', '{"items": ', "[" * 100_000, "\xff"])
def test_an_answer_that_is_no_list_is_an_error_not_a_crash(api: Api, source: Connect, body: str) -> None:
    api.answers[PATH] = Answer(body)
    reading = read(source(api.url))
    assert reading.outcome is Outcome.ERROR
    assert reading.detail


def test_pages_are_followed(api: Api, source: Connect) -> None:
    pages = {"": items(pod("a"), proceed="t1"), "t1": items(pod("b"), proceed="t2"), "t2": items(pod("c"))}
    api.answers[PATH] = lambda request: pages[request.query.get("continue", "")]
    reading = read(source(api.url))
    assert [item["metadata"]["name"] for item in reading.body] == ["a", "b", "c"]
    assert [request.query["limit"] for request in api.requests] == ["500"] * 3


def test_an_expired_continue_token_starts_the_list_over_once(api: Api, source: Connect) -> None:
    state = {"tries": 0}

    def page(request: Request) -> Answer:
        if "continue" not in request.query:
            state["tries"] += 1
            return items(pod(f"first-{state['tries']}"), proceed="t")
        return refusal(410, "expired") if state["tries"] == 1 else items(pod("last"))

    api.answers[PATH] = page
    reading = read(source(api.url))
    assert reading.ok
    assert [item["metadata"]["name"] for item in reading.body] == ["first-2", "last"]


def test_a_token_that_expires_twice_leaves_a_gap_and_what_was_read(api: Api, source: Connect) -> None:
    api.answers[PATH] = lambda request: (
        refusal(410, "the token is too old") if "continue" in request.query else items(pod("a"), proceed="t")
    )
    live = source(api.url)
    reading = read(live)
    assert reading.body == [pod("a")]
    assert reading.status == 410
    gap = Snapshot(live.now, readings={PODS.key: reading}).gaps()[0]
    assert (gap.resource, gap.detail) == ("pods", "the token is too old")
    assert len(api.requests) == 4  # twice two pages


def test_a_list_that_breaks_off_keeps_what_came(api: Api, source: Connect) -> None:
    api.answers[PATH] = lambda request: (
        refusal(403, "pods is forbidden") if "continue" in request.query else items(pod("a"), proceed="t")
    )
    reading = read(source(api.url))
    assert (reading.outcome, reading.body) == (Outcome.FORBIDDEN, [pod("a")])


def test_compressed_answers_are_read(api: Api, source: Connect) -> None:
    body = gzip.compress(json.dumps({"items": [pod("a")]}).encode())
    api.answers[PATH] = Answer(body, headers={"Content-Encoding": "gzip"})
    assert read(source(api.url)).body == [pod("a")]


@pytest.mark.parametrize("status", [500, 504])
def test_when_etcd_gives_no_answer_the_cache_does_and_that_is_said(api: Api, source: Connect, status: int) -> None:
    api.answers[PATH] = lambda request: (
        items(pod("old")) if request.query.get("resourceVersion") == "0" else refusal(status, "etcdserver: no leader")
    )
    live = source(api.url)
    reading = read(live)
    assert reading.ok
    assert reading.stale
    assert reading.body == [pod("old")]
    gap = Snapshot(live.now, readings={PODS.key: reading}).gaps()[0]
    assert gap.decisive
    assert "cache" in gap.detail


def test_without_a_cache_the_first_failure_is_told(api: Api, source: Connect) -> None:
    api.answers[PATH] = refusal(500, "etcdserver: request timed out")
    reading = read(source(api.url))
    assert (reading.outcome, reading.detail) == (Outcome.ERROR, "etcdserver: request timed out")


def test_metadata_only_asks_for_metadata_and_keeps_nothing_else(api: Api, source: Connect) -> None:
    api.answers[PATH] = items(pod("a", spec={"secretPlan": "x"}))  # a server that does not know the short form
    reading = read(source(api.url), listing(r.PODS, metadata_only=True))
    assert reading.body == [{"metadata": {"name": "a", "namespace": "shop"}}]
    assert "as=PartialObjectMetadataList" in api.requests[0].values("Accept")[0]


def test_managed_fields_come_only_when_asked_for(api: Api, source: Connect) -> None:
    managed = [{"manager": "kubectl", "fieldsV1": {"f:spec": {'v:"hunter2"': {}}}}]
    entry = {"metadata": {"name": "a", "managedFields": managed}}
    api.answers[PATH] = items(entry)
    assert read(source(api.url)).body == [{"metadata": {"name": "a"}}]
    kept = read(source(api.url), listing(r.PODS, keep_managed_fields=True)).body[0]["metadata"]["managedFields"]
    assert kept[0]["manager"] == "kubectl"
    assert "hunter2" not in json.dumps(kept)
