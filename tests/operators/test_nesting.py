"""One object that is nested too deeply must not blind the operator for all others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target
from kcompanion.reconcile.owner import ReplicaSet, replicaset_of
from kcompanion.reconcile.target import COMPANION
from operators.replicaset import nesting
from operators.replicaset.client import Client
from operators.replicaset.login import Logins
from operators.replicaset.logs import Log
from operators.replicaset.reflector import Reflector
from tests.operators.loops import in_loop, until
from tests.servers import Answer, Request, serving, write_kubeconfig

PATH = COMPANION.path("shop")
TAKEN = 9_900  # levels that the API server takes; it refuses 10,000


def stored(name: str, version: int, levels: int = 1) -> str:
    nested = '{"[\\"{":' * levels + "1" + "}" * levels  # brackets in a name are no brackets
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return f'{{"metadata":{json.dumps(metadata)},"spec":{{"template":{{"spec":{nested}}}}}}}'


def listed(*items: str) -> bytes:
    return f'{{"metadata":{{"resourceVersion":"9"}},"items":[{",".join(items)}]}}'.encode()


def event(kind: str, item: str) -> bytes:
    return f'{{"type":"{kind}","object":{item}}}'.encode()


def test_json_itself_gives_up() -> None:
    with pytest.raises(RecursionError):
        json.loads(listed(stored("deep", 1, 100_000)))


@pytest.mark.parametrize("levels", [nesting.DEEPEST, 1_000, TAKEN, 100_000])
def test_a_list_is_read_without_it(levels: int) -> None:
    found = nesting.items_of(listed(stored("a", 1), stored("deep", 2, levels), stored("b", 3)))
    assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b"]
    assert found["metadata"]["resourceVersion"] == "9"
    assert found["items"][1] == json.loads(stored("b", 3))


def test_what_is_not_too_deep_is_read_as_it_is() -> None:
    whole = listed(stored("a", 1), stored("b", 2, nesting.DEEPEST - 10))
    assert nesting.items_of(whole) == json.loads(whole)
    assert nesting.event_of(event("ADDED", stored("a", 1))) == {"type": "ADDED", "object": json.loads(stored("a", 1))}


def test_of_a_single_object_no_part_is_taken_for_the_whole() -> None:
    assert nesting.items_of(stored("deep", 1, TAKEN).encode()) == {}


@pytest.mark.parametrize("data", [b"[" * 5_000, b"]" * 5_000, b'{"items":[' + b"[" * 5_000 + b"]" * 4_000])
def test_what_is_no_json_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra|delimiter"):
        nesting.items_of(data)


class Kept:
    """A sink that keeps names."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.version = 0

    def replaced(self, items: list[ReplicaSet], version: int) -> None:
        self.names = {item.name for item in items}

    def changed(self, item: ReplicaSet) -> None:
        self.names.add(item.name)

    def deleted(self, item: ReplicaSet) -> None:
        self.names.discard(item.name)

    def reached(self, version: int) -> None:
        self.version = version


@in_loop
async def test_the_others_are_listed_and_watched_all_the_same(tmp_path: Path) -> None:
    lines = [
        event("ADDED", stored("deep-too", 10, TAKEN)),
        event("MODIFIED", stored("b", 11, TAKEN)),  # read before; what is known of it is no longer true
        event("ADDED", stored("c", 12)),
    ]

    def answer(request: Request) -> Answer:
        if "watch" not in request.query:
            return Answer(listed(stored("a", 1), stored("b", 2), stored("deep", 3, TAKEN)))
        since = int(request.query["resourceVersion"])
        return Answer(b"".join(line + b"\n" for number, line in enumerate(lines, 10) if number > since))

    with serving() as api:
        api.answers[PATH] = answer
        config = write_kubeconfig(tmp_path / "config", api.url)
        client, kept = Client(Logins(Target(kubeconfig=str(config)))), Kept()
        reflector = Reflector("crs", client, PATH, lambda item: replicaset_of(COMPANION, item), kept, Log("test"))
        running = asyncio.create_task(reflector.run())
        await until(lambda: running.done() or kept.names == {"a", "c"})
        assert not running.done()
        assert reflector.lists == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
