"""With rights taken away, explain and health tell what was not evaluated and name the right; never a silent fine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Ran
from tests.cluster.showing import laboratory
from tools.demo import Cluster, demos

pytestmark = pytest.mark.cluster

USER = "only-pods"
DEMO = replace(demos()["KC5041"], name="KC5041-rights")  # another one may run at this moment
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
    """The demo of a missing ConfigMap in a namespace of its own, and a user who may read its pods and nothing else."""
    lab = laboratory(cluster)
    lab.apply(DEMO)
    for manifest in (ROLE, BINDING):
        target = cluster.parent / f"rights-{manifest['kind']}.json"
        target.write_text(json.dumps(manifest))
        lab.kubectl("apply", "-n", DEMO.namespace, "-f", str(target))
        target.unlink()
    lab.wait(DEMO)
    yield lab, DEMO.namespace
    lab.remove(DEMO)


def body(done: Ran) -> dict[str, Any]:
    return dict(json.loads(done.out))


def test_explain_names_the_right_that_is_missing(
    restricted: tuple[Cluster, str], kcompanion: Callable[..., Ran]
) -> None:
    lab, namespace = restricted
    target = DEMO.explain
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
