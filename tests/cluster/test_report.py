"""`report` and `diff` on the real clusters: the numbers are kubectl's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.cluster

# What other tests leave alone while this one looks.
STILL = {"cluster", "flags", "components"}


@pytest.fixture(scope="module")
def report(cluster: Path, kcompanion: Callable[..., Any]) -> dict[str, Any]:
    done = kcompanion("report", "-o", "json", kubeconfig=cluster)
    assert done.err == ""
    body: dict[str, Any] = json.loads(done.out)
    return body


def test_nodes_and_system_pods_are_kubectls(report: dict[str, Any], kubectl: Callable[..., str]) -> None:
    rows = [line.split() for line in kubectl("get", "nodes", "--no-headers").splitlines()]
    assert [(n["name"], n["state"], n["kubeletVersion"]) for n in report["nodes"]] == sorted(
        (row[0], row[1], row[4]) for row in rows
    )
    pods = kubectl("get", "pods", "-n", "kube-system", "-o", "name").split()
    assert sorted(f"pod/{row['pod']}" for row in report["systemPods"]) == sorted(pods)


def test_services_and_owners_of_the_system_are_kubectls(report: dict[str, Any], kubectl: Callable[..., str]) -> None:
    of_system = [row for row in report["services"] if row["namespace"] == "kube-system"]
    names = kubectl("get", "services", "-n", "kube-system", "-o", "name").split()
    assert [f"service/{row['name']}" for row in of_system] == sorted(names)
    ready = kubectl("get", "endpointslices", "-n", "kube-system", "-l", "kubernetes.io/service-name=kube-dns",
                    "-o", "jsonpath={.items[*].endpoints[*].conditions.ready}").split()  # fmt: skip
    dns = next(row for row in of_system if row["name"] == "kube-dns")
    assert dns["readyEndpoints"] == ready.count("true")
    owners = {row["name"]: row for row in report["owners"] if row["namespace"] == "kube-system"}
    for line in kubectl("get", "deployments,daemonsets", "-n", "kube-system", "-o", "name").split():
        assert line.partition("/")[2] in owners
    assert owners["coredns"]["state"] == kubectl(
        "get", "deployment", "coredns", "-n", "kube-system", "--no-headers"
    ).split()[1]  # fmt: skip


def test_a_recording_and_the_cluster_now_are_the_same_architecture(
    cluster: Path, kcompanion: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "then.kcr"
    assert kcompanion("snapshot", "save", str(file), kubeconfig=cluster).code == 0
    done = kcompanion("diff", str(file), "-o", "json", kubeconfig=cluster)
    body = json.loads(done.out)
    assert [change for change in body["changes"] if change["area"] in STILL and change["aspect"] != "health"] == []
    assert body["notCompared"] == []
