"""Starts the cases that were selected, all of them at once, and hands each test its own."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import cache
from lab.cluster import CONFORMANCE, ROOT
from tests.cluster.conftest import kubectl_program

if TYPE_CHECKING:
    from tests.cluster.acceptance.catalogue import Entry, Target
    from tests.cluster.acceptance.running import Result, Work

# The cases assert outside test modules; what they compared shall be shown all the same.
_CASES = [path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "conftest"]
pytest.register_assert_rewrite(*(f"tests.cluster.acceptance.{name}" for name in _CASES))

CRD = ROOT / "manifests/crd/companionreplicasets.yaml"


@pytest.fixture(scope="module")
def conformance_cluster() -> Iterator[Path]:
    """The kubeconfig of the cluster without a ReplicaSet controller, ours alone for this file."""
    made = subprocess.run(
        [sys.executable, "-m", "lab", "cluster-conformance"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=ROOT,
    )
    if made.returncode:
        pytest.fail(f"there is no cluster {CONFORMANCE.name}:\n{made.stderr}")
    with cache.lock(f"{CONFORMANCE.name}.turn"):
        yield CONFORMANCE.kubeconfig


@pytest.fixture(scope="module")
def outcome(
    conformance_cluster: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Target, Entry], float]]:
    """Waits for a case and returns how long it took; a case that failed raises here what it raised there."""
    from tests.cluster.acceptance.running import Thread, put_through  # after its asserts are registered

    wanted = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    work: Work = {(one["target"], one["entry"]): concurrent.futures.Future() for one in wanted if "entry" in one}
    kubectl = kubectl_program()
    subprocess.run(
        [kubectl, f"--kubeconfig={conformance_cluster}", "apply", "--server-side", "-f", str(CRD)],
        check=True,
        capture_output=True,
    )
    wait = ["wait", "--for=condition=Established", "crd/companionreplicasets.kcompanion.dev", "--timeout=60s"]
    subprocess.run([kubectl, f"--kubeconfig={conformance_cluster}", *wait], check=True, capture_output=True)
    folder = tmp_path_factory.mktemp("acceptance")
    thread = Thread(lambda: put_through(conformance_cluster, Path(kubectl), folder, work), work.values())
    thread.start()
    yield lambda target, entry: _result(work[target, entry])
    thread.stop()
    for log in folder.glob("ours-*.log"):
        assert "Traceback" not in log.read_text(), f"{log} tells of an error nobody caught"


def _result(result: Result) -> float:
    return result.result(timeout=1800)
