"""Taking back: it waits as long as a busy cluster needs, says what it waits for, and tells what is left."""

from __future__ import annotations

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
