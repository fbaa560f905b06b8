from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target
from kcompanion.reconcile.requests import CreatePod, DeletePod
from operators.replicaset.client import (
    CONNECTIONS,
    MOST_CONNECTIONS,
    NO_LEASE,
    Client,
    Slots,
    WatchEnded,
    resource_in,
)
from operators.replicaset.login import Logins
from operators.replicaset.wire import IDLE
from tests.operators.loops import in_loop, until
from tests.servers import Answer, Api, Request, items, refusal, serving, write_kubeconfig

PODS = "/api/v1/namespaces/n/pods"
CREATE = CreatePod("n", {"kind": "Pod", "metadata": {"generateName": "web-"}})


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as server:
        yield server


@asynccontextmanager
async def client(api: Api, folder: Path, *, qps: float = 0.0, burst: int = 0) -> AsyncIterator[Client]:
    config = write_kubeconfig(folder / "config", api.url, {"token": "secret"})
    made = Client(Logins(Target(kubeconfig=str(config))), qps=qps, burst=burst)
    try:
        yield made
    finally:
        await made.close()


@in_loop
async def test_a_request_says_who_we_are_and_what_it_is(api: Api, tmp_path: Path) -> None:
    api.answers[PODS] = Answer({"metadata": {"name": "web-1"}}, 201)
    async with client(api, tmp_path) as sender:
        answer = await sender.send(CREATE)
    assert (answer.code, answer.body["metadata"]["name"]) == (201, "web-1")
    (request,) = api.requests
    assert request.values("Authorization") == ["Bearer secret"]
    assert request.values("Content-Type") == ["application/json"]
    assert sender.counted == {("create", "pods", 201): 1}


@in_loop
async def test_429_is_tried_again_after_what_the_server_asks_for(api: Api, tmp_path: Path) -> None:
    answers = iter([refusal(429, "too many", Retry_After="1"), Answer({}, 201)])
    api.answers[PODS] = lambda _: next(answers)
    began = time.monotonic()
    async with client(api, tmp_path) as sender:
        assert (await sender.send(CREATE)).code == 201
    assert time.monotonic() - began >= 1
    assert len(api.requests) == 2


@pytest.mark.parametrize("status", [500, 503, 504, 409, 403])
def test_nothing_else_is_tried_again(api: Api, tmp_path: Path, status: int) -> None:
    api.answers[PODS] = refusal(status, "no")

    @in_loop
    async def send() -> None:
        async with client(api, tmp_path) as sender:
            assert (await sender.send(CREATE)).code == status

    send()
    assert len(api.requests) == 1


@in_loop
async def test_a_pod_whose_answer_is_lost_is_not_created_again(tmp_path: Path) -> None:
    served = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        head = await reader.readuntil(b"\r\n\r\n")
        served += head.startswith(b"POST")
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    config = write_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    sender = Client(Logins(Target(kubeconfig=str(config))))
    answer = await sender.send(CREATE)
    await sender.close()
    server.close()
    assert (answer.code, served) == (0, 1)
    assert answer.message


@in_loop
async def test_no_write_is_sent_after_the_lease_ran_out_not_even_one_that_waited(api: Api, tmp_path: Path) -> None:
    api.answers[PODS] = Answer({}, 201)
    left = 10.0
    async with client(api, tmp_path, qps=5, burst=1) as sender:
        sender.lease_left = lambda: left
        first, second = (asyncio.create_task(sender.send(CREATE)) for _ in range(2))
        assert (await first).code == 201
        left = 0.0  # while the second waits for its token
        assert (await second) == (await sender.send(DeletePod("n", "web-1", "u")))
        assert (await second).message == NO_LEASE
    assert len(api.requests) == 1


@in_loop
async def test_an_answer_is_not_waited_for_beyond_the_lease(api: Api, tmp_path: Path) -> None:
    api.answers[PODS] = api.hang
    async with client(api, tmp_path) as sender:
        sender.lease_left = lambda: 0.2
        began = time.monotonic()
        assert (await sender.send(CREATE)).code == 0
        assert time.monotonic() - began < 3


@in_loop
async def test_requests_keep_to_the_limit_and_watches_do_not_count(api: Api, tmp_path: Path) -> None:
    api.answers[PODS] = Answer({}, 201)
    async with client(api, tmp_path, qps=50, burst=10) as sender:
        began = time.monotonic()
        await asyncio.gather(*(sender.send(CREATE) for _ in range(30)))
        took = time.monotonic() - began
        assert took >= 0.39
        api.answers[PODS] = Answer(b'{"type":"BOOKMARK"}\n')
        assert [line async for line in sender.lines(PODS + "?watch=true", silence=5)] == [b'{"type":"BOOKMARK"}']


@in_loop
async def test_a_token_that_is_no_longer_known_is_read_anew(api: Api, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    config = write_kubeconfig(tmp_path / "config", api.url, {"tokenFile": str(token)})

    def known(request: Request) -> Answer:
        return items() if request.values("Authorization") == ["Bearer new"] else refusal(401, "Unauthorized")

    api.answers[PODS] = known
    logins = Logins(Target(kubeconfig=str(config)))
    sender = Client(logins)
    assert (await sender.ask("GET", PODS)).code == 401
    token.write_text("new\n")
    logins._read -= 10  # it is not read at every refusal
    assert (await sender.ask("GET", PODS)).code == 401  # this one is refused, and makes it look
    assert (await sender.ask("GET", PODS)).code == 200
    await sender.close()


@in_loop
async def test_a_silent_watch_is_told(api: Api, tmp_path: Path) -> None:
    api.answers[PODS] = api.hang
    async with client(api, tmp_path) as sender:
        with pytest.raises(WatchEnded, match="nothing came") as caught:
            await anext(sender.lines(PODS, silence=0.2))
        assert caught.value.code == 0
        await until(lambda: len(api.requests) == 1)


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/api/v1/namespaces/n/pods?limit=1", "pods"),
        ("/api/v1/pods", "pods"),
        ("/apis/apps/v1/namespaces/n/replicasets/web/status", "replicasets/status"),
        ("/apis/kcompanion.dev/v1alpha1/companionreplicasets", "companionreplicasets"),
        ("/api/v1/namespaces/n/events/web.1", "events"),
        ("/version", "/version"),
    ],
)
def test_what_a_path_is_about(path: str, resource: str) -> None:
    assert resource_in(path) == resource


@in_loop
async def test_connections_grow_with_the_work_and_are_few_again_after_a_pause() -> None:
    now = 0.0
    slots = Slots(clock=lambda: now)
    running, most = 0, 0

    async def work() -> None:
        nonlocal running, most
        async with slots:
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _ in range(CONNECTIONS * 2)))
    assert CONNECTIONS <= most < CONNECTIONS * 2
    await asyncio.gather(*(work() for _ in range(10_000)))
    assert slots.most == most == MOST_CONNECTIONS
    now += IDLE + 1
    most = 0
    await asyncio.gather(*(work() for _ in range(CONNECTIONS + 4)))
    assert most == CONNECTIONS
