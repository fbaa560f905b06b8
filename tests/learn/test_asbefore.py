"""As before: what a lesson could leave is seen, what changes by itself is not, and the docs say which is which."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Reading, listing
from kcompanion.model.snapshot import Snapshot
from tests.learn.asbefore import ANY, MADE_ANEW, MIRROR, VOLATILE, Objects, differences, objects

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOW = datetime(2026, 11, 28, tzinfo=UTC)
NODE = {"metadata": {"name": "n", "labels": {"a": "b"}, "resourceVersion": "1"}, "spec": {}, "status": {"x": 1}}
MIRRORED = {"metadata": {"name": "etcd", "namespace": "kube-system", "uid": "1", "annotations": {MIRROR: "h"}}}


def seen(lists: dict[Ask, list[Any]]) -> Objects:
    readings = {ask.key: Reading(ask, Outcome.OK, 200, body=body) for ask, body in lists.items()}
    return objects(Snapshot(NOW, readings=readings), lambda space: space.startswith("test-"))


def changed(item: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], **metadata}}


def compared(resource: r.Resource, before: list[Any], after: list[Any]) -> list[str]:
    return list(differences(seen({listing(resource): before}), seen({listing(resource): after})))


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ([NODE], []),
        ([{**changed(NODE, resourceVersion="2", generation=3, managedFields=[1]), "status": {}}], []),
        ([changed(NODE, labels={"a": "b", "c": "d"})], ["changed: nodes /n: metadata.labels.c: None → 'd'"]),
        ([{**NODE, "spec": {"unschedulable": True}}], ["changed: nodes /n: spec.unschedulable: None → True"]),
        ([changed(NODE, uid="other")], ["changed: nodes /n: metadata.uid: None → 'other'"]),
        ([NODE, {"metadata": {"name": "m"}}], ["left behind: nodes /m"]),
        ([], ["gone: nodes /n"]),
    ],
)
def test_a_change_is_seen_unless_it_comes_by_itself(after: list[Any], told: list[str]) -> None:
    assert compared(r.NODES, [NODE], after) == told


def test_a_mirror_pod_made_anew_is_the_same() -> None:
    anew = {
        "uid": "2",
        "creationTimestamp": "later",
        "annotations": {MIRROR: "h", "kubernetes.io/config.seen": "later"},
    }
    assert compared(r.PODS, [MIRRORED], [changed(MIRRORED, **anew)]) == []
    other = changed(MIRRORED, annotations={MIRROR: "h", "x": "y"})
    assert compared(r.PODS, [MIRRORED], [other]) == [
        "changed: pods kube-system/etcd: metadata.annotations.x: None → 'y'"
    ]


def test_leases_and_events_come_and_go() -> None:
    assert compared(r.LEASES, [], [NODE]) == compared(r.EVENTS, [NODE], []) == []


def test_what_is_in_namespaces_of_others_is_theirs() -> None:
    theirs = {"metadata": {"name": "x", "namespace": "test-1"}}
    assert compared(r.CONFIGMAPS, [], [theirs]) == []
    assert compared(r.NAMESPACES, [], [{"metadata": {"name": "test-1"}}]) == []
    assert compared(r.NAMESPACES, [], [{"metadata": {"name": "lesson"}}]) == ["left behind: namespaces /lesson"]


NAMES = {"every object": ANY, "모든 오브젝트": ANY, "mirror pods": MIRROR, "미러 파드": MIRROR}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_docs_list_what_is_left_out(language: str) -> None:
    page = (DOCS / f"lessons.{language}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (—|`[^|]+`) \|", page, re.MULTILINE)
    told = {
        (NAMES.get(name, name.strip("`")), field)
        for name, fields in rows
        for field in re.findall(r"`([^`]+)`", fields) or [""]
    }
    assert told == {*VOLATILE, *((MIRROR, field) for field in MADE_ANEW)}
