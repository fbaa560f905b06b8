"""Against a small real server, with the fault proxy before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Target
from kcompanion.reconcile.pod import Pod, pod_of
from operators.replicaset import reflector as module
from operators.replicaset.client import Client
from operators.replicaset.login import Logins, log_in
from operators.replicaset.logs import Log
from operators.replicaset.reflector import Reflector
from tests.operators.faultproxy import FaultProxy
from tests.operators.loops import in_loop, until
from tests.operators.playedserver import PlayedServer
from tests.servers import write_kubeconfig

PATH = "/api/v1/namespaces/n/pods"


@dataclass
class Kept:
    """A sink that keeps names and remembers what it was told."""

    pods: dict[str, Pod] = field(default_factory=dict)
    replacements: int = 0
    version: int = 0

    def replaced(self, items: list[Pod], version: int) -> None:
        self.pods = {pod.name: pod for pod in items}
        self.replacements += 1
        self.version = version

    def changed(self, item: Pod) -> None:
        self.pods[item.name] = item
        self.version = item.version

    def deleted(self, item: Pod) -> None:
        del self.pods[item.name]
        self.version = item.version

    def reached(self, version: int) -> None:
        self.version = version

    @property
    def names(self) -> set[str]:
        return set(self.pods)


@dataclass
class Scene:
    server: PlayedServer
    proxy: FaultProxy
    kept: Kept
    reflector: Reflector[Pod]


@asynccontextmanager
async def scene(folder: Path, *names: str, silence: float = 20.0) -> AsyncIterator[Scene]:
    server = PlayedServer()
    for name in names:
        server.put(name)
    async with server.serving():
        login = log_in(Target(kubeconfig=str(write_kubeconfig(folder / "server", server.url))))
        async with FaultProxy(server.url, login).serving(None) as proxy:
            config = write_kubeconfig(folder / "proxy", f"http://127.0.0.1:{proxy.port}")
            client, kept = Client(Logins(Target(kubeconfig=str(config)))), Kept()
            reflector = Reflector("pods", client, PATH, pod_of, kept, Log("test"), silence=silence)
            running = asyncio.create_task(reflector.run())
            try:
                await asyncio.wait_for(reflector.synced.wait(), 10)
                await until(lambda: server.watches() > 0)
                yield Scene(server, proxy, kept, reflector)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await client.close()


@in_loop
async def test_what_is_there_and_what_comes_changes_and_goes(tmp_path: Path) -> None:
    async with scene(tmp_path, "a", "b") as s:
        assert s.kept.names == {"a", "b"}
        s.server.put("c")
        s.server.put("a", app="web")
        s.server.drop("b")
        await until(lambda: s.kept.names == {"a", "c"})
        assert s.kept.pods["a"].labels == {"app": "web"}
        assert (s.server.lists(), s.kept.version) == (1, s.server.version)


@in_loop
async def test_a_long_list_comes_in_pages(tmp_path: Path) -> None:
    names = [f"pod-{number:04}" for number in range(1201)]
    async with scene(tmp_path, *names) as s:
        assert len(s.kept.pods) == 1201
        assert sum("continue=" in path for _, path in s.server.asked) == 2


@in_loop
async def test_a_cut_watch_goes_on_where_it_was(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.cut()
        s.server.put("b")
        s.server.drop("a")
        await until(lambda: s.kept.names == {"b"})
        assert (s.server.lists(), s.kept.replacements) == (1, 1)


@in_loop
async def test_what_vanished_before_a_relist_is_gone_after_it(tmp_path: Path) -> None:
    async with scene(tmp_path, "a", "b") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.stalled = True
        await asyncio.sleep(0.05)
        s.server.drop("a")
        s.server.compact()
        s.proxy.stalled = False
        s.proxy.cut()
        await until(lambda: s.kept.names == {"b"})
        assert s.server.lists() == 2


@in_loop
async def test_an_error_event_is_no_reason_to_list_and_none_to_end(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.fail(500, message="etcdserver: leader changed")
        await until(lambda: s.server.watches() == 2)
        s.server.put("b")
        await until(lambda: s.kept.names == {"a", "b"})
        assert s.server.lists() == 1


@in_loop
async def test_too_old_a_version_is(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.fail(410)
        await until(lambda: s.kept.replacements == 2)
        s.server.put("b")
        await until(lambda: s.kept.names == {"a", "b"})


@in_loop
async def test_watches_refused_again_and_again_end_in_a_list(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.inject("watch", "pods", 500, times=module.PATIENCE)
        s.proxy.cut()
        await until(lambda: s.reflector.trouble == "500: injected")
        await until(lambda: s.kept.replacements == 2)
        s.server.put("b")
        await until(lambda: s.kept.names == {"a", "b"})
        assert s.reflector.trouble == ""


@in_loop
async def test_a_stalled_watch_is_opened_anew(tmp_path: Path) -> None:
    async with scene(tmp_path, "a", silence=0.4) as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.stalled = True
        s.server.put("b")
        await asyncio.sleep(0.2)
        s.proxy.stalled = False  # what was open then stays silent for ever
        assert s.kept.names == {"a"}
        await until(lambda: s.kept.names == {"a", "b"})
        assert s.server.lists() == 1


@in_loop
async def test_bookmarks_are_signs_of_life(tmp_path: Path) -> None:
    async with scene(tmp_path, "a", silence=3.0) as s:
        await until(lambda: s.proxy.open_watches() == 1)
        for _ in range(9):
            await asyncio.sleep(0.4)
            s.server.bookmark()
        assert s.server.watches() == 1
        assert s.reflector.silent < 3.0


@in_loop
async def test_late_events_come_in_order(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.held = True
        for number in range(20):
            s.server.put("a", n=str(number))
        await asyncio.sleep(0.1)
        assert s.kept.names == set()
        s.proxy.held = False
        await until(lambda: s.kept.names == {"a"} and s.kept.pods["a"].labels == {"n": "19"})


@in_loop
async def test_a_server_that_does_not_answer_is_tried_until_it_does(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.refusing = True
        s.proxy.cut()
        await until(lambda: bool(s.reflector.trouble))
        s.server.put("b")
        s.proxy.refusing = False
        await until(lambda: s.kept.names == {"a", "b"})
        assert s.server.lists() == 1


@in_loop
async def test_a_new_leader_lists_what_was_listed_before(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        s.proxy.held = True  # the last of the predecessor's writes are on their way
        s.server.put("b")
        await s.reflector.fresh(s.reflector._clock())
        assert s.kept.names == {"a", "b"}
        assert s.server.lists() == 2
        await s.reflector.fresh(0.0)
        assert s.server.lists() == 2


@in_loop
async def test_a_watch_that_is_refused_for_long_is_asked_for_less_and_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists that succeed say nothing about watches: they do not make the back-off start anew."""
    monkeypatch.setattr(module, "BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(module, "BACKOFF_MOST", 0.08)
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.inject("watch", "pods", 403, times=1000)
        s.proxy.cut()
        await until(lambda: s.kept.replacements == 4)
        assert s.reflector.watches >= 3 * (module.PATIENCE + 1)
        assert s.reflector._pause() >= 0.04
        assert s.reflector.troubled > 0


@in_loop
async def test_a_watch_is_not_asked_for_before_the_server_wants_it(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.inject("watch", "pods", 429, times=1000, retry_after=15)
        s.proxy.cut()
        await until(lambda: s.reflector.trouble.startswith("429"))
        assert s.reflector._pause() >= 15
        watches = s.reflector.watches
        await asyncio.sleep(0.6)
        assert (s.reflector.watches, s.reflector.lists) == (watches, 1)


@in_loop
async def test_too_old_a_version_again_and_again_is_no_reason_to_list_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(module, "BACKOFF_MOST", 0.08)
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        s.proxy.inject("watch", "pods", 410, times=1000)
        s.proxy.cut()
        await until(lambda: s.kept.replacements == 6)
        assert s.reflector._pause() >= 0.04


@in_loop
async def test_only_a_watch_that_tells_something_ends_the_trouble(tmp_path: Path) -> None:
    async with scene(tmp_path, "a") as s:
        await until(lambda: s.proxy.open_watches() == 1)
        assert s.reflector.troubled == 0
        s.proxy.inject("watch", "pods", 403, times=module.PATIENCE + 2)
        s.proxy.cut()
        await until(lambda: s.kept.replacements == 2)
        assert s.reflector.troubled > 0  # although the list succeeded
        await until(lambda: s.proxy.open_watches() == 1)
        s.server.put("b")
        await until(lambda: s.kept.names == {"a", "b"})
        assert s.reflector.troubled == 0
