"""Taking back: it waits as long as a busy cluster needs, says what it waits for, and tells what is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster.cleaning import Cleaner, Patience, Unread, held_by
from kcompanion.cluster.connect import Target, connect
from kcompanion.cluster.journal import Entry, Head
from kcompanion.learn.lesson import Undo
from kcompanion.learn.mark import LESSON
from kcompanion.model.message import Message
from tests.servers import Answer, Api, Request, items, refusal, write_kubeconfig

SPACE = "/api/v1/namespaces/x"
DELETION = Undo("DELETE", SPACE, {})
CONTENT = {
    "type": "NamespaceContentRemaining",
    "status": "True",
    "message": "Some resources are remaining: pods. has 2 resource instances",
}
ENDING = {"status": {"conditions": [{"type": "A", "status": "False", "message": "fine"}, CONTENT]}}


@pytest.fixture
def told() -> list[Message]:
    return []


@pytest.fixture
def cleaner(api: Api, tmp_path: Path, told: list[Message]) -> Iterator[Callable[[Patience], Cleaner]]:
    connection = connect(Target(kubeconfig=str(write_kubeconfig(tmp_path / "config", api.url))))
    yield lambda patience: Cleaner(connection, 5, told.append, patience)
    connection.client.rest_client.close()


def there_for(looks: int) -> Callable[[Request], Answer]:
    """A namespace that is seen a few times more before it is gone."""
    seen: list[str] = []

    def answer(request: Request) -> Answer:
        seen.append(request.method)
        return Answer(ENDING) if len(seen) <= looks else refusal(404, "not found")

    return answer


def test_what_goes_in_time_is_not_talked_about(
    api: Api, cleaner: Callable[[Patience], Cleaner], told: list[Message]
) -> None:
    api.answers[SPACE] = there_for(2)
    assert cleaner(Patience()).undo(DELETION) == []
    assert told == []


def test_a_long_wait_is_told_once_with_its_reason(
    api: Api, cleaner: Callable[[Patience], Cleaner], told: list[Message]
) -> None:
    api.answers[SPACE] = there_for(4)
    assert cleaner(Patience(quiet=0)).undo(DELETION) == []
    [one] = told
    assert one.id == "learn.still_there"
    assert dict(one.values)["why"] == CONTENT["message"]


def test_what_does_not_go_is_left_and_told_with_its_reason(api: Api, cleaner: Callable[[Patience], Cleaner]) -> None:
    api.answers[SPACE] = Answer(ENDING)
    assert cleaner(Patience(whole=0)).undo(DELETION) == [f"{SPACE} is still being deleted: {CONTENT['message']}"]


def test_it_does_not_wait_for_an_api_server_that_is_gone(api: Api, cleaner: Callable[[Patience], Cleaner]) -> None:
    def broken(request: Request) -> Answer:
        if request.method == "GET":
            raise ConnectionResetError
        return Answer(ENDING)

    api.answers[SPACE] = broken
    [left] = cleaner(Patience(silence=0)).undo(DELETION)
    assert left.startswith(f"{SPACE} may be left: ")


def test_what_holds_an_object_is_its_conditions_else_its_finalizers() -> None:
    assert held_by(ENDING) == CONTENT["message"]
    assert held_by({"metadata": {"finalizers": ["a", "b"]}}) == "a, b"
    assert held_by({}) == ""


NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
BEFORE, JUST_NOW = "2026-11-28T11:00:00Z", "2026-11-28T11:50:00Z"
HEAD = Head("known", "x", "https://x", "n", own=True, collections=())
KNOWN = Entry(Path("x"), HEAD, (), alive=False)


def labelled(name: str, run: str = "lost", made: str = BEFORE, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {LESSON: run}, "creationTimestamp": made, **metadata}}


def found(api: Api, cleaner: Cleaner, namespace: str | None = None) -> list[str]:
    """The leftovers, where the API server serves nothing but what was put into it."""
    undos = list(cleaner.leftovers([KNOWN], NOW, namespace))
    assert {one.query["labelSelector"] for one in api.requests} == {LESSON}
    return [f"{undo.method} {undo.path}" for undo in undos]


def test_whatever_carries_the_label_and_is_old_is_a_leftover(api: Api, cleaner: Callable[[Patience], Cleaner]) -> None:
    api.answers["/api/v1/namespaces"] = items(
        labelled("kcompanion-lesson-lost"),
        labelled("kcompanion-lesson-young", "young", JUST_NOW),
        labelled("kcompanion-lesson-known", "known"),
    )
    api.answers["/api/v1/configmaps"] = items(
        labelled("one", namespace="shop"),
        labelled("inside", namespace="kcompanion-lesson-lost"),
        labelled("new", namespace="shop", made=JUST_NOW),
        labelled("of-young", "young", namespace="shop"),
    )
    api.answers["/api/v1/pods"] = items(labelled("owned", namespace="shop", ownerReferences=[{"uid": "u"}]))
    changed: dict[str, Any] = {"fieldsV1": {"f:metadata": {"f:labels": {f"f:{LESSON}": {}}}}}
    api.answers["/api/v1/nodes"] = items(
        labelled("left", managedFields=[{**changed, "time": BEFORE}]),
        labelled("cordoned-just-now", managedFields=[{**changed, "time": JUST_NOW}]),
        labelled("of-young", "young"),
    )
    assert found(api, cleaner(Patience())) == [
        "DELETE /api/v1/namespaces/kcompanion-lesson-lost",
        "DELETE /api/v1/namespaces/shop/configmaps/one",
        "PATCH /api/v1/nodes/left",
    ]


def test_in_one_namespace_nothing_else_is_looked_at(api: Api, cleaner: Callable[[Patience], Cleaner]) -> None:
    api.answers["/api/v1/namespaces/shop/configmaps"] = items(labelled("one", namespace="shop"))
    assert found(api, cleaner(Patience()), "shop") == ["DELETE /api/v1/namespaces/shop/configmaps/one"]
    assert all("/namespaces/shop/" in one.path for one in api.requests)


def test_what_cannot_be_listed_is_told(api: Api, cleaner: Callable[[Patience], Cleaner]) -> None:
    api.answers["/api/v1/pods"] = refusal(403, "you may not")
    with pytest.raises(Unread, match="/api/v1/pods could not be listed: you may not"):
        found(api, cleaner(Patience()))


def test_a_collection_is_gone_when_it_is_empty(api: Api, cleaner: Callable[[Patience], Cleaner]) -> None:
    api.answers["/apis/x/v1/things"] = items()
    assert cleaner(Patience()).undo(Undo("DELETE", f"/apis/x/v1/things?labelSelector={LESSON}%3Da", {})) == []


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/x.example/v1/things"
MADE = Undo("DELETE", f"{CRDS}?labelSelector={LESSON}%3Dmine")
APPLIED = [{"manager": "operator-install", "operation": "Apply"}, {"manager": "k", "operation": "Update"}]


def kind(**metadata: Any) -> dict[str, Any]:
    spec = {
        "group": "x.example",
        "names": {"plural": "things"},
        "versions": [{"name": "v0", "served": False}, {"name": "v1", "served": True}],
    }
    status = {"manager": "kube-apiserver", "subresource": "status"}
    managed = [{"manager": "k", "operation": "Update"}, status]
    return {**labelled("things.x.example", "mine", uid="u", managedFields=managed, **metadata), "spec": spec}


@pytest.fixture
def crd(api: Api) -> list[Request]:
    """A kind that is gone once it is deleted; the writes that it got."""
    writes: list[Request] = []

    def answer(request: Request) -> Answer:
        if request.method == "GET":
            return refusal(404, "not found") if any(one.method == "DELETE" for one in writes) else Answer(kind())
        writes.append(request)
        return Answer(kind())

    api.answers[CRDS] = items(kind())
    api.answers[f"{CRDS}/things.x.example"] = answer
    return writes


def test_a_kind_that_only_the_lesson_used_is_deleted(
    api: Api, cleaner: Callable[[Patience], Cleaner], crd: list[Request], told: list[Message]
) -> None:
    api.answers[THINGS] = items(labelled("web", "mine", namespace="a"))
    assert cleaner(Patience()).undo(MADE) == []
    assert [(one.method, json.loads(one.body)["preconditions"]) for one in crd] == [("DELETE", {"uid": "u"})]
    assert told == []


@pytest.mark.parametrize(
    ("others", "label"),
    [
        ({"metadata": {"name": "shop", "namespace": "b"}}, None),
        (labelled("shop", "another-run", namespace="b"), "another-run"),  # which deletes it at its own end
    ],
)
def test_a_kind_that_others_use_stays(
    api: Api,
    cleaner: Callable[[Patience], Cleaner],
    crd: list[Request],
    told: list[Message],
    others: dict[str, Any],
    label: str | None,
) -> None:
    api.answers[THINGS] = items(labelled("web", "mine", namespace="a"), others)
    assert cleaner(Patience()).undo(MADE) == []
    assert [(one.method, json.loads(one.body)) for one in crd] == [("PATCH", {"metadata": {"labels": {LESSON: label}}})]
    assert [(one.id, dict(one.values)["who"]) for one in told] == [("learn.kind_kept", "b/shop")]


def test_a_kind_that_somebody_applied_meanwhile_stays(
    api: Api, cleaner: Callable[[Patience], Cleaner], crd: list[Request], told: list[Message]
) -> None:
    api.answers[CRDS] = items({**kind(), "metadata": {**kind()["metadata"], "managedFields": APPLIED}})
    api.answers[THINGS] = items()
    assert cleaner(Patience()).undo(MADE) == []
    assert [one.method for one in crd] == ["PATCH"]
    assert dict(told[0].values)["who"] == "k, operator-install"


def test_a_kind_of_which_nobody_knows_who_uses_it_is_left(
    api: Api, cleaner: Callable[[Patience], Cleaner], crd: list[Request]
) -> None:
    api.answers[THINGS] = refusal(403, "you may not")
    [left] = cleaner(Patience()).undo(MADE)
    assert "may be in use" in left
    assert crd == []


def test_a_kind_that_was_there_before_has_no_label_and_is_not_found(
    api: Api, cleaner: Callable[[Patience], Cleaner], crd: list[Request]
) -> None:
    api.answers[CRDS] = items()
    assert cleaner(Patience()).undo(MADE) == []
    assert [one.query for one in api.requests] == [{"labelSelector": f"{LESSON}=mine"}]
    assert crd == []
