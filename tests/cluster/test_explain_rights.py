"""With rights taken away, explain and health tell what was not evaluated and name the right; never a silent fine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Ran, kubectl_program
from tools.demo import Cluster, demos

pytestmark = pytest.mark.cluster

USER = "only-pods"
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": USER},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": USER},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": USER},
    "subjects": [{"kind": "User", "name": USER, "apiGroup": "rbac.authorization.k8s.io"}],
}


@pytest.fixture(scope="module")
def restricted(cluster: Path) -> Iterator[tuple[Cluster, str]]:
    """The demo of a missing ConfigMap, and a user who may read its pods and nothing else."""
    lab = Cluster(cluster, kubectl_program())
    demo = demos()["KC5041"]
    lab.apply(demo)
    for manifest in (ROLE, BINDING):
        target = cluster.parent / f"rights-{manifest['kind']}.json"
        target.write_text(json.dumps(manifest))
        lab.kubectl("apply", "-n", demo.namespace, "-f", str(target))
        target.unlink()
    lab.wait(demo)
    yield lab, demo.namespace
    lab.remove(demo)


def body(done: Ran) -> dict[str, Any]:
    return dict(json.loads(done.out))


def test_explain_names_the_right_that_is_missing(
    restricted: tuple[Cluster, str], kcompanion: Callable[..., Ran]
) -> None:
    lab, namespace = restricted
    target = demos()["KC5041"].explain
    words = ("explain", target, "-n", namespace, "--as", USER)
    told = body(kcompanion(*words, "-o", "json", kubeconfig=lab.kubeconfig))
    missing = {(m["missing"]["verb"], m["missing"]["resource"]) for m in told["objects"][0]["notEvaluated"]}
    assert missing
    assert told["complete"] is False
    done = kcompanion(*words, kubeconfig=lab.kubeconfig)
    assert any(f"{verb} {resource}" in done.out for verb, resource in missing), done.out
    assert "nothing is wrong" not in done.out


def test_health_is_undecided_and_names_the_rights(
    restricted: tuple[Cluster, str], kcompanion: Callable[..., Ran]
) -> None:
    lab, namespace = restricted
    done = kcompanion("health", "-n", namespace, "--as", USER, kubeconfig=lab.kubeconfig)
    assert done.code == 5
    assert "list deployments.apps" in done.out
    assert "Traceback" not in done.err


def test_a_pod_that_may_not_be_read_is_a_gap(restricted: tuple[Cluster, str], kcompanion: Callable[..., Ran]) -> None:
    lab, namespace = restricted
    done = kcompanion("explain", "deployment/web", "-n", namespace, "--as", USER, kubeconfig=lab.kubeconfig)
    assert done.code == 5
    assert "deployments.apps" in done.out
