"""What the parts of names are."""

from __future__ import annotations

import pytest

from kcompanion.ownership.names import Meaning, name_parts
from tests.ownership.build import Json, controller, deployed, entity, pod, thing


def told(item: Json, owner: Json | None, above: Json | None = None) -> list[tuple[str, str]]:
    name = name_parts(entity(item), entity(owner) if owner else None, entity(above) if above else None)
    return [(part.text, part.meaning.value) for part in name.parts]


def test_deployment_hash_and_random() -> None:
    deployment, made, first, _ = deployed()
    assert told(made, deployment) == [("web", "owner"), ("5d54dbcf5f", "hash")]
    assert told(first, made, deployment) == [("web", "owner"), ("5d54dbcf5f", "hash"), ("bbbbb", "random")]
    assert told(first, made) == [("web-5d54dbcf5f", "owner"), ("bbbbb", "random")]


def test_a_long_name_is_cut_before_the_random_end() -> None:
    made = controller("ReplicaSet", "a" * 60, {"app": "a"})
    item = pod("a" * 58 + "bcdfg", made, labels={"app": "a"})
    assert told(item, made) == [("a" * 58, "owner"), ("bcdfg", "random")]


def test_hashes_are_compared() -> None:
    deployment, made, first, _ = deployed()
    assert name_parts(entity(made), entity(deployment)).hash_matches is True
    assert name_parts(entity(first), entity(made)).hash_matches is True
    first["metadata"]["labels"]["pod-template-hash"] = "0000000000"
    assert name_parts(entity(first), entity(made)).hash_matches is False
    assert name_parts(entity(first), None).hash_matches is None


def test_ordinals_indexes_and_minutes() -> None:
    stateful = controller("StatefulSet", "db", {"app": "db"})
    assert told(pod("db-11", stateful), stateful) == [("db", "owner"), ("11", "ordinal")]
    job = controller("Job", "once", {"app": "once"})
    indexed = pod("once-3-bcdfg", job, labels={"batch.kubernetes.io/job-completion-index": "3"})
    assert told(indexed, job) == [("once", "owner"), ("3", "index"), ("bcdfg", "random")]
    cron = thing("CronJob", "tick")
    name = name_parts(entity(thing("Job", "tick-29395440", owner=cron)), entity(cron))
    assert name.parts[1].meaning is Meaning.MINUTE
    assert name.parts[1].of == "2025-11-21T12:00:00Z"


def test_a_mirror_pod_has_its_nodes_name() -> None:
    node = thing("Node", "n1")
    assert told(pod("etcd-n1", node), node) == [("etcd", "given"), ("n1", "node")]


@pytest.mark.parametrize("name", ["web", "web-5d54dbcf5f-BBBBB", "web-5d54dbcf5f-aeiou", "other-bcdfg"])
def test_other_names_are_left_whole(name: str) -> None:
    _, made, *_ = deployed()
    assert told(pod(name, made), made) == [(name, "given")]
