"""The table of exercises: every demo has its place, names give nothing away, and each can be made ready anywhere."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from kcompanion.explain.book import RULES
from kcompanion.practice.cases import PRACTICE, case
from kcompanion.practice.exercises import BY_ID, EXERCISES, NO_EXERCISES, TOPICS, Exercise
from kcompanion.practice.faults import BY_KIND, containers, fault, names, pod_specs
from kcompanion.practice.judgement import NEEDS
from kcompanion.practice.programs import AGNHOST, MISHAP
from kcompanion.text import catalog

IMAGE = "mirror.example.com/agnhost:1"
SPACE = "kcompanion-practice-x"
DEMOS = Path(__file__).parents[2] / "manifests" / "demo"


def test_every_demo_has_its_place() -> None:
    """An exercise, an obstacle that is read off it, or a reason beside its name: just one of them."""
    exercises = {one.demo for one in EXERCISES}
    hindered = {name for name in names() if fault(name).obstacles}
    assert exercises & hindered == set()
    assert exercises & set(NO_EXERCISES) == set()
    assert hindered & set(NO_EXERCISES) == set()
    assert exercises | hindered | set(NO_EXERCISES) == set(names())
    assert len(exercises) == len(EXERCISES)


def test_there_are_more_than_the_peers_have() -> None:
    assert len(EXERCISES) >= 60
    assert len({one.code for one in EXERCISES}) >= 35


@pytest.mark.parametrize(
    ("name", "obstacle"),
    [
        ("KC5062-dedicated", "exclusive"),
        ("KC5174", "exclusive"),
        ("KC5074", "cluster-scoped"),
        ("KC5212", "lab"),
        ("KC5070", "lab"),
        ("KC5271", "commands"),
        ("KC5165", "selector"),
        ("KC5144", "program"),
    ],
)
def test_obstacles_are_read_off_the_demo(name: str, obstacle: str) -> None:
    assert obstacle in fault(name).obstacles


def test_they_are_numbered_by_topic_from_easy_to_hard() -> None:
    by_topic: dict[str, list[Exercise]] = defaultdict(list)
    for one in EXERCISES:
        by_topic[one.topic].append(one)
    assert tuple(by_topic) == TOPICS
    for topic, those in by_topic.items():
        assert [one.id for one in those] == [f"{topic}-{number}" for number in range(1, len(those) + 1)]
        assert [one.level for one in those] == sorted(one.level for one in those)
        assert all(1 <= one.level <= 3 and one.minutes > 0 for one in those)
        assert all(need in NEEDS for one in those for need in one.needs)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_has_a_title_of_its_own(language: str) -> None:
    titles = {key: text for key, text in catalog.area(language, "practice").items() if key.startswith("title.")}
    assert set(titles) == {f"title.{one.id.replace('-', '_')}" for one in EXERCISES}
    assert len(set(titles.values())) == len(titles)


@pytest.mark.parametrize("one", EXERCISES, ids=str)
def test_the_title_does_not_name_the_broken_field(one: Exercise) -> None:
    """No word of the title is a field of the manifest, written as there: those are what is to be found."""
    fields = set(_keys([dict(item) for item in one.fault.items])) | {"KC", "StorageClass", "ResourceQuota"}
    words = set(re.findall(r"\w+", catalog.area("en", "practice")[f"title.{one.id.replace('-', '_')}"]))
    plain = {"name", "image", "kind", "volume", "containers"}  # words that happen to be fields
    assert fields & words <= plain


def _keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in _keys(inner))]
    return [key for inner in value for key in _keys(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("one", EXERCISES, ids=str)
def test_it_is_ready_for_any_cluster(one: Exercise) -> None:
    made = case(one, SPACE, IMAGE, "abc123")
    assert made.items
    assert made.goals
    for item in made.items:
        assert BY_KIND[item["kind"]].namespaced
        assert item["metadata"]["namespace"] == SPACE
        assert item["metadata"]["labels"][PRACTICE] == "abc123"
        for spec in pod_specs(item):
            for container in containers(spec):
                assert container["image"] != MISHAP
                assert not container["image"].startswith(AGNHOST)
                assert "mishap" not in str([container.get("args"), container.get("readinessProbe")])
    assert made.space["metadata"]["labels"][PRACTICE] == "abc123"
    assert f"{made.target.kind}/{made.target.name}" in {f"{i['kind']}/{i['metadata']['name']}" for i in made.items}
    assert [goal.ref.namespace for goal in made.goals] == [SPACE] * len(made.goals)


@pytest.mark.parametrize("one", EXERCISES, ids=str)
def test_it_uses_the_image_that_is_asked_for(one: Exercise) -> None:
    """Only where the image is what is broken, no container has it."""
    images = {
        c["image"] for item in case(one, SPACE, IMAGE).items for spec in pod_specs(item) for c in containers(spec)
    }
    assert (IMAGE in images) != (one.topic == "image")


def test_the_demo_itself_is_not_changed() -> None:
    before = str(fault("KC5153").items)
    made = case(BY_ID["policy-12"], SPACE, IMAGE)
    assert str(fault("KC5153").items) == before
    assert made.space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_pod_is_put_under_a_deployment_unless_it_is_to_end() -> None:
    kinds = {name: case(BY_ID[name], SPACE, IMAGE).target.kind for name in ("config-1", "job-4", "policy-14")}
    assert kinds == {"config-1": "Deployment", "job-4": "Pod", "policy-14": "Pod"}


def test_rules_of_the_namespace_come_first() -> None:
    assert [item["kind"] for item in case(BY_ID["policy-1"], SPACE, IMAGE).items] == ["ResourceQuota", "Deployment"]


def test_each_is_about_a_rule_that_can_see_it() -> None:
    codes = {rule.code for rule in RULES}
    assert {one.code for one in EXERCISES} <= codes
