"""Reports of the running 3-node cluster, with faults, in a real browser. Alone, so that it stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsing import opened, rows
from tests.cluster.conftest import Ran
from tests.cluster.livepages import Live, as_kubectl_says, looks_right, written
from tests.cluster.showing import laboratory
from tools.demo import demos, root_code

pytestmark = [pytest.mark.cluster, pytest.mark.alone]
FAULTS = tuple(demos()[name] for name in ("KC5041", "KC5061", "KC5148"))


@pytest.fixture(scope="module")
def live(
    cluster: Path, kubectl: Callable[..., str], kcompanion: Callable[..., Ran], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """The page of the cluster with three faults."""
    lab = laboratory(cluster)
    try:
        with ThreadPoolExecutor(len(FAULTS)) as workers:
            list(workers.map(lab.apply, FAULTS))
            told = list(workers.map(lab.wait, FAULTS))
        assert [root_code(one) for one in told] == [demo.code for demo in FAULTS]
        yield written(cluster, kubectl, kcompanion, tmp_path_factory.mktemp("live"))
    finally:
        for demo in FAULTS:
            lab.remove(demo)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_numbers_are_kubectls(browser: Browser, live: Live, language: str) -> None:
    as_kubectl_says(browser, live, language)


def test_every_fault_stands_where_it_belongs(browser: Browser, live: Live) -> None:
    with opened(browser, live.files["en"]) as page:
        for demo in FAULTS:
            assert page.locator(f"section#findings #{demo.code}").count() == 1
            assert demo.code in page.locator("section#workloads").inner_text()
        causes = {row["NAMESPACE"]: row["CAUSES"] for row in rows(page, "namespaces", "NAMESPACE", "CAUSES")}
        assert [causes[demo.namespace] for demo in FAULTS] == ["1"] * len(FAULTS)


def test_it_fits_windows_and_paper(browser: Browser, live: Live, tmp_path: Path) -> None:
    looks_right(browser, live, tmp_path)
