"""Taking back: it waits as long as a busy cluster needs, says what it waits for, and tells what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kcompanion.cluster.cleaning import Cleaner, Patience, held_by
from kcompanion.cluster.connect import Target, connect
from kcompanion.learn.lesson import Undo
from kcompanion.model.message import Message
from tests.servers import Answer, Api, Request, refusal, write_kubeconfig

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
