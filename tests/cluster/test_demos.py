"""Every demo manifest on the real cluster: the right cause stands first, in both languages; what is well is silent.

They run many at a time. Those that touch nodes or the whole cluster are in `test_demos_alone.py`. CI runs one
demo of each rule; the second ones (KC5131-key beside KC5131) are for `make test-cluster-full`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster.conftest import Ran
from tests.cluster.showing import FAULTS, Outcome, Printed, laboratory, parameters, proofs, ran, wrong_with
from tools.demo import Cluster, demos, root_code, shows

pytestmark = pytest.mark.cluster

AT_ONCE = 16  # demos that run at a time: mostly they wait
SHARED = [name for name, demo in FAULTS.items() if not demo.exclusive]


@pytest.fixture(scope="module")
def lab(cluster: Path) -> Cluster:
    return laboratory(cluster)


@pytest.fixture(scope="module")
def outcomes(
    lab: Cluster, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Outcome]:
    """The demos that may share the cluster. What did not show its fault in the crowd has a second chance alone."""
    folder = tmp_path_factory.mktemp("demos")
    asked = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    chosen = [name for name in SHARED if name in asked]
    with ThreadPoolExecutor(AT_ONCE) as workers:
        found = dict(zip(chosen, workers.map(lambda name: ran(lab, FAULTS[name], folder), chosen), strict=True))
    for name in chosen:
        if not shows(found[name].told, FAULTS[name]):
            lab.kubectl("wait", f"namespace/{FAULTS[name].namespace}", "--for=delete", "--timeout=60s", check=False)
            found[name] = ran(lab, FAULTS[name], folder)
    return found


@pytest.mark.parametrize("name", parameters(SHARED))
def test_the_cause_stands_first(name: str, outcomes: dict[str, Outcome], printed: Printed) -> None:
    assert wrong_with(FAULTS[name], outcomes[name], printed) == ""


def test_columns_are_kubectls_for_all_these_odd_pods(outcomes: dict[str, Outcome]) -> None:
    assert [cell for outcome in outcomes.values() for cell in outcome.columns] == []


def test_what_is_well_is_silent(lab: Cluster, kcompanion: Callable[..., Ran]) -> None:
    control = demos()["control-well"]
    lab.apply(control)
    try:
        told = lab.wait(control)
        assert root_code(told) == "", proofs(told)
        done = kcompanion("health", "-n", control.namespace, "-o", "json", kubeconfig=lab.kubeconfig)
        assert [entry["code"] for entry in json.loads(done.out)["entries"] if entry["severity"] != "info"] == []
        assert done.code == 0
    finally:
        lab.remove(control)


def test_there_are_enough_of_them() -> None:
    assert len({demo.code for demo in FAULTS.values()}) >= 70
    assert len({demo.explain.partition("/")[0] for demo in FAULTS.values()}) >= 8
