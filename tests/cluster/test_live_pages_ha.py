"""Reports of the running HA cluster in a real browser: whole, and with the node of the scheduler's leader stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsing import opened, rows
from tests.cluster.conftest import Ran
from tests.cluster.livepages import Live, as_kubectl_says, looks_right, written
from tests.cluster.test_controlplane_ha import docker, eventually, healthy, leader, read

__all__ = ["healthy"]

pytestmark = [pytest.mark.ha, pytest.mark.alone]
MASTERS = 3


def test_the_numbers_are_kubectls(
    browser: Browser, healthy: Path, kubectl: Callable[..., str], kcompanion: Callable[..., Ran], tmp_path: Path
) -> None:
    live = written(healthy, kubectl, kcompanion, tmp_path)
    as_kubectl_says(browser, live, "en")
    as_kubectl_says(browser, live, "ko")
    with opened(browser, live.files["en"]) as page:
        etcd = [row for row in rows(page, "control-plane", "COMPONENT", "EVIDENCE") if row["COMPONENT"] == "etcd"]
        assert len(etcd) == MASTERS


@pytest.fixture
def degraded(healthy: Path, kcompanion: Callable[..., Ran], kubectl: Callable[..., str]) -> Iterator[str]:
    """The name of a stopped master, once others lead and everybody calls it lost."""
    _, plane, _ = read(kcompanion, healthy)
    assert plane is not None
    lost = str(leader(plane, "kube-scheduler")["node"])

    def settled() -> bool:
        nodes = json.loads(kubectl("get", "nodes", "-o", "json", kubeconfig=healthy))["items"]
        states = {one["metadata"]["name"]: one["status"]["conditions"] for one in nodes}
        gone = any(c["type"] == "Ready" and c["status"] == "Unknown" for c in states[lost])
        _, now, _ = read(kcompanion, healthy, "--deadline", "30s")
        return gone and now is not None and leader(now, "kube-scheduler")["node"] not in ("", None, lost)

    docker("stop", "--time", "1", lost)
    try:
        eventually(settled, 240, f"{lost} NotReady, and another leader")
        yield lost
    finally:
        docker("start", lost)


@pytest.mark.full
def test_with_a_master_down_they_are_too(
    browser: Browser,
    healthy: Path,
    degraded: str,
    kubectl: Callable[..., str],
    kcompanion: Callable[..., Ran],
    tmp_path: Path,
) -> None:
    live: Live = written(healthy, kubectl, kcompanion, tmp_path)
    assert live.kubectls.nodes[degraded][0] == "NotReady"
    as_kubectl_says(browser, live, "en")
    as_kubectl_says(browser, live, "ko")
    looks_right(browser, live, tmp_path)
    with opened(browser, live.files["en"]) as page:
        states = {
            (row["COMPONENT"], row["NODE"]): row["STATUS"] for row in rows(page, "control-plane", "NODE", "EVIDENCE")
        }
        for component in ("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"):
            assert "failing" in states[component, degraded]
            assert sum("ok" in state for (name, _), state in states.items() if name == component) == MASTERS - 1
        assert page.locator("section#findings #KC1021").count() == 1, "one more loss stops etcd"
        assert degraded in page.locator("#summary").inner_text()
