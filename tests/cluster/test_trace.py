"""`trace` on the real cluster: a pod's life, a roll-out, and the live trace from the create on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parents[2]
MISHAP = "kcompanion.dev/lab/mishap:1"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
PROBE = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}


def container(name: str, image: str, *args: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": image, "args": list(args), "imagePullPolicy": "IfNotPresent", **more}


def deployment(replicas: int = 1) -> dict[str, Any]:
    spec = {
        "terminationGracePeriodSeconds": 1,
        "initContainers": [container("prep", MISHAP, "sleep", "1")],
        "containers": [
            container(
                "web", AGNHOST, "netexec", "--http-port=8080",
                readinessProbe=PROBE, env=[{"name": "PASS", "value": "canary-one"}],
            )
        ],
    }  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec},
        },
    }


def crashing() -> dict[str, Any]:
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container("app", MISHAP, "exit", "3")]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "crash"}, "spec": spec}


def text(*objects: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


@pytest.fixture(scope="module")
def shop(cluster: Path, kubectl: Callable[..., str]) -> Iterator[str]:
    """A namespace with a Service, a Deployment that is up, and a pod that crashes."""
    name = f"test-trace-{os.getpid()}"
    kubectl("create", "namespace", name)
    kubectl("apply", "-n", name, "-f", "-", stdin=text(SERVICE, deployment(), crashing()))
    kubectl("wait", "-n", name, "deployment/web", "--for=condition=Available", "--timeout=90s")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


Trace = Callable[..., dict[str, Any]]


@pytest.fixture
def trace(cluster: Path, kcompanion: Callable[..., Any]) -> Trace:
    def run(*words: str) -> dict[str, Any]:
        done = kcompanion("trace", *words, "-o", "json", kubeconfig=cluster)
        assert (done.code, done.err) == (0, ""), done
        body: dict[str, Any] = json.loads(done.out)
        return body

    return run


def pods(kubectl: Callable[..., str], space: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(kubectl("get", "pods", "-n", space, "-l", "app=web", "-o", "json"))[
        "items"
    ]
    return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def test_every_step_of_a_pod_with_its_actor_and_the_times_of_the_api(
    shop: str, trace: Trace, kubectl: Callable[..., str]
) -> None:
    [pod] = pods(kubectl, shop)
    body = trace("pod", pod["metadata"]["name"], "-n", shop)
    steps = {(step["id"], step["container"]): step for step in body["steps"]}
    assert [key[0] for key in steps] == [
        "created", "stored", "bound", "noticed", "sandbox", "image", "started", "init", "image", "started", "ready",
        "endpoints",
    ]  # fmt: skip
    actors = {step["id"]: step["actor"] for step in body["steps"]}
    assert actors["created"] == "replicaset-controller"
    assert actors["bound"] == "default-scheduler"
    assert actors["ready"] == "kubelet"
    assert actors["endpoints"] == "endpointslice-controller"
    conditions = {c["type"]: c["lastTransitionTime"] for c in pod["status"]["conditions"]}
    assert steps["created", None]["at"] == pod["metadata"]["creationTimestamp"]
    assert steps["bound", None]["at"] == conditions["PodScheduled"]
    assert steps["noticed", None]["at"] == pod["status"]["startTime"]
    assert steps["ready", None]["at"] == conditions["Ready"]
    assert steps["init", "prep"]["tookSeconds"] >= 1
    assert all(step["tookSeconds"] is None or step["tookSeconds"] >= 0 for step in body["steps"])
    assert body["waitingFor"] is None
    assert any(writer["manager"] == "kubelet" for writer in body["writers"])


def test_a_recording_tells_the_same_and_few_requests_are_enough(
    shop: str, cluster: Path, kcompanion: Callable[..., Any], kubectl: Callable[..., str], tmp_path: Path
) -> None:
    name = pods(kubectl, shop)[0]["metadata"]["name"]
    file = tmp_path / "t.kcr"
    live = kcompanion("trace", "pod", name, "-n", shop, "--record", str(file), "-o", "json", kubeconfig=cluster)
    again = kcompanion("trace", "pod", name, "-n", shop, "--from", str(file), "-o", "json")
    assert (again.out, again.code) == (live.out, 0)
    schema = json.loads(kcompanion("schema", "Trace").out)
    Draft202012Validator(schema).validate(json.loads(live.out))
    assert "canary" not in live.out
    inspected = json.loads(kcompanion("snapshot", "inspect", str(file), "-o", "json").out)
    assert "canary" not in json.dumps(inspected)


def test_a_restart_is_the_kubelets_and_what_it_waits_for_is_told(shop: str, trace: Trace) -> None:
    ends = time.monotonic() + 30
    later: list[str] = []
    while time.monotonic() < ends:
        later = [step["id"] for step in trace("pod", "crash", "-n", shop)["later"]]
        if "ended" in later:
            break
        time.sleep(1)
    assert "ended" in later


def test_a_replacement_is_the_controllers(
    shop: str, trace: Trace, kubectl: Callable[..., str], cluster: Path, kcompanion: Callable[..., Any]
) -> None:
    [old] = pods(kubectl, shop)
    kubectl("delete", "pod", "-n", shop, old["metadata"]["name"], "--wait=true")
    ends = time.monotonic() + 30
    while not (found := pods(kubectl, shop)) and time.monotonic() < ends:
        time.sleep(0.3)
    name = found[-1]["metadata"]["name"]
    body = trace("pod", name, "-n", shop)
    assert body["steps"][0]["id"] == "instead"
    assert body["steps"][0]["told"]["values"] == {"name": old["metadata"]["name"]}
    told = kcompanion("trace", "pod", name, "-n", shop, "--lang", "ko", kubeconfig=cluster)
    assert "파드 대신" in told.out


def test_revisions_what_changed_and_who_wrote(shop: str, trace: Trace, kubectl: Callable[..., str]) -> None:
    kubectl("set", "env", "-n", shop, "deployment/web", "-c", "web", "PASS=canary-number-two")
    kubectl("wait", "-n", shop, "deployment/web", "--for=jsonpath={.status.observedGeneration}=2", "--timeout=30s")
    ends = time.monotonic() + 15
    while len((body := trace("deployment/web", "-n", shop))["revisions"]) < 2 and time.monotonic() < ends:
        time.sleep(0.5)
    assert [one["revision"] for one in body["revisions"]] == [1, 2]
    [change] = body["revisions"][1]["changes"]
    assert change["path"] == "spec.containers[web].env[PASS].value"
    assert change["valuesHidden"] is True
    assert "canary" not in json.dumps(body)
    assert body["declared"]["clientSideApply"] is True
    assert "kubectl-set" in body["declared"]["writersSince"]
    assert body["scalings"][0]["to"] == 1


def test_rights_that_are_missing_are_named(shop: str, cluster: Path, kcompanion: Callable[..., Any]) -> None:
    done = kcompanion("trace", "deployment", "web", "-n", shop, "-o", "json", "--as", "nobody", kubeconfig=cluster)
    body = json.loads(done.out)
    assert done.code == 5
    assert (body["complete"], body["gaps"][0]["reason"]) == (False, "forbidden")
    assert kcompanion("trace", "pod", "no-such", "-n", shop, kubeconfig=cluster).code == 4


def test_run_follows_from_the_create_to_ready_and_cleans_up(
    cluster: Path, kcompanion: Callable[..., Any], kubectl: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(text(SERVICE, deployment()))
    done = kcompanion("trace", "run", str(file), "--timeout", "60s", "-o", "json", kubeconfig=cluster)
    assert done.code == 0, done.err
    body = json.loads(done.out)
    Draft202012Validator(json.loads(kcompanion("schema", "TraceRun").out)).validate(body)
    seen = [step["id"] for step in body["steps"] if step["subject"].startswith("pod/")]
    order = ["created", "bound", "noticed", "is_ready"]
    assert [seen.index(one) for one in order] == sorted(seen.index(one) for one in order)
    assert "endpoint" in [step["id"] for step in body["steps"]]
    assert body["goal"] == "ready"
    assert [step["ms"] for step in body["steps"]][-1] > 0
    assert "This writes to the cluster" in done.err
    left = json.loads(kubectl("get", "namespace", "-l", "kcompanion.dev/trace", "-o", "json"))["items"]
    assert all("deletionTimestamp" in one["metadata"] for one in left if one["metadata"]["name"] == body["namespace"])


def test_run_that_does_not_get_ready_says_why(
    namespace: str, cluster: Path, kcompanion: Callable[..., Any], kubectl: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "crash.yaml"
    pod = crashing()
    pod["spec"]["containers"][0]["readinessProbe"] = PROBE  # without one it is ready for the moment in which it runs
    file.write_text(json.dumps(pod))
    done = kcompanion("trace", "run", str(file), "-n", namespace, "--timeout", "7s", kubeconfig=cluster)
    assert done.code == 1
    assert "Not ready after 7 s." in done.out
    assert "Cause: " in done.out
    left = json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
    assert all("deletionTimestamp" in pod["metadata"] for pod in left), "what it made has to go"


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.full)], ids=["ctrl-c", "terminate"]
)
def test_run_cleans_up_when_it_is_stopped(
    number: signal.Signals, namespace: str, cluster: Path, kubectl: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "crash.yaml"
    file.write_text(json.dumps(crashing()))
    command = [sys.executable, "-m", "kcompanion", "trace", "run", str(file), "-n", namespace]
    env = {**os.environ, "KUBECONFIG": str(cluster), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT) as ran:
        assert ran.stdout is not None
        for line in ran.stdout:
            if "bound to node" in line:
                break
        ran.send_signal(number)
        _, err = ran.communicate(timeout=20)
    assert ran.returncode == (130 if number is signal.SIGINT else 128 + number)
    assert "Asked to delete what was created: pod/crash." in err
    assert "Traceback" not in err


def test_watch_tells_what_happens_from_now_on(
    namespace: str, cluster: Path, kubectl: Callable[..., str], tmp_path: Path
) -> None:
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(crashing()))
    command = [sys.executable, "-m", "kcompanion", "trace", "pod", "crash", "-n", namespace, "--watch", "-o", "json"]
    env = {**os.environ, "KUBECONFIG": str(cluster), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT) as ran:
        assert ran.stderr is not None
        assert "Following Pod" in ran.stderr.readline()
        kubectl("delete", "pod", "-n", namespace, "crash", "--wait=false")
        out, _ = ran.communicate(timeout=30)
    seen = [json.loads(line)["id"] for line in out.splitlines()]
    assert ran.returncode == 0
    assert "deleting" in seen
    assert seen[-1] == "gone"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("trace",), "name an object"),
        (("trace", "pod"), "one object at a time"),
        (("trace", "run"), "one manifest"),
        (("trace", "run", "x.yaml", "--from", "y.kcr"), "live cluster"),
        (("trace", "pod", "x", "--keep"), "--keep belongs"),
        (("trace", "pod", "x", "-w", "--from", "y.kcr"), "live cluster"),
    ],
)
def test_what_makes_no_sense_is_refused(kcompanion: Callable[..., Any], words: tuple[str, ...], told: str) -> None:
    done = kcompanion(*words)
    assert done.code == 2
    assert told in done.err


def test_run_refuses_what_belongs_to_the_whole_cluster(
    cluster: Path, kcompanion: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "ns.yaml"
    file.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")
    done = kcompanion("trace", "run", str(file), kubeconfig=cluster)
    assert (done.code, done.out) == (2, "")
    assert "whole cluster" in done.err
