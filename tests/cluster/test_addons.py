"""`addons` on the real cluster, against the nodes' own answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.alone]
NODE = "kcompanion-worker"


def on_node(*words: str) -> str:
    done = subprocess.run(["docker", "exec", NODE, *words], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def answer(cluster: Path, kcompanion: Callable[..., Any]) -> dict[str, Any]:
    done = kcompanion("addons", "-o", "json", kubeconfig=cluster)
    assert (done.code, done.err) == (0, "")
    body: dict[str, Any] = json.loads(done.out)
    return body


def test_the_mode_is_what_kube_proxy_itself_says(answer: dict[str, Any]) -> None:
    assert answer["network"]["kubeProxy"]["mode"] == on_node("curl", "-s", "127.0.0.1:10249/proxyMode").strip()


def test_the_plugin_is_the_one_configured_on_the_node(answer: dict[str, Any]) -> None:
    cni = answer["network"]["cni"]
    assert (cni["name"], cni["confidence"], cni["enforcesNetworkPolicy"]) == ("kcompanion-lab-cni", "high", False)
    assert "ptp" in on_node("sh", "-c", "cat /etc/cni/net.d/*.conflist")
    assert {f["code"] for f in answer["findings"]} >= {"KC3014"}


def test_dns_is_what_answers(answer: dict[str, Any], kubectl: Callable[..., str]) -> None:
    dns = answer["dns"]
    assert dns["product"] == "CoreDNS"
    assert dns["serviceIPs"] == [
        kubectl("get", "svc", "-n", "kube-system", "kube-dns", "-o", "jsonpath={.spec.clusterIP}")
    ]
    image = kubectl(
        "get", "deploy", "-n", "kube-system", "coredns", "-o", "jsonpath={.spec.template.spec.containers[0].image}"
    )
    assert image.endswith(dns["version"])
    ready = kubectl("get", "deploy", "-n", "kube-system", "coredns", "-o", "jsonpath={.status.readyReplicas}")
    assert dns["readyEndpoints"] == int(ready)


def test_ranges_are_the_flags_of_the_running_processes(answer: dict[str, Any]) -> None:
    words = ["docker", "exec", "kcompanion-control-plane", "pgrep", "-af", "kube-controller-manager"]
    line = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    assert f"--cluster-cidr={answer['network']['podCIDRs'][0]}" in line
    assert f"--service-cluster-ip-range={answer['network']['serviceCIDRs'][0]}" in line


def test_what_is_absent_has_a_stand_in(answer: dict[str, Any], kcompanion: Callable[..., Any], cluster: Path) -> None:
    absent = {a["category"] for a in answer["addons"] if not a["present"]}
    assert {"metrics", "dashboard", "logging", "cloud"} <= absent
    assert "cAdvisor" in kcompanion("addons", "--lang", "en", kubeconfig=cluster).out


@pytest.fixture
def broken_api(kubectl: Callable[..., str]) -> Iterator[None]:
    """The metrics API registered, with nobody behind it."""
    name = "v1beta1.metrics.k8s.io"
    spec = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": "kube-system", "name": "metrics-server"},
    }
    made = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}, "spec": spec}
    kubectl("apply", "-f", "-", stdin=json.dumps(made))
    kubectl("wait", f"apiservice/{name}", "--for=condition=Available=false", "--timeout=30s")
    yield
    kubectl("delete", "apiservice", name)


def test_an_aggregated_api_that_does_not_answer(
    broken_api: None, kcompanion: Callable[..., Any], cluster: Path
) -> None:
    done = kcompanion("addons", "-o", "json", "--fail-on", "critical", kubeconfig=cluster)
    body = json.loads(done.out)
    assert done.code == 1
    assert "KC3030" in {f["code"] for f in body["findings"]}
    assert body["status"] == "fail"


def test_policies_that_protect_nothing(
    kubectl: Callable[..., str], kcompanion: Callable[..., Any], cluster: Path, namespace: str
) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(policy))
    body = json.loads(kcompanion("addons", "-o", "json", kubeconfig=cluster).out)
    assert "KC3013" in {f["code"] for f in body["findings"]}


def test_a_recording_says_the_same(kcompanion: Callable[..., Any], cluster: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "a.kcr")
    live = kcompanion("addons", "--record", file, kubeconfig=cluster)
    assert kcompanion("addons", "--from", file).out == live.out


def test_without_rights_nothing_is_called_absent(kcompanion: Callable[..., Any], cluster: Path) -> None:
    done = kcompanion("addons", "-o", "json", "--as", "nobody", kubeconfig=cluster)
    body = json.loads(done.out)
    assert done.code == 5
    assert body["status"] == "unknown"
    assert {a["status"] for a in body["addons"]} == {"unknown"}
