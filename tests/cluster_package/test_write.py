"""Creating and deleting: what is sent, and how a refusal is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.write import NotWritten, Writer
from kcompanion.model import resources as r
from tests.servers import Answer, Api, refusal, write_kubeconfig

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}
PATH = "/api/v1/namespaces/shop/pods"


@pytest.fixture
def writer(api: Api, tmp_path: Path) -> Iterator[Writer]:
    target = Target(kubeconfig=str(write_kubeconfig(tmp_path / "config", api.url)), as_user="ann")
    connection = connect(target)
    yield Writer(connection, 5)
    connection.client.rest_client.close()


def test_an_object_is_posted_as_the_user(api: Api, writer: Writer) -> None:
    api.answers[PATH] = Answer({"metadata": {"uid": "u"}}, 201)
    assert writer.create(r.PODS, POD, "shop")["metadata"]["uid"] == "u"
    [request] = api.requests
    assert (request.method, json.loads(request.body)) == ("POST", POD)
    assert request.values("Impersonate-User") == ["ann"]
    assert request.values("Content-Type") == ["application/json"]


def test_a_deletion_takes_dependents_in_the_background(api: Api, writer: Writer) -> None:
    api.answers[f"{PATH}/x"] = Answer({})
    writer.delete(r.PODS, "x", "shop")
    assert api.requests[0].method == "DELETE"
    assert json.loads(api.requests[0].body)["propagationPolicy"] == "Background"
    writer.delete(r.PODS, "gone", "shop")  # 404 is as good as deleted


@pytest.mark.parametrize("status", [403, 409, 422, 500])
def test_a_refusal_is_told(api: Api, writer: Writer, status: int) -> None:
    api.answers[PATH] = refusal(status, "because so")
    with pytest.raises(NotWritten, match="Pod x could not be created: because so") as told:
        writer.create(r.PODS, POD, "shop")
    assert told.value.status == status
    assert len(api.requests) == 1, "a write is never repeated"


def test_nobody_there(api: Api, writer: Writer) -> None:
    api.stop()
    with pytest.raises(NotWritten) as told:
        writer.create(r.PODS, POD, "shop")
    assert told.value.status == 0
    assert "not known" in told.value.hint
    assert not writer.exists(r.PODS, "x", "shop")


def stored(version: str) -> dict[str, object]:
    return {**POD, "metadata": {"name": "x", "resourceVersion": version, "managedFields": [version]}}


class TestApply:
    """Server-side apply: what is sent, and what is told about what it did."""

    def answers(self, api: Api, before: Answer, after: Answer) -> None:
        api.answers[f"{PATH}/x"] = lambda request: before if request.method == "GET" else after

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            (refusal(404, "none"), Answer({}, 201), "created"),
            (
                Answer({"metadata": {"resourceVersion": "1"}}),
                Answer({"metadata": {"resourceVersion": "2"}}),
                "unchanged",
            ),
            (Answer({"spec": {"a": 1}}), Answer({"spec": {"a": 2}}), "configured"),
        ],
    )
    def test_what_it_did(self, api: Api, writer: Writer, before: Answer, after: Answer, told: str) -> None:
        self.answers(api, before, after)
        how, _ = writer.apply(r.PODS, POD, "shop", force=False)
        assert how.value == told
        request = api.requests[-1]
        assert (request.method, request.values("Content-Type")) == ("PATCH", ["application/apply-patch+yaml"])
        assert request.query == {"fieldManager": "kcompanion", "force": "false"}

    def test_a_dry_run_says_so_to_the_server(self, api: Api, writer: Writer) -> None:
        self.answers(api, refusal(404), Answer({}, 201))
        writer.apply(r.PODS, POD, "shop", dry_run=True, force=True)
        assert api.requests[-1].query == {"fieldManager": "kcompanion", "force": "true", "dryRun": "All"}

    def test_a_conflict_names_the_way_out(self, api: Api, writer: Writer) -> None:
        self.answers(api, Answer({}), refusal(409, "conflict with kubectl"))
        with pytest.raises(NotWritten, match="conflict with kubectl") as told:
            writer.apply(r.PODS, POD, "shop", force=False)
        assert "--force-conflicts" in told.value.hint

    def test_nothing_is_applied_blindly(self, api: Api, writer: Writer) -> None:
        self.answers(api, refusal(403, "no"), Answer({}))
        with pytest.raises(NotWritten, match="could not be read: no"):
            writer.apply(r.PODS, POD, "shop", force=False)
        assert [request.method for request in api.requests] == ["GET"]
