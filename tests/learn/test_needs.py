"""Needs: each is told from what clusters answer, and the rights follow from what a lesson sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kcompanion.access.rights import Right
from kcompanion.learn.answers import Request
from kcompanion.learn.lesson import APPLY, Lesson, Send, Step, Undo
from kcompanion.learn.lessons import BY_ID, LESSONS
from kcompanion.learn.needs import NEEDS, Asked, Command, Reply, by_verb, open_questions, rights, rights_of, unmet
from kcompanion.learn.protocol import Setting
from kcompanion.model.ask import Outcome
from kcompanion.text import catalog

OWN = Setting("abc", "space", own=True, image="img")
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
TAINT = [{"key": "k", "effect": "NoSchedule"}]


def node(name: str, *, master: bool = False, provider: str = "", **spec: Any) -> dict[str, Any]:
    labels = {"node-role.kubernetes.io/control-plane": ""} if master else {}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"providerID": provider, **spec}, "status": READY}


def items(*those: Mapping[str, Any]) -> Reply:
    return Reply(200, {"items": list(those)})


REFUSED = Reply(403, {"message": "you may not"})
THREE = items(node("m", master=True, taints=TAINT), node("a"), node("b"))
DEFAULT = {"metadata": {"name": "s", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
IN_DOCKER = tuple(node(name, provider=f"kind://docker/c/{name}") for name in ("m", "a"))

CASES = [
    ("nodes", (THREE,), True),
    ("nodes", (REFUSED,), False),
    ("two_workers", (THREE,), True),
    ("two_workers", (items(node("a"), node("b", unschedulable=True)),), False),
    ("two_workers", (items(node("a"), node("b", taints=TAINT)),), False),
    ("two_workers", (items(node("a"), {**node("b"), "status": {}}),), False),
    ("two_workers", (REFUSED,), False),
    ("tainted_node", (THREE,), True),
    ("tainted_node", (items(node("a")),), False),
    ("tainted_node", (items(node("a", taints=[{"key": "k", "effect": "PreferNoSchedule"}])),), False),
    ("storage_class", (items(DEFAULT),), True),
    ("storage_class", (items({"metadata": {"name": "s"}}),), False),
    ("storage_class", (REFUSED,), False),
    ("control_plane", (items({"metadata": {"name": "kube-apiserver-m"}}),), True),
    ("control_plane", (items(),), False),
    ("etcd_pod", (items({"metadata": {"labels": {"component": "etcd"}}}),), True),
    ("etcd_pod", (items({"metadata": {"labels": {"component": "kube-apiserver"}}}),), False),
    ("kind", (items(*IN_DOCKER), Reply(0, "m\na\nanother\n")), True),
    ("kind", (items(*IN_DOCKER), Reply(0, "m\n")), False),
    ("kind", (items(*IN_DOCKER), Reply(127, "")), False),
    ("kind", (items(node("m"), node("a")), Reply(0, "m\na\n")), False),
    ("kind", (items(), Reply(0, "")), False),
    ("ha", (items(*(node(name, master=True) for name in "abc")),), True),
    ("ha", (THREE,), False),
    ("kubectl", (Reply(0, "Client Version: v1.36.4"),), True),
    ("kubectl", (Reply(127, ""),), False),
    ("operator", (Reply(0, ""),), True),
    ("operator", (Reply(1, ""),), False),
    ("no_operator", (items(),), True),
    ("no_operator", (items({"metadata": {"name": "kcompanion-operator"}}),), False),
    ("no_operator", (REFUSED,), False),
    ("crd", (Reply(200, {}), Reply(201, {"status": {"allowed": False}})), True),
    ("crd", (Reply(404, {}), Reply(201, {"status": {"allowed": True}})), True),
    ("crd", (Reply(404, {}), Reply(201, {"status": {"allowed": False}})), False),
    ("own_namespace", (Reply(201, {"status": {"allowed": True}}),), True),
    ("own_namespace", (Reply(201, {"status": {"allowed": False}}),), False),
    ("own_namespace", (REFUSED,), False),
    ("crd", (REFUSED, REFUSED), False),
    ("node_rights", (Reply(201, {"status": {"allowed": False}}),), False),
]


@pytest.mark.parametrize(("word", "replies", "met"), CASES)
def test_a_need_is_told_from_the_answers(word: str, replies: tuple[Reply, ...], met: bool) -> None:
    need = NEEDS[word]
    assert len(replies) == len(need.asks)
    assert bool(need.met(*replies)) is met


def test_every_need_is_tried_both_ways_and_has_words() -> None:
    assert {word for word, _, _ in CASES} == set(NEEDS)
    for language in ("en", "ko"):
        for word in (*NEEDS, "rights"):
            assert catalog.has(language, f"learn.need.{word}")
            assert catalog.has(language, f"learn.do.{word}")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.id)
def test_every_need_of_a_lesson_is_one_that_can_be_checked(lesson: Lesson) -> None:
    assert set(lesson.needs) <= set(NEEDS)


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("POST", "/api/v1/namespaces", Right(resource="namespaces", verb="create")),
        ("DELETE", "/api/v1/namespaces/x", Right(resource="namespaces", verb="delete")),
        ("GET", "/api/v1/namespaces/x/pods?labelSelector=a", Right("x", "", "pods", "list")),
        ("GET", "/api/v1/namespaces/x/pods/p", Right("x", "", "pods", "get")),
        ("POST", "/api/v1/namespaces/x/pods/p/eviction", Right("x", "", "pods/eviction", "create")),
        ("GET", "/api/v1/namespaces/x/services/s:80/proxy/a/b", Right("x", "", "services/proxy", "get")),
        ("PATCH", "/apis/apps/v1/namespaces/x/deployments/d/scale", Right("x", "apps", "deployments/scale", "patch")),
        ("DELETE", "/api/v1/nodes?labelSelector=a", Right(resource="nodes", verb="deletecollection")),
        ("PATCH", "/api/v1/nodes/<node>", Right(resource="nodes", verb="patch")),
        ("GET", "/api/v1/namespaces/<pod.metadata.namespace>/pods/p", Right("", "", "pods", "get")),
    ],
)
def test_a_request_needs_a_right(method: str, path: str, right: Right) -> None:
    assert list(rights_of(Request(method, path))) == [right]


@pytest.mark.parametrize("path", ["/api/v1", "/apis", "/apis/apps/v1", "/readyz", "/"])
def test_what_everybody_may_read_needs_none(path: str) -> None:
    assert list(rights_of(Request("GET", path))) == []


def test_what_may_be_refused_needs_no_right() -> None:
    lesson = Lesson("x", 1, (Step("s", (Send("a", "POST", "/api/v1/nodes", {}, (201, 403)),)),))
    assert "nodes" not in {right.resource for right in rights(lesson, OWN)}


def test_apply_may_also_create() -> None:
    found = rights_of(Request("PATCH", "/api/v1/namespaces/x/configmaps/c?force=true", content_type=APPLY))
    assert [right.verb for right in found] == ["patch", "create"]


def test_a_lesson_needs_the_rights_of_its_requests_and_of_the_way_back_but_not_those_of_others() -> None:
    acts = (
        Send("a", "PATCH", "/api/v1/nodes/n", {}, undo=Undo("DELETE", "/api/v1/namespaces/{ns}-b")),
        Send("b", "GET", "/api/v1/namespaces/{ns}/secrets", credentials="{a.token}"),
    )
    lesson = Lesson("x", 1, (Step("s", acts),))
    made = {right.text for right in rights(lesson, OWN)}
    assert made == {"create namespaces", "delete namespaces", "patch nodes"}
    guest = Setting("abc", "there", own=False, image="img")
    assert {right.text for right in rights(lesson, guest)} == {"delete namespaces", "patch nodes"}


def test_what_is_lacking_is_told_once_per_need_and_rights_as_one() -> None:
    def ask(asked: Asked) -> Reply:
        if isinstance(asked, Command) or asked.method == "GET":
            return items(node("a"))
        return Reply(201, {"status": {"allowed": asked.body["spec"]["resourceAttributes"]["verb"] != "patch"}})

    found = list(unmet(BY_ID["drain"], OWN, ask))
    assert [one.id for one in found] == ["two_workers", "node_rights", "rights"]
    assert dict(found[-1].told.values)["what"] == "patch nodes, poddisruptionbudgets.policy"


def test_what_was_refused_is_not_known_and_what_is_missing_is() -> None:
    def ask(asked: Asked) -> Reply:
        if isinstance(asked, Command) or asked.method == "GET":
            return REFUSED
        return Reply(201, {"status": {"allowed": asked.body["spec"]["resourceAttributes"]["verb"] != "patch"}})

    workers, right, rest = unmet(BY_ID["drain"], OWN, ask)
    assert [(one.id, one.known) for one in (workers, right, rest)] == [
        ("two_workers", False),
        ("node_rights", True),
        ("rights", True),
    ]
    assert [(gap.what, gap.outcome, gap.detail) for gap in workers.gaps] == [
        ("list nodes", Outcome.FORBIDDEN, "you may not")
    ]
    assert open_questions((workers,)) == workers.gaps
    assert open_questions((workers, right)) == ()


def test_rights_are_told_by_verb() -> None:
    denied = [Right("own", "", "pods", "get"), Right("other", "", "pods", "get"), Right("", "", "nodes", "patch")]
    assert by_verb(denied, "own") == "get pods, pods -n other; patch nodes"
