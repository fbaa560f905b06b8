"""The real clusters, whose turn it is on them, and the two programs that tests drive there.

Files run side by side, each in one process (`--dist loadfile`). Those marked `alone` break nodes or what every
namespace depends on, so they have the 3-node cluster for themselves.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kcompanion.cli.main import run
from lab import cache, gobuild, versions
from tests.browsing import browser
from tests.cluster import forked
from tests.cluster.forked import ROOT, Ran
from tools.demo import Demo

__all__ = ["ROOT", "Ran", "browser", "kubectl_program"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, then those that need the cluster alone; what is left fills the gaps beside them."""
    sizes = Counter(item.path for item in items)
    early = ("ha", "conformance", "alone")

    def place(item: pytest.Item) -> tuple[int, int, Path]:
        rank = next((n for n, mark in enumerate(early) if item.get_closest_marker(mark)), len(early))
        return rank, -sizes[item.path], item.path

    items.sort(key=place)


@contextmanager
def turn(name: str, *, alone: bool) -> Iterator[None]:
    """Shares a cluster with others, or waits to have it alone. Holds between processes, in all checkouts.

    Who wants to be alone waits in the door, so that newcomers cannot keep them waiting.
    """
    folder = cache.root()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.door").open("w") as door, (folder / f"{name}.room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


@pytest.fixture(scope="module", autouse=True)
def our_turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """The cluster is ours, with others or alone, before anything of the module is set up."""
    marks = {mark.name for mark in request.node.iter_markers()}
    if "conformance" in marks:  # its own lock (acceptance/conftest.py) also keeps benchmarks and upstream's tests away
        yield
        return
    with turn("kcompanion-ha" if "ha" in marks else "kcompanion", alone=bool(marks & {"ha", "alone"})):
        yield


@pytest.fixture(scope="session")
def cluster() -> Path:
    """The kubeconfig of the 3-node cluster."""
    path = ROOT / ".cluster" / "kubeconfig"
    if not path.is_file():
        pytest.fail(f"there is no cluster ({path.name} is missing): run `make cluster`")
    return path


@pytest.fixture(scope="session")
def ha_cluster() -> Path:
    """The kubeconfig of the HA cluster, made here if need be: others run their tests meanwhile."""
    made = subprocess.run(
        [sys.executable, "-m", "lab", "cluster-ha"], capture_output=True, text=True, timeout=900, check=False, cwd=ROOT
    )
    if made.returncode:
        pytest.fail(f"there is no HA cluster:\n{made.stderr}")
    return ROOT / ".cluster" / "kubeconfig-ha"


@pytest.fixture(scope="session")
def kcompanion() -> Callable[..., Ran]:
    """Runs the command line as a process of its own: `kcompanion("nodes", "-o", "json", kubeconfig=path)`."""

    def run(*words: str, kubeconfig: Path | None = None, timeout: float = 90, **environ: str) -> Ran:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION"))}
        env = {**clean, "LC_ALL": "C.UTF-8", "COLUMNS": "100", **environ}
        if kubeconfig is not None:
            env["KUBECONFIG"] = str(kubeconfig)
        return forked.run(words, env, timeout)

    return run


def kubectl_program() -> str:
    """The kubectl that the lab built with the cluster's own version, else the one on PATH, else a freshly built one."""
    built = cache.root() / gobuild.key(versions.KUBERNETES_FAMILY) / "kubectl"
    if built.is_file():
        return str(built)
    return shutil.which("kubectl") or str(gobuild.family(versions.KUBERNETES_FAMILY) / "kubectl")


@pytest.fixture(scope="session")
def kubectl(cluster: Path) -> Callable[..., str]:
    """Runs kubectl on the 3-node cluster (or on `kubeconfig`) and returns what it prints."""
    program = kubectl_program()

    def run(*words: str, kubeconfig: Path | None = None, stdin: str | None = None) -> str:
        command = [program, "--kubeconfig", str(kubeconfig or cluster), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, input=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def crd(kubectl: Callable[..., str]) -> None:
    """The CompanionReplicaSet kind. It stays: who runs tests side by side shares it."""
    kubectl("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "manifests" / "crd"))
    kubectl("wait", "--for=condition=Established", "crd/companionreplicasets.kcompanion.dev", "--timeout=30s")


@pytest.fixture
def namespace(kubectl: Callable[..., str]) -> Iterator[str]:
    """A namespace of the test's own, deleted afterwards."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[Demo, Path, str], str]:
    """The page that `explain` prints of a demo's recording, in a language."""
    monkeypatch.setenv("COLUMNS", "100")

    def page(demo: Demo, recording: Path, language: str) -> str:
        capsys.readouterr()
        space = demo.at or demo.namespace
        run(["explain", *demo.explain.split(), "-n", space, "--from", str(recording), "--lang", language])
        return capsys.readouterr().out

    return page
