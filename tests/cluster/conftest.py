"""The real clusters and the two programs that tests drive on them."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import cache, gobuild, versions

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str


def _kubeconfig(name: str, target: str) -> Path:
    path = ROOT / ".cluster" / name
    if not path.is_file():
        pytest.fail(f"there is no cluster ({path.name} is missing): run `make {target}`")
    return path


@pytest.fixture(scope="session")
def cluster() -> Path:
    """The kubeconfig of the 3-node cluster."""
    return _kubeconfig("kubeconfig", "cluster")


@pytest.fixture(scope="session")
def ha_cluster() -> Path:
    """The kubeconfig of the HA cluster."""
    return _kubeconfig("kubeconfig-ha", "cluster-ha")


@pytest.fixture(scope="session")
def kcompanion() -> Callable[..., Ran]:
    """Runs the command line as a process of its own: `kcompanion("nodes", "-o", "json", kubeconfig=path)`."""

    def run(*words: str, kubeconfig: Path | None = None, timeout: float = 90, **environ: str) -> Ran:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("KUBE", "KCOMPANION"))}
        env = {**clean, "LC_ALL": "C.UTF-8", "COLUMNS": "100", **environ}
        if kubeconfig is not None:
            env["KUBECONFIG"] = str(kubeconfig)
        command = [sys.executable, "-m", "kcompanion", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=env, cwd=ROOT)
        return Ran(done.returncode, done.stdout, done.stderr)

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
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "manifests" / "crd"))
    kubectl("wait", "--for=condition=Established", "crd/companionreplicasets.kcompanion.dev", "--timeout=30s")


@pytest.fixture
def namespace(kubectl: Callable[..., str]) -> Iterator[str]:
    """A namespace of the test's own, deleted afterwards."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
