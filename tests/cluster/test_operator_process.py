"""The operator as a process: how it ends, what it says of itself, and what it does when Kopf or a watch fails it.

Each runs for a namespace of its own, on our kind, with its Lease there.
"""

from __future__ import annotations

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.controllers import Controller, ours
from tests.cluster.test_crd import spec
from tests.operators.faultproxy import faulty

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]
Kubectl = Callable[..., str]
TARGET = "companionreplicasets.kcompanion.dev"
PATIENCE = 150.0
LEASE = f"kcompanion-{TARGET}"


@contextmanager
def operator(kubeconfig: Path, namespace: str, log: Path, *flags: str) -> Iterator[Controller]:
    running = ours(kubeconfig, log, TARGET, "-n", namespace, "--lease-namespace", namespace, *flags)
    running.launch()
    try:
        yield running
    finally:
        if running.running:
            running.kill()
    assert "Traceback" not in log.read_text()


def asked(running: Controller, path: str) -> tuple[int, dict[str, Any]]:
    """Code and checks of a probe; 0 where nobody listens."""
    try:
        with urllib.request.urlopen(running.ready.removesuffix("/readyz") + path, timeout=10) as answer:
            return answer.status, json.load(answer)["checks"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["checks"]
    except OSError:
        return 0, {}


def until(condition: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"not in time: {what}"
        time.sleep(0.1)


def scaled(kubectl: Kubectl, namespace: str, replicas: int) -> None:
    """A ReplicaSet of pods that no scheduler takes: they cost nothing."""
    item = spec(replicas=replicas)
    item["spec"]["template"]["spec"]["schedulerName"] = "nobody"
    kubectl("apply", "--server-side", "-n", namespace, "-f", "-", stdin=json.dumps(item))


def pods(kubectl: Kubectl, namespace: str) -> int:
    return len(kubectl("get", "pods", "-n", namespace, "-o", "name").split())


@pytest.mark.parametrize(("number", "within"), [
    (signal.SIGTERM, 60), (signal.SIGINT, 60),  # seconds, beside all else that runs in CI
    pytest.param(signal.SIGTERM, 10, marks=pytest.mark.full),  # as promised, on a machine with little else to do
])  # fmt: skip
def test_asked_to_end_it_ends_with_0_and_gives_the_lease_away(
    cluster: Path, kubectl: Kubectl, namespace: str, tmp_path: Path, number: signal.Signals, within: float
) -> None:
    with operator(cluster, namespace, tmp_path / "log") as running:
        running.wait_ready(PATIENCE)
        scaled(kubectl, namespace, 40)
        until(lambda: pods(kubectl, namespace) > 1, "it works")
        running.send(number)
        assert running.wait(within) == 0, running.tail()
    holder = kubectl("get", "lease", LEASE, "-n", namespace, "-o", "jsonpath={.spec.holderIdentity}")
    assert holder == "", running.tail()


def test_a_lost_lease_ends_it_with_1(cluster: Path, kubectl: Kubectl, namespace: str, tmp_path: Path) -> None:
    with operator(cluster, namespace, tmp_path / "log") as running:
        running.wait_ready(PATIENCE)
        kubectl("patch", "lease", LEASE, "-n", namespace, "--type=merge", "-p", '{"spec":{"holderIdentity":"another"}}')
        scaled(kubectl, namespace, 3)
        assert running.wait(PATIENCE) == 1, running.tail()
        assert '"message": "lost the lease"' in running.log.read_text()


def test_ready_are_the_leader_and_whoever_stands_by(
    cluster: Path, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    with operator(cluster, namespace, tmp_path / "first") as first:
        first.wait_ready(PATIENCE)
        code, checks = asked(first, "/readyz")
        assert (code, checks["lease"]["detail"], checks["workers"]["detail"]) == (200, "leader", "working")
        with operator(cluster, namespace, tmp_path / "second") as second:
            second.wait_ready(PATIENCE)
            code, checks = asked(second, "/readyz")
            assert code == 200
            assert checks["lease"]["detail"].startswith("standby; ")
            assert set(checks) == {"cache-pods", "cache-companionreplicasets", "lease"}
            first.send(signal.SIGTERM)
            assert first.wait(60) == 0
            until(lambda: "workers" in asked(second, "/readyz")[1], "the other leads")
            scaled(kubectl, namespace, 2)
            until(lambda: pods(kubectl, namespace) == 2, "and works")


def test_without_rights_it_stays_up_and_says_what_it_lacks(cluster: Path, namespace: str, tmp_path: Path) -> None:
    config = yaml.safe_load(cluster.read_text())
    config["users"][0]["user"]["as"] = f"system:serviceaccount:{namespace}:nobody"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    with operator(tmp_path / "kubeconfig", namespace, tmp_path / "log") as running:
        until(lambda: asked(running, "/readyz")[1].get("cache-pods", {}).get("detail", "").startswith("403"), "refused")
        code, checks = asked(running, "/readyz")
        assert (code, checks["cache-pods"]["ok"], checks["lease"]["ok"]) == (503, False, False)
        assert asked(running, "/healthz")[0] == 200  # to start it again would not help
        running.send(signal.SIGTERM)
        assert running.wait(60) == 0


def test_it_outlives_kopf_and_ends_all_the_same(
    cluster: Path, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    with (
        faulty(cluster, tmp_path) as (proxy, way),
        operator(way, namespace, tmp_path / "log") as running,
    ):
        running.wait_ready(PATIENCE)
        until(lambda: proxy.open_watches("companionreplicasets") == 2, "our watch of the kind, and Kopf's")
        proxy.fail(500)
        until(lambda: "kopf ended by itself" in running.log.read_text(), "Kopf ends of an ERROR event")
        scaled(kubectl, namespace, 2)
        until(lambda: pods(kubectl, namespace) == 2, "the engine has gone on")
        until(lambda: proxy.open_watches("companionreplicasets") == 2, "Kopf watches again")
        assert asked(running, "/healthz")[1]["kopf"]["detail"] == "running"
        running.send(signal.SIGTERM)
        assert running.wait(60) == 0, running.tail()


@pytest.mark.full  # it takes half a minute of silence
def test_a_watch_that_is_stuck_is_told_by_healthz(
    cluster: Path, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    def stir() -> None:
        """Something to hear on both watches: an idle server speaks only once a minute."""
        told = f"stirred={time.monotonic_ns()}"
        for what in (("crs", "web"), ("pods", "--all")):
            kubectl("annotate", "-n", namespace, *what, "--overwrite", told)

    with (
        faulty(cluster, tmp_path) as (proxy, way),
        operator(way, namespace, tmp_path / "log", "--watch-silence=10") as running,
    ):
        running.wait_ready(PATIENCE)
        scaled(kubectl, namespace, 1)
        until(lambda: pods(kubectl, namespace) == 1, "it works")
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            stir()
            assert asked(running, "/healthz")[0] == 200, asked(running, "/healthz")
        proxy.stalled = True

        def stuck() -> bool:
            stir()
            return asked(running, "/healthz")[0] == 503

        until(stuck, "nothing was heard for too long")
        failed = [name for name, check in asked(running, "/healthz")[1].items() if not check["ok"]]
        assert failed
        assert all(name.startswith("watch-") for name in failed)
