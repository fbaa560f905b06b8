"""A conversation: when it is over before it began, and what its errors advise."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from kcompanion.cluster.parallel import Deadline, run_all
from kcompanion.cluster.session import Session
from kcompanion.errors import NotAuthenticated, Unreachable
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, listing, local, raw
from tests.cluster_package.conftest import Connect
from tests.pki import LONG_AGO, Authority
from tests.servers import Answer, Api, items, refusal

PODS, NODES, VERSION = listing(r.PODS), listing(r.NODES), raw("/version")
OWN = local("client-certificate")


def test_401_everywhere_is_not_authenticated(api: Api, source: Connect) -> None:
    api.otherwise = refusal(401, "Unauthorized")
    with pytest.raises(NotAuthenticated) as caught:
        Session(source(api.url)).read([PODS, VERSION, OWN])
    assert "401" in caught.value.text
    assert caught.value.hint


def test_public_paths_do_not_hide_that_nobody_knows_us(api: Api, source: Connect) -> None:
    api.otherwise = refusal(401)
    api.answers["/version"] = Answer({"gitVersion": "v1.36.3"})
    with pytest.raises(NotAuthenticated):
        Session(source(api.url)).read([PODS, VERSION])
    assert Session(source(api.url)).read([VERSION]).reading(VERSION).ok


def test_401_with_an_ended_certificate_says_when_it_ended(tls_api: Api, authority: Authority, source: Connect) -> None:
    tls_api.otherwise = refusal(401)
    certificate, key = authority.issue("jane", ends=LONG_AGO.replace(year=2024))
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    with pytest.raises(NotAuthenticated) as caught:
        Session(source(tls_api.url, user, certificate_authority=authority.file)).read([PODS])
    assert "ended on 2024-01-01T00:00:00Z" in caught.value.hint


def test_one_answer_of_several_is_enough(api: Api, source: Connect) -> None:
    api.otherwise = refusal(403, "no")
    snapshot = Session(source(api.url)).read([PODS, NODES])
    assert [gap.outcome for gap in snapshot.gaps()] == [Outcome.FORBIDDEN] * 2


def test_504_is_an_answer_of_the_api_server(api: Api, source: Connect) -> None:
    api.otherwise = refusal(504, "etcd is slow")
    assert Session(source(api.url)).read([NODES]).gaps()[0].outcome is Outcome.TIMEOUT


def test_nothing_answers(source: Connect) -> None:
    with pytest.raises(Unreachable, match="connection refused"):
        Session(source("http://127.0.0.1:1")).read([PODS, NODES])


def test_nothing_is_asked_twice(api: Api, source: Connect) -> None:
    api.answers["/api/v1/pods"] = items()
    talk = Session(source(api.url))
    talk.read([PODS])
    talk.read([PODS])
    assert len(api.requests) == 1


def test_where_everything_is_forbidden_some_namespaces_may_not_be(api: Api, source: Connect) -> None:
    api.otherwise = refusal(403, "no")
    api.answers["/api/v1/namespaces/default/pods"] = items({"metadata": {"name": "mine"}})
    snapshot = Session(source(api.url)).read_everywhere(r.PODS)
    assert snapshot.items(listing(r.PODS, "default"))
    assert snapshot.reading(PODS).outcome is Outcome.FORBIDDEN


def test_a_missing_group_is_absent_and_undecides_nothing(api: Api, source: Connect) -> None:
    api.answers["/api/v1/nodes"] = items()
    ask = listing(r.Resource("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", False))
    gap = Session(source(api.url)).read([NODES, ask]).gaps()[0]
    assert (gap.outcome, gap.decisive, gap.resource) == (Outcome.ABSENT, False, "nodes.metrics.k8s.io")


def test_a_thread_that_hangs_does_not_hold_the_others() -> None:
    never = threading.Event()
    tasks = {"quick": lambda: 1, "stuck": lambda: 2 if never.wait(30) else 3}
    started = time.monotonic()
    assert run_all(tasks, 2, Deadline(0.2)) == {"quick": 1}
    assert time.monotonic() - started < 2
    never.set()


def test_what_a_task_raises_is_raised() -> None:
    def fail() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run_all({"a": fail}, 2, Deadline(5))


def test_no_tasks() -> None:
    assert run_all({}, 2, Deadline(5)) == {}


def test_no_more_workers_than_told() -> None:
    busy, most, lock = [0], [0], threading.Lock()

    def work() -> None:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.01)
        with lock:
            busy[0] -= 1

    run_all({str(n): work for n in range(20)}, 3, Deadline(10))
    assert most[0] <= 3


def test_connecting_writes_nothing_to_disk_but_temporary_credentials(
    tmp_path: Path, api: Api, source: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    api.answers["/api/v1/pods"] = items()
    Session(source(api.url, {"token": "t"})).read([PODS])
    assert list((tmp_path / "t").iterdir()) == []
