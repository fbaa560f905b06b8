"""Single requests: time limits, retries, failures and what they are called."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from kcompanion import __version__
from kcompanion.cluster.live import LiveSource
from kcompanion.model import resources as r
from kcompanion.model.ask import Ask, Outcome, Reading, getting, listing, local, raw, review
from tests.cluster_package.conftest import Connect
from tests.servers import Answer, Api, Request, items, refusal

PODS = listing(r.PODS)
PATH = "/api/v1/pods"
VERSION = raw("/version")


def read(source: LiveSource, ask: Ask = PODS) -> Reading:
    return source.read([ask])[ask.key]


def test_the_request_timeout_bounds_and_nothing_retries_behind_it(api: Api, source: Connect) -> None:
    api.otherwise = api.hang
    started = time.monotonic()
    reading = read(source(api.url, request_timeout=0.3), VERSION)
    assert time.monotonic() - started < 1.5
    assert (reading.outcome, reading.status) == (Outcome.TIMEOUT, 0)
    assert len(api.requests) == 1


def test_a_server_that_drips_is_given_up_on(api: Api, source: Connect) -> None:
    api.answers[PATH] = Answer("[" + " " * 1000 + "]", parts=1000, pause=0.05)
    started = time.monotonic()
    reading = read(source(api.url, request_timeout=0.4, deadline=1))
    assert reading.outcome is Outcome.TIMEOUT
    assert time.monotonic() - started < 2.5


def test_everything_hangs_but_the_deadline_holds(api: Api, source: Connect) -> None:
    api.otherwise = api.hang
    asks = [getting(r.PODS, f"p{n}", "default") for n in range(40)]
    started = time.monotonic()
    readings = source(api.url, request_timeout=30, deadline=0.5).read(asks)
    assert time.monotonic() - started < 2.5
    assert {reading.outcome for reading in readings.values()} == {Outcome.TIMEOUT}
    assert set(readings) == {ask.key for ask in asks}


def test_what_came_before_the_deadline_is_kept(api: Api, source: Connect) -> None:
    def page(request: Request) -> Answer:
        return api.hang(request) if "continue" in request.query else items({"metadata": {"name": "a"}}, proceed="t")

    api.answers[PATH] = page
    api.answers["/version"] = Answer({"gitVersion": "v1.36.3"})
    answers = source(api.url, request_timeout=30, deadline=0.6).read([PODS, VERSION])
    assert answers[VERSION.key].ok
    assert answers[PODS.key].outcome is Outcome.TIMEOUT
    assert answers[PODS.key].body == [{"metadata": {"name": "a"}}]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(api: Api, source: Connect, status: int) -> None:
    times: list[float] = []

    def answer(request: Request) -> Answer:
        times.append(time.monotonic())
        return refusal(status, "slow down", Retry_After="1") if len(times) == 1 else items()

    api.answers[PATH] = answer
    assert read(source(api.url)).ok
    assert len(times) == 2
    assert times[1] - times[0] >= 1


def test_retry_after_beyond_the_deadline_is_not_waited_for(api: Api, source: Connect) -> None:
    api.answers[PATH] = refusal(429, "too many requests", Retry_After="3600")
    started = time.monotonic()
    reading = read(source(api.url, deadline=2))
    assert time.monotonic() - started < 1.5
    assert (reading.outcome, reading.status) == (Outcome.ERROR, 429)


def test_retries_end(api: Api, source: Connect) -> None:
    api.otherwise = refusal(503, "no", Retry_After="0")
    assert read(source(api.url)).status == 503
    assert len(api.requests) == 3


def test_etcd_may_be_gone_for_a_single_object_too(api: Api, source: Connect) -> None:
    api.answers[f"{PATH[:-4]}namespaces/default/pods/x"] = lambda request: (
        Answer({"metadata": {"name": "x"}}) if "resourceVersion" in request.query else refusal(500, "etcd")
    )
    reading = read(source(api.url), getting(r.PODS, "x", "default"))
    assert (reading.stale, reading.body) == (True, {"metadata": {"name": "x"}})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, Outcome.UNAUTHENTICATED),
        (403, Outcome.FORBIDDEN),
        (404, Outcome.ABSENT),
        (405, Outcome.UNSUPPORTED),
        (406, Outcome.UNSUPPORTED),
        (504, Outcome.TIMEOUT),
        (500, Outcome.ERROR),
        (422, Outcome.ERROR),
    ],
)
def test_statuses_have_their_outcomes(api: Api, source: Connect, status: int, outcome: Outcome) -> None:
    api.otherwise = refusal(status, "the server's own words")
    for ask in (PODS, getting(r.PODS, "x", "default")):
        reading = read(source(api.url), ask)
        assert (reading.outcome, reading.status, reading.detail) == (outcome, status, "the server's own words")


def test_a_failing_readyz_is_an_answer(api: Api, source: Connect) -> None:
    api.answers["/readyz"] = Answer("[+]ping ok\n[-]etcd failed", 500, {"Content-Type": "text/plain"})
    reading = read(source(api.url), raw("/readyz?verbose"))
    assert (reading.ok, reading.status, reading.body) == (True, 500, "[+]ping ok\n[-]etcd failed")


def test_of_metrics_only_the_needed_lines_stay(api: Api, source: Connect) -> None:
    page = 'apiserver_storage_size_bytes{a="b"} 5\ngo_threads 7\nkubernetes_feature_enabled{name="X"} 1'
    api.answers["/metrics"] = Answer(page, headers={"Content-Type": "text/plain"})
    assert "go_threads" not in read(source(api.url), raw("/metrics")).body


def test_reviews_are_posted(api: Api, source: Connect) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    api.answers[path] = Answer({"status": {"allowed": True}}, 201)
    ask = review(r.ACCESS_REVIEW, {"resourceAttributes": {"verb": "list", "resource": "pods"}})
    assert read(source(api.url), ask).body == {"status": {"allowed": True}}
    request = api.requests[0]
    assert request.method == "POST"
    assert b'"verb": "list"' in request.body
    assert request.values("Content-Type") == ["application/json"]


def test_who_asks_is_said(api: Api, source: Connect) -> None:
    api.answers[PATH] = items()
    target = {"as_user": "jane", "as_groups": ("dev", "ops")}
    read(source(api.url, {"token": "t"}, target=target))
    request = api.requests[0]
    assert request.values("User-Agent") == [f"kcompanion/{__version__}"]
    assert request.values("Authorization") == ["Bearer t"]
    assert request.values("Impersonate-User") == ["jane"]
    assert sorted(value for line in request.values("Impersonate-Group") for value in line.split(", ")) == ["dev", "ops"]
    assert len(request.values("Impersonate-Group")) == 2


def test_impersonation_of_the_kubeconfig_counts_too(api: Api, source: Connect) -> None:
    user = {"as": "jane", "as-groups": ["dev"], "as-uid": "7", "as-user-extra": {"acme.io/team": ["x"]}}
    read(source(api.url, user))
    request = api.requests[0]
    assert request.values("Impersonate-User") == ["jane"]
    assert request.values("Impersonate-Group") == ["dev"]
    assert request.values("Impersonate-Uid") == ["7"]
    assert request.values("Impersonate-Extra-acme.io%2Fteam") == ["x"]


def test_a_web_page_is_not_an_api_server(api: Api, source: Connect) -> None:
    api.otherwise = Answer("<html>please log in</html>", headers={"Content-Type": "text/html; charset=utf-8"})
    for ask in (VERSION, PODS):
        reading = read(source(api.url), ask)
        assert reading.outcome is Outcome.UNREACHABLE
        assert "web page" in reading.detail


def test_a_redirect_is_not_followed(api: Api, source: Connect) -> None:
    api.otherwise = Answer("", 302, {"Location": "https://login.example.org/x"})
    reading = read(source(api.url, {"token": "t"}), VERSION)
    assert reading.outcome is Outcome.UNREACHABLE
    assert "login.example.org" in reading.detail


def test_refused(source: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    reading = read(source(f"http://127.0.0.1:{port}"))
    assert (reading.outcome, reading.detail) == (Outcome.UNREACHABLE, f"127.0.0.1:{port}: connection refused")


def test_a_name_nobody_knows(source: Connect) -> None:
    reading = read(source("http://no-such-host.invalid:6443"))
    assert reading.outcome is Outcome.UNREACHABLE
    assert reading.detail == "the name no-such-host.invalid:6443 cannot be resolved"


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port that swallows connection attempts: a listening socket whose queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def test_a_black_hole(full_backlog: int, source: Connect) -> None:
    started = time.monotonic()
    reading = read(source(f"http://127.0.0.1:{full_backlog}", request_timeout=0.5))
    assert time.monotonic() - started < 2
    assert reading.outcome is Outcome.UNREACHABLE
    assert "did not accept a connection" in reading.detail


def test_what_the_client_knows_itself_is_not_asked(source: Connect) -> None:
    assert read(source("http://127.0.0.1:1"), local("client-certificate")).outcome is Outcome.ABSENT


@pytest.mark.parametrize("times", [1, 2], ids=["the server's", "and that of a proxy"])
def test_the_clock_is_the_servers(times: int, api: Api, source: Connect) -> None:
    date = ", ".join(["Sun, 01 Mar 2026 10:00:00 GMT"] * times)
    api.answers[PATH] = Answer({"items": []}, headers={"Date": date})
    live = source(api.url)
    read(live)
    assert live.now.isoformat() == "2026-03-01T10:00:00+00:00"
