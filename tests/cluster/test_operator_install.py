"""The operator as an image in a cluster: installed, seen, and taken out again without a trace.

On the HA cluster, so that it does not meet the operators that other tests run beside the small one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from kcompanion.installation import manifests as shipped
from kcompanion.reconcile.target import TARGETS
from tests.cluster.conftest import ROOT, Ran
from tests.cluster.demonstrating import DISTURBED, demonstrated
from tests.cluster.test_crd import spec as replicaset

pytestmark = pytest.mark.ha
Run = Callable[..., Ran]
Kubectl = Callable[..., str]
FOLDERS = {"companionreplicasets.kcompanion.dev": "operator", "replicasets.apps": "operator/overlays/stand-in"}
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
SHOP = "test-operator-install"


@pytest.mark.parametrize("name", TARGETS)
def test_the_cli_renders_what_kustomize_renders(ha_cluster: Path, kubectl: Kubectl, name: str) -> None:
    theirs = yaml.safe_load_all(kubectl("kustomize", str(ROOT / "manifests" / FOLDERS[name]), kubeconfig=ha_cluster))
    ours = shipped.manifests(TARGETS[name])
    assert named(ours) == named(theirs)


def named(items: Any) -> dict[tuple[str, str], Any]:
    return {(item["kind"], item["metadata"]["name"]): item for item in items}


@pytest.fixture(scope="module")
def here(ha_cluster: Path, kubectl: Kubectl, kcompanion: Run) -> Iterator[Path]:
    """The HA cluster with the image on its worker, and without an operator before and after."""
    command = [
        sys.executable,
        str(ROOT / "tools/operator_image.py"),
        "--if-missing",
        "--load",
        "--cluster",
        "kcompanion-ha",
    ]
    subprocess.run(command, check=True, timeout=900)
    kcompanion("operator", "uninstall", "--yes", kubeconfig=ha_cluster, timeout=150)
    yield ha_cluster
    kubectl("delete", "namespace", SHOP, "--wait=false", "--ignore-not-found", kubeconfig=ha_cluster)
    kcompanion("operator", "uninstall", "--yes", kubeconfig=ha_cluster, timeout=150)


def status(kcompanion: Run, cluster: Path) -> dict[str, Any]:
    ran = kcompanion("operator", "status", "-o", "json", kubeconfig=cluster)
    found: dict[str, Any] = json.loads(ran.out)
    schema = json.loads(kcompanion("schema", "OperatorStatus").out)
    Draft202012Validator(schema).validate(found)
    return found


class TestLife:
    """In this order: each step builds upon the one before."""

    def test_at_first_there_is_nothing(self, here: Path, kcompanion: Run) -> None:
        ran = kcompanion("operator", "status", kubeconfig=here)
        assert ran.code == 4, ran
        assert "not installed" in ran.out

    def test_a_dry_run_writes_nothing(self, here: Path, kcompanion: Run) -> None:
        ran = kcompanion("operator", "install", "--dry-run", kubeconfig=here)
        assert ran.code == 0, ran
        assert "deployment.apps/kcompanion-operator created (server dry run)" in ran.out
        assert kcompanion("operator", "status", kubeconfig=here).code == 4

    def test_install_says_what_it_writes_and_waits(self, here: Path, kcompanion: Run) -> None:
        ran = kcompanion("operator", "install", "--timeout", "3m", kubeconfig=here, timeout=240)
        assert ran.code == 0, ran
        assert "this applies 10 objects" in ran.err
        assert "2 of 2 ready" in ran.err
        again = kcompanion("operator", "install", kubeconfig=here)
        assert "deployment.apps/kcompanion-operator unchanged" in again.out

    def test_status_knows_the_leader_and_both_replicas(self, here: Path, kcompanion: Run) -> None:
        found = until(lambda: status(kcompanion, here), lambda told: told["status"] == "ok")
        [operator] = found["operators"]
        assert operator["target"] == "companionreplicasets.kcompanion.dev"
        assert [pod["ready"] for pod in operator["replicas"]] == [True, True]
        assert operator["leader"]["holder"].startswith("kcompanion-operator-")
        assert operator["leader"]["ageSeconds"] < 15

    def test_it_keeps_replicas(self, here: Path, kcompanion: Run, kubectl: Kubectl) -> None:
        kubectl("create", "namespace", SHOP, kubeconfig=here)
        item = replicaset(
            replicas=2,
            template__spec__containers=[{"name": "web", "image": AGNHOST, "args": ["pause"]}],
            template__spec__terminationGracePeriodSeconds=0,
        )
        kubectl("create", "-n", SHOP, "-f", "-", kubeconfig=here, stdin=json.dumps(item))
        ready = "--for=jsonpath={.status.readyReplicas}=2"
        kubectl("wait", "crs/web", "-n", SHOP, ready, "--timeout=60s", kubeconfig=here)
        assert status(kcompanion, here)["crd"] == {"desired": 2, "objects": 1, "ready": 2, "served": True}

    def test_the_demo_tells_its_story(self, here: Path, kcompanion: Run) -> None:
        """All of `make demo-operator` but the node; it reads the decisions of the leader through the pod proxy."""
        story = demonstrated(here, "--short")
        for told in DISTURBED:
            assert told in story, story
        until(lambda: status(kcompanion, here)["crd"]["objects"], lambda count: count == 1)  # its own is gone again

    def test_what_would_be_lost_is_not_deleted_unasked(self, here: Path, kcompanion: Run) -> None:
        ran = kcompanion("operator", "uninstall", kubeconfig=here)
        assert ran.code == 2, ran
        assert "1 CompanionReplicaSets and their 2 pods" in ran.err
        assert "--yes" in ran.err
        assert status(kcompanion, here)["crd"]["objects"] == 1

    def test_what_a_finalizer_holds_is_named(self, here: Path, kcompanion: Run, kubectl: Kubectl) -> None:
        hold = '{"metadata":{"finalizers":["example.com/held"]}}'
        kubectl("patch", "crs/web", "-n", SHOP, "--type=merge", "-p", hold, kubeconfig=here)
        ran = kcompanion("operator", "uninstall", "--yes", "--timeout", "3s", kubeconfig=here)
        assert ran.code == 1, ran
        assert f"{SHOP}/web (example.com/held)" in ran.err
        assert status(kcompanion, here)["crd"]["served"] is True
        free = '{"metadata":{"finalizers":null}}'
        kubectl("patch", "crs/web", "-n", SHOP, "--type=merge", "-p", free, kubeconfig=here)

    def test_uninstall_leaves_nothing(self, here: Path, kcompanion: Run, kubectl: Kubectl) -> None:
        ran = kcompanion("operator", "uninstall", "--yes", kubeconfig=here, timeout=150)
        assert ran.code == 0, ran
        kinds = "clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts,deployments,daemonsets"
        left = ["-A", "-l", "app.kubernetes.io/part-of=kcompanion", "-o", "name"]
        assert kubectl("get", kinds, *left, kubeconfig=here) == ""
        assert kubectl("get", "namespaces,crds", *left[1:], kubeconfig=here) == ""
        assert "kcompanion" not in kubectl("get", "leases", "-n", "kube-system", "-o", "name", kubeconfig=here)
        until(lambda: kubectl("get", "pods", "-n", SHOP, "-o", "name", kubeconfig=here), lambda names: names == "")
        assert kcompanion("operator", "status", kubeconfig=here).code == 4


def test_who_may_not_is_told(here: Path, kcompanion: Run) -> None:
    ran = kcompanion("operator", "install", "--as", "nobody", kubeconfig=here)
    assert ran.code == 1, ran
    assert "cannot" in ran.err
    assert "Traceback" not in ran.err
    assert kcompanion("operator", "uninstall", "--as", "nobody", kubeconfig=here).code == 1


def test_nobody_answers(here: Path, kcompanion: Run) -> None:
    for words in (["install"], ["uninstall"], ["status"]):
        ran = kcompanion("operator", *words, "-s", "https://127.0.0.1:1", kubeconfig=here)
        assert ran.code == 3, ran


def until(look: Callable[[], Any], done: Callable[[Any], bool], seconds: float = 60) -> Any:
    ends = time.monotonic() + seconds
    while not done(found := look()):
        assert time.monotonic() < ends, found
        time.sleep(0.3)
    return found
