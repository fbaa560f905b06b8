"""Discovery documents of both generations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kcompanion.model.ask import Ask, Outcome, Reading, raw
from kcompanion.model.discovery import API, APIS, find, follow_ups, served
from kcompanion.model.resources import PODS, Resource
from kcompanion.model.snapshot import Snapshot

POD = {
    "resource": "pods",
    "responseKind": {"group": "", "version": "", "kind": "Pod"},
    "scope": "Namespaced",
    "singularResource": "pod",
    "shortNames": ["po"],
    "categories": ["all"],
    "verbs": ["get", "list"],
    "subresources": [{"subresource": "log"}],
}
SHOP = {**POD, "resource": "shops", "responseKind": {"kind": "Shop"}, "scope": "Cluster", "shortNames": None}


def snapshot(documents: dict[Ask, Any]) -> Snapshot:
    readings = {ask.key: Reading(ask, Outcome.OK, 200, body=json.dumps(body)) for ask, body in documents.items()}
    return Snapshot(datetime.now(UTC), readings=readings)


def aggregated(group: str, *versions: tuple[str, list[Any]]) -> dict[str, Any]:
    held = [{"version": version, "resources": rows} for version, rows in versions]
    return {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": group}, "versions": held}]}


NEW = snapshot(
    {API: aggregated("", ("v1", [POD])), APIS: aggregated("acme.org", ("v2", [SHOP]), ("v1", [SHOP, {"odd": 1}]))}
)
OLD_ROOTS = {
    API: {"kind": "APIVersions", "versions": ["v1"]},
    APIS: {
        "kind": "APIGroupList",
        "groups": [{"name": "acme.org", "preferredVersion": {"groupVersion": "acme.org/v2"}}],
    },
}
OLD_POD = {
    "name": "pods",
    "singularName": "",
    "namespaced": True,
    "kind": "Pod",
    "verbs": ["list"],
    "shortNames": ["po"],
}
OLD = snapshot(
    {
        **OLD_ROOTS,
        raw("/api/v1"): {"groupVersion": "v1", "resources": [OLD_POD, {**OLD_POD, "name": "pods/log"}]},
        raw("/apis/acme.org/v2"): {"groupVersion": "acme.org/v2", "resources": [{"name": "shops", "kind": "Shop"}]},
    }
)


def test_aggregated() -> None:
    pod, shop, *_ = served(NEW)
    assert pod.resource == PODS
    assert (pod.short_names, pod.categories, pod.verbs) == (("po",), ("all",), ("get", "list"))
    assert shop.resource == Resource("acme.org", "v2", "shops", "Shop", False)
    assert follow_ups(NEW) == []


def test_one_document_per_group_on_older_servers() -> None:
    assert follow_ups(snapshot(OLD_ROOTS)) == [raw("/api/v1"), raw("/apis/acme.org/v2")]
    assert [row.resource for row in served(OLD)] == [PODS, Resource("acme.org", "v2", "shops", "Shop", False)]


@pytest.mark.parametrize("word", ["pods", "po", "pod", "Pod", "PODS", "pods.v1."])
def test_the_words_kubectl_takes(word: str) -> None:
    for held in (NEW, OLD):
        found = find(served(held), word)
        assert found is not None
        assert found.resource == PODS


@pytest.mark.parametrize("word", ["shops.acme.org", "shops.v2.acme.org", "Shop.v2.acme.org"])
def test_a_group_in_the_word(word: str) -> None:
    found = find(served(NEW), word)
    assert found is not None
    assert found.resource.version == "v2"
    assert find(served(NEW), "shops.v3.acme.org") is None
    assert find(served(NEW), "nothing") is None


@pytest.mark.parametrize("body", [None, [], {"items": [None, {"versions": "x"}]}, {"groups": [{}]}, "text"])
def test_odd_documents(body: Any) -> None:
    assert served(snapshot({API: body, APIS: body})) == ()


def test_nothing_was_read() -> None:
    assert served(Snapshot(datetime.now(UTC))) == ()
