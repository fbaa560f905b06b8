"""`overview` and `quiz` on the real cluster: they say what kubectl says, by the very commands that the quiz names."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Ran

pytestmark = pytest.mark.cluster
PATIENCE = 180.0
IMAGE = "registry.k8s.io/pause:3.10"
Kubectl = Callable[..., str]


@pytest.fixture
def shop(kubectl: Kubectl, namespace: str) -> str:
    """A namespace with a Deployment of two pods and a Service in front of them."""
    kubectl("create", "deployment", "web", f"--image={IMAGE}", "--replicas=2", "-n", namespace)
    kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080", "-n", namespace)
    kubectl("run", "alone", f"--image={IMAGE}", "-n", namespace)
    kubectl("wait", "deployment/web", "--for=condition=Available", "--timeout=180s", "-n", namespace)
    kubectl("wait", "pod/alone", "--for=condition=Ready", "--timeout=180s", "-n", namespace)
    return namespace


def asked(kcompanion: Callable[..., Ran], cluster: Path, *words: str) -> dict[str, dict[str, Any]]:
    """The questions by their kind."""
    ran = kcompanion("quiz", "-o", "json", "--answers", "--count", "60", *words, kubeconfig=cluster)
    assert ran.code == 0, ran.err
    return {one["id"]: one for one in json.loads(ran.out)["questions"]}


def right(one: dict[str, Any]) -> list[str]:
    return [one["choices"][number - 1] for number in one["answer"]["right"]]


def shown(one: dict[str, Any], kubectl: Kubectl) -> str:
    """What the question's own kubectl command says."""
    program, *words = shlex.split(one["answer"]["commands"][1])
    assert program == "kubectl"
    return kubectl(*words).strip()


def test_answers_of_a_namespace_are_those_of_kubectl(
    cluster: Path, kcompanion: Callable[..., Ran], kubectl: Kubectl, shop: str
) -> None:
    found = asked(kcompanion, cluster, "-n", shop, "--seed", "1")
    [chosen] = right(found["pod_controller"])
    [reference] = json.loads(shown(found["pod_controller"], kubectl))
    assert chosen == f"{reference['kind']} {shop}/{reference['name']}"
    assert right(found["quality"]) == [shown(found["quality"], kubectl)] == ["BestEffort"]
    [user] = right(found["account"])
    assert user == f"system:serviceaccount:{shop}:{shown(found['account'], kubectl)}"
    pods = {line.split()[0] for line in shown(found["selected"], kubectl).splitlines()[1:]}
    assert {one.removeprefix(f"{shop}/") for one in right(found["selected"])} == pods
    assert right(found["port"]) == [str(json.loads(shown(found["port"], kubectl))[0]["targetPort"])] == ["8080"]
    assert right(found["service_name"]) == [f"web.{shop}"]
    assert right(found["surge"]) == ["3"]  # 2 and a quarter of them, rounded up
    assert shown(found["naked"], kubectl) == ""
    labels = dict(pair.split("=") for pair in found["adopts"]["question"]["values"]["labels"].split(","))
    assert json.loads(shown(found["adopts"], kubectl)) == {"matchLabels": labels}
    assert found["eviction_wait"]["answer"]["right"] != []
    assert '"tolerationSeconds":' + right(found["eviction_wait"])[0] in shown(found["eviction_wait"], kubectl)


def test_answers_of_the_control_plane_are_those_of_kubectl(
    cluster: Path, kcompanion: Callable[..., Ran], kubectl: Kubectl
) -> None:
    found = asked(kcompanion, cluster, "--topic", "control-plane", "--topic", "etcd", "--seed", "1")
    assert right(found["leader_node"]) == [shown(found["leader_node"], kubectl).split("_")[0]]
    assert right(found["takeover"]) == [shown(found["takeover"], kubectl)]
    [reference] = json.loads(shown(found["static_owner"], kubectl))
    assert right(found["static_owner"]) == [f"{reference['kind']} {reference['name']}"]
    assert shown(found["static_delete"], kubectl) == "file"
    members = len(shown(found["quorum"], kubectl).splitlines()) - 1
    assert right(found["quorum"]) == [str(members // 2 + 1)]
    assert "--etcd-servers=" in shown(found["talks_to_etcd"], kubectl)


def test_answers_of_nodes_and_api_are_those_of_kubectl(
    cluster: Path, kcompanion: Callable[..., Ran], kubectl: Kubectl
) -> None:
    found = asked(kcompanion, cluster, "--topic", "nodes", "--topic", "api", "--topic", "storage", "--seed", "2")
    assert right(found["runtime"])[0] in shown(found["runtime"], kubectl)
    assert json.loads(shown(found["pod_range"], kubectl)) == right(found["pod_range"])
    kinds = kubectl("api-resources", "--namespaced=false", "--no-headers")
    assert right(found["scope"])[0] in {line.split()[-1] for line in kinds.splitlines()}
    assert f"{right(found['default_class'])[0]} (default)" in shown(found["default_class"], kubectl)
    group, _, version = right(found["api_group"])[0].rpartition("/")
    told = dict(line.split(":", 1) for line in shown(found["api_group"], kubectl).splitlines()[:3] if ":" in line)
    assert (told.get("GROUP", "").strip(), told["VERSION"].strip()) == (group, version)


# ------------------------------------------------------------------------------------------- overview


def test_the_overview_is_what_kubectl_says(cluster: Path, kcompanion: Callable[..., Ran], kubectl: Kubectl) -> None:
    ran = kcompanion("overview", "-o", "json", kubeconfig=cluster)
    body = json.loads(ran.out)
    assert [f"node/{one['name']}" for one in body["nodes"]["items"]] == kubectl("get", "nodes", "-o", "name").split()
    for leader in body["controlPlane"]["leaders"]:
        lease = ("get", "lease", leader["component"], "-n", "kube-system", "-o", "jsonpath={.spec.holderIdentity}")
        assert leader["holder"] == kubectl(*lease)
    assert body["controlPlane"]["quorum"]["members"] == 1
    assert body["lately"] != []
    assert ran.code == (0 if body["complete"] else 5)


def test_the_overview_of_one_namespace(cluster: Path, kcompanion: Callable[..., Ran], shop: str) -> None:
    body = json.loads(kcompanion("overview", "-n", shop, "-o", "json", kubeconfig=cluster).out)
    assert body["workloads"] == [{"count": 1, "kind": "Deployment", "well": 1}]
    assert body["pods"] == {"count": 3, "states": {"Running": 3}, "well": 3}
    assert f"{shop}: deployment/web" in {one["subject"] for one in body["lately"]}


def test_without_a_terminal_a_watch_prints_changes_only(
    cluster: Path, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    file = tmp_path / "watched"
    env = {**os.environ, "KUBECONFIG": str(cluster), "LC_ALL": "C.UTF-8"}
    words = [sys.executable, "-m", "kcompanion", "overview", "-w", "-n", namespace]
    with file.open("w") as out, subprocess.Popen(words, stdout=out, env=env, start_new_session=True) as watching:
        try:
            until(lambda: f"Namespace {namespace} of" in file.read_text())
            kubectl("create", "deployment", "web", f"--image={IMAGE}", "-n", namespace)
            until(lambda: "1 pod: 1 Running" in file.read_text())
            told = file.read_text().split(f"Namespace {namespace} of")[1:]
            watching.send_signal(signal.SIGINT)
            assert watching.wait(PATIENCE) == 130
        finally:
            watching.kill()
    assert len(told) > 1


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.5)
