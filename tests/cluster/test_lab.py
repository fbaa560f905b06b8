"""What the lab gives to other tests and to lessons: images that fail on purpose, a failing registry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MISHAP = "kcompanion.dev/lab/mishap:1"
REGISTRY = ROOT / "lab" / "registry" / "registry.yaml"


def pod(name: str, image: str, *args: str, **container: Any) -> str:
    spec = {"name": "main", "image": image, "args": list(args), **container}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [spec]},
        }
    )


def state(kubectl: Callable[..., str], namespace: str, name: str) -> dict[str, Any]:
    """The state of a pod's only container, empty before there is one."""
    statuses = json.loads(kubectl("get", "pod", name, "-n", namespace, "-o", "json"))["status"].get("containerStatuses")
    found: dict[str, Any] = statuses[0]["state"] if statuses else {}
    return found


def until(
    kubectl: Callable[..., str], namespace: str, name: str, fits: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(60):
        found = state(kubectl, namespace, name)
        if fits(found):
            return found
        time.sleep(1)
    pytest.fail(f"the pod {name} did not get there: {found}")


@pytest.mark.parametrize(
    ("args", "container", "code", "reason"),
    [
        (("exit", "3"), {}, 3, "Error"),
        (("crash",), {}, 139, "Error"),
        (("eat", "200"), {"resources": {"limits": {"memory": "32Mi"}}}, 137, "OOMKilled"),
    ],
)
def test_mishaps_end_as_they_are_told(
    kubectl: Callable[..., str],
    namespace: str,
    args: tuple[str, ...],
    container: dict[str, Any],
    code: int,
    reason: str,
) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=pod("mishap", MISHAP, *args, **container))
    ended = until(kubectl, namespace, "mishap", lambda s: "terminated" in s)["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)


def test_a_hanging_mishap_runs_on_after_sigterm(kubectl: Callable[..., str], namespace: str) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=pod("hang", MISHAP, "hang"))
    until(kubectl, namespace, "hang", lambda s: "running" in s)
    started = time.monotonic()
    kubectl("delete", "pod", "hang", "-n", namespace, "--grace-period=6")
    assert time.monotonic() - started >= 5  # it took the kubelet's SIGKILL


def test_agnhost_serves(kubectl: Callable[..., str], namespace: str) -> None:
    ready = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
    image = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
    kubectl(
        "apply",
        "-n",
        namespace,
        "-f",
        "-",
        stdin=pod("agnhost", image, "netexec", "--http-port=8080", readinessProbe=ready),
    )
    kubectl("wait", "pod/agnhost", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
    assert kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/pods/agnhost:8080/proxy/hostname") == "agnhost"


@pytest.fixture(scope="module")
def registry(kubectl: Callable[..., str]) -> None:
    """It stays: demos use it too, maybe at this moment."""
    kubectl("apply", "-f", str(REGISTRY))
    kubectl("rollout", "status", "daemonset/registry", "-n", "kcompanion-lab-registry", "--timeout=90s")


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("localhost:5001/private/app:1", "authorization failed"),  # 401, in containerd's words
        ("localhost:5001/missing/app:1", "not found"),
        ("localhost:5001/busy/app:1", "429"),
        ("localhost:5001/foreign/app:1", "no match for platform"),
        ("kcompanion-worker:5443/good/app:1", "x509"),
    ],
)
def test_the_registry_fails_as_real_ones_do(kubectl: Callable[..., str], namespace: str, image: str, said: str) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=pod("pull", image))
    waiting = until(kubectl, namespace, "pull", lambda s: "Pull" in s.get("waiting", {}).get("reason", ""))["waiting"]
    for _ in range(30):
        if said in waiting["message"]:
            break
        time.sleep(1)  # ImagePullBackOff and ErrImagePull take turns; both carry the reason
        waiting = state(kubectl, namespace, "pull").get("waiting", waiting)
    assert said in waiting["message"]


@pytest.mark.usefixtures("registry")
def test_the_registrys_good_image_runs(kubectl: Callable[..., str], namespace: str) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=pod("good", "localhost:5001/good/app:1"))
    ended = until(kubectl, namespace, "good", lambda s: bool({"terminated", "running"} & set(s)))
    assert ended.get("terminated", {"exitCode": 0})["exitCode"] == 0


def test_a_running_cluster_is_used_again(cluster: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab", "cluster"], capture_output=True, text=True, timeout=120, check=True, cwd=ROOT
    )
    assert done.stdout.strip().splitlines()[-1] == f"export KUBECONFIG={cluster}"
    assert "creating" not in done.stderr


def test_the_users_kubeconfig_is_never_touched(tmp_path: Path) -> None:
    own = tmp_path / "config"
    own.write_text("apiVersion: v1\nkind: Config\n")
    before = own.stat()
    subprocess.run(
        [sys.executable, "-m", "lab", "cluster"],
        capture_output=True,
        timeout=120,
        check=True,
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(own)},
    )
    assert (own.stat().st_mtime_ns, own.read_text()) == (before.st_mtime_ns, "apiVersion: v1\nkind: Config\n")
