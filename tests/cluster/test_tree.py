"""`tree`, `owners` and `orphans` on the real cluster, against kubectl; previews are then done for real."""

from __future__ import annotations

import json
import secrets
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lab.components import AGNHOST

pytestmark = pytest.mark.cluster
Kubectl = Callable[..., str]
GROUP = f"t{secrets.token_hex(3)}.example.org"


def template(labels: dict[str, str], **spec: Any) -> dict[str, Any]:
    small = {"requests": {"cpu": "5m", "memory": "8Mi"}}
    container = {
        "name": "c",
        "image": AGNHOST,
        "args": ["pause"],
        "imagePullPolicy": "IfNotPresent",
        "resources": small,
    }
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1} | spec,
    }


def workload(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    body = {"selector": {"matchLabels": labels}, "template": template(labels), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": body}


def crd() -> dict[str, Any]:
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**kind, "metadata": {"name": f"gadgets.{GROUP}"}, "spec": spec}


def manifests() -> list[dict[str, Any]]:
    web = workload("Deployment", "web", replicas=2)
    web["spec"]["template"]["spec"]["volumes"] = [{"name": "settings", "configMap": {"name": "settings"}}]
    once = template({"app": "tick"}, restartPolicy="Never")
    once["spec"]["containers"][0]["args"] = ["help"]
    job = {"jobTemplate": {"spec": {"template": once}}, "schedule": "0 0 1 1 *"}
    selector = {"app": "web"}
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": selector}}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}},
        web,
        workload("StatefulSet", "db", serviceName="db", replicas=1),
        workload("DaemonSet", "agent"),
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"}, "spec": job},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": selector, "ports": [{"port": 80}]},
        },
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": budget},
        {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "metadata": {"name": "g"}},
    ]


def apply(kubectl: Kubectl, namespace: str, *objects: dict[str, Any]) -> None:
    body = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(body))


@pytest.fixture(scope="module")
def space(kubectl: Kubectl) -> Iterator[str]:
    """A namespace with a workload of each kind, and a custom resource that owns a ConfigMap."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    try:
        kubectl("apply", "-f", "-", stdin=json.dumps(crd()))
        kubectl("wait", f"crd/gadgets.{GROUP}", "--for=condition=Established", "--timeout=60s")
        apply(kubectl, name, *manifests())
        uid = kubectl("get", f"gadgets.{GROUP}", "g", "-n", name, "-o", "jsonpath={.metadata.uid}")
        owner = {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "name": "g", "uid": uid, "controller": True}
        made = {"name": "made", "ownerReferences": [owner]}
        apply(kubectl, name, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": made})
        kubectl("create", "job", "-n", name, "tick-now", "--from=cronjob/tick")
        for what in ("deployment/web", "statefulset/db", "daemonset/agent"):
            kubectl("rollout", "status", "-n", name, what, "--timeout=110s")
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")
        kubectl("delete", "crd", f"gadgets.{GROUP}", "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def ask(kcompanion: Callable[..., Any], cluster: Path, space: str) -> Callable[..., Any]:
    """Runs a command with -o json in the namespace; the answer fits its schema."""

    def run(*words: str, code: int = 0, namespace: str = space) -> Any:
        done = kcompanion(*words, "-n", namespace, "-o", "json", kubeconfig=cluster)
        assert done.code == code, done.out + done.err
        body = json.loads(done.out)
        schema = json.loads(kcompanion("schema", body["kind"]).out)
        Draft202012Validator(schema).validate(body)
        return body

    return run


def shape(node: dict[str, Any]) -> dict[str, Any]:
    return {f"{node['kind']}/{node['name']}": [shape(child) for child in node["children"]]}


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node["children"]:
        yield from walk(child)


def names(kubectl: Kubectl, space: str, *words: str) -> list[str]:
    listed = kubectl("get", "-n", space, *words, "-o", "jsonpath={.items[*].metadata.name}")
    return sorted(listed.split())


def test_a_pod_stands_below_replicaset_and_deployment(ask: Callable[..., Any], kubectl: Kubectl, space: str) -> None:
    pods = names(kubectl, space, "pods", "-l", "app=web")
    (replicaset,) = names(kubectl, space, "replicasets", "-l", "app=web")
    answer = ask("tree", "pod", pods[0])
    (root,) = answer["roots"]
    assert set(shape(root)) == {"Deployment/web"}
    (below,) = root["children"]
    assert (below["name"], below["revision"], below["templateHashMatches"]) == (replicaset, 1, True)
    assert sorted(child["name"] for child in below["children"]) == pods
    assert [node["name"] for node in walk(root) if node["asked"]] == [pods[0]]
    assert {node["status"] for node in walk(root)} == {"ok"}
    part = next(node for node in walk(root) if node["asked"])["nameParts"]
    assert [one["meaning"] for one in part] == ["owner", "hash", "random"]
    assert "-".join(one["text"] for one in part) == pods[0]


def test_owners_are_those_the_api_server_has(ask: Callable[..., Any], kubectl: Kubectl, space: str) -> None:
    pod = names(kubectl, space, "pods", "-l", "app=web")[0]
    raw = json.loads(kubectl("get", "pod", "-n", space, pod, "-o", "json"))["metadata"]["ownerReferences"]
    (root,) = ask("owners", f"pod/{pod}")["roots"]
    chain = list(walk(root))
    assert [node["kind"] for node in chain] == ["Deployment", "ReplicaSet", "Pod"]
    assert {key: chain[-1]["owners"][0][key] for key in raw[0]} == raw[0]


@pytest.mark.parametrize(
    ("asked", "root", "below"),
    [("statefulset/db", "StatefulSet/db", "Pod"), ("daemonset/agent", "DaemonSet/agent", "Pod")],
)
def test_every_kind_has_its_tree(
    ask: Callable[..., Any], kubectl: Kubectl, space: str, asked: str, root: str, below: str
) -> None:
    (found,) = ask("tree", asked)["roots"]
    assert set(shape(found)) == {root}
    mine = sorted(child["name"] for child in found["children"] if child["kind"] == below)
    assert mine == names(kubectl, space, "pods", "-l", f"app={asked.partition('/')[2]}")
    assert {child["kind"] for child in found["children"]} >= {below, "ControllerRevision"}


def test_cronjob_job_and_pod(ask: Callable[..., Any], kubectl: Kubectl, space: str) -> None:
    kubectl("wait", "-n", space, "job/tick-now", "--for=create", "--timeout=60s")
    deadline = time.monotonic() + 60
    while not (pods := names(kubectl, space, "pods", "-l", "job-name=tick-now")):
        assert time.monotonic() < deadline
        time.sleep(1)
    (root,) = ask("tree", f"pod/{pods[0]}")["roots"]
    assert [f"{node['kind']}/{node['name']}" for node in walk(root)] == [
        "CronJob/tick",
        "Job/tick-now",
        f"Pod/{pods[0]}",
    ]


def test_a_custom_resource_is_found_from_above_and_below(ask: Callable[..., Any]) -> None:
    wanted: dict[str, Any] = {"Gadget/g": [{"ConfigMap/made": []}]}
    assert shape(ask("tree", f"gadgets.{GROUP}", "g")["roots"][0]) == wanted
    assert shape(ask("tree", "configmap/made")["roots"][0]) == wanted


def test_a_static_pod_stands_below_its_node(ask: Callable[..., Any]) -> None:
    (root,) = ask("tree", "pod/etcd-kcompanion-control-plane", namespace="kube-system")["roots"]
    assert (root["kind"], root["name"]) == ("Node", "kcompanion-control-plane")
    static = {node["name"] for node in walk(root) if node["static"]}
    assert {f"{name}-kcompanion-control-plane" for name in ("etcd", "kube-apiserver", "kube-scheduler")} <= static


def test_relations_and_events(ask: Callable[..., Any], kubectl: Kubectl, space: str) -> None:
    answer = ask("tree", "deployment/web", "--with", "all", "--events")
    pods = names(kubectl, space, "pods", "-l", "app=web")
    ties = {(edge["tie"], edge["source"], edge["target"]) for edge in answer["relations"]}
    for pod in pods:
        here = f"Pod/{space}/{pod}"
        assert {
            ("serves", f"Service/{space}/web", here),
            ("guards", f"PodDisruptionBudget/{space}/web", here),
            ("mounts", here, f"ConfigMap/{space}/settings"),
            ("runsAs", here, f"ServiceAccount/{space}/default"),
        } <= ties
    reasons = {event["reason"] for event in answer["events"]}
    assert {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Started"} <= reasons
    times = [event["last"] for event in answer["events"]]
    assert times == sorted(times)


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg", "table", "wide", "yaml", "name"])
def test_every_format_is_the_same_from_a_recording(
    kcompanion: Callable[..., Any], cluster: Path, space: str, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "tree.kcr"
    words = ("tree", "deployment/web", "-n", space, "--with", "services,config", "--now", "2027-01-01T00:00:00Z")
    live = kcompanion(*words, "-o", form, "--record", str(file), "--lang", "ko", kubeconfig=cluster)
    again = kcompanion(*words, "-o", form, "--from", str(file), "--lang", "ko")
    assert (live.code, live.err) == (0, "")
    assert live.out == again.out
    assert "web" in live.out
    if form == "svg":
        assert ET.fromstring(live.out).tag == "{http://www.w3.org/2000/svg}svg"


def test_forbidden_kinds_are_named(kcompanion: Callable[..., Any], kubectl: Kubectl, cluster: Path, space: str) -> None:
    kubectl("create", "serviceaccount", "narrow", "-n", space)
    kubectl(
        *("create", "role", "narrow", "-n", space, "--verb=get,list"),
        "--resource=pods,replicasets.apps,deployments.apps,events",
    )
    kubectl("create", "rolebinding", "narrow", "-n", space, "--role=narrow", f"--serviceaccount={space}:narrow")
    words = ("tree", "deployment/web", "-n", space, "--as", f"system:serviceaccount:{space}:narrow")
    done = kcompanion(*words, "-o", "json", kubeconfig=cluster)
    answer = json.loads(done.out)
    assert done.code == 5, "whether the pods' node answers could not be read"
    assert "nodes" in {gap["resource"] for gap in answer["gaps"]}
    assert len(list(walk(answer["roots"][0]))) == 4
    forbidden = {gap["resource"] for gap in answer["gaps"] if gap["reason"] == "forbidden"}
    assert {"secrets", "configmaps", f"gadgets.{GROUP}"} <= forbidden
    assert answer["complete"] is False
    said = " ".join(kcompanion(*words, kubeconfig=cluster).out.split())
    assert "Could not be read list " in said
    assert ", secrets," in said
    assert "Whatever of these kinds belongs to the tree is not in it." in said


# ------------------------------------------------------------------------------------- orphans


@pytest.fixture
def shop(kubectl: Kubectl) -> Iterator[str]:
    """A namespace with one Deployment of two pods and a Service."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    try:
        service = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
        head = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
        apply(kubectl, name, workload("Deployment", "web", replicas=2), {**head, "spec": service})
        kubectl("rollout", "status", "-n", name, "deployment/web", "--timeout=110s")
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def live_pods(kubectl: Kubectl, space: str) -> dict[str, str]:
    """The pods that are not being deleted, with the name of their controller (empty without one)."""
    items = json.loads(kubectl("get", "pods", "-n", space, "-o", "json"))["items"]
    found = {}
    for item in items:
        meta = item["metadata"]
        owners = [one["name"] for one in meta.get("ownerReferences", []) if one.get("controller")]
        if "deletionTimestamp" not in meta:
            found[meta["name"]] = owners[0] if owners else ""
    return found


def until(check: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(1)


def test_what_was_previewed_happens(ask: Callable[..., Any], kubectl: Kubectl, shop: str) -> None:
    before = live_pods(kubectl, shop)
    pod, replicaset = sorted(before.items())[0]

    told = ask("orphans", f"pod/{pod}", "--preview-label", "app=debug", namespace=shop)["preview"]
    assert live_pods(kubectl, shop) == before, "a preview changes nothing"
    (effect,) = told["effects"]
    assert (effect["controller"], effect["claim"]) == (f"ReplicaSet/{shop}/{replicaset}", "releases")
    assert (effect["then"], effect["created"], effect["podsThen"]) == ("creates", 1, 1)
    assert told["selectedBy"] == [{"object": f"Service/{shop}/web", "gains": False}]

    kubectl("label", "pod", "-n", shop, pod, "app=debug", "--overwrite")
    until(lambda: len(live_pods(kubectl, shop)) == 2 + effect["created"])
    after = live_pods(kubectl, shop)
    assert after[pod] == ""
    assert [owner for owner in after.values() if owner] == [replicaset] * 2

    answer = ask("orphans", namespace=shop)
    (orphan,) = answer["orphans"]
    assert (orphan["name"], orphan["sort"], orphan["maker"]) == (pod, "released", f"ReplicaSet/{shop}/{replicaset}")
    assert orphan["differingLabels"] == [{"key": "app", "wanted": "web", "found": "debug"}]
    assert orphan["lastWrite"]["manager"] == "kubectl-label"
    assert orphan["replacement"] == f"Pod/{shop}/{(set(after) - set(before)).pop()}"

    kubectl("rollout", "status", "-n", shop, "deployment/web", "--timeout=110s")
    kubectl("wait", "pods", "--all", "-n", shop, "--for=condition=Ready", "--timeout=60s")
    back = ask("orphans", f"pod/{pod}", "--preview-label", "app=web", namespace=shop)["preview"]
    (effect,) = back["effects"]
    assert (effect["claim"], effect["then"], effect["podsThen"]) == ("adopts", "deletes", 3)
    kubectl("label", "pod", "-n", shop, pod, "app=web", "--overwrite")
    until(lambda: len(live_pods(kubectl, shop)) == 2)
    gone = set(after) - set(live_pods(kubectl, shop))
    assert len(gone) == len(effect["deleted"])
    assert gone <= {*effect["deleted"], *effect["perhapsInstead"]}
    assert ask("orphans", namespace=shop)["status"] == "ok"


def test_a_replicaset_left_behind_and_adopted_again(ask: Callable[..., Any], kubectl: Kubectl, shop: str) -> None:
    (replicaset,) = names(kubectl, shop, "replicasets")
    kubectl("delete", "deployment", "web", "-n", shop, "--cascade=orphan")
    until(lambda: "ownerReferences" not in kubectl("get", "replicaset", replicaset, "-n", shop, "-o", "json"))
    (orphan,) = ask("orphans", namespace=shop)["orphans"]
    assert (orphan["kind"], orphan["sort"], orphan["maker"]) == ("ReplicaSet", "left", f"Deployment/{shop}/web")
    assert orphan["makerExists"] is False
    (root,) = ask("tree", f"replicaset/{replicaset}", namespace=shop)["roots"]
    assert (root["kind"], len(root["children"])) == ("ReplicaSet", 2)
    apply(kubectl, shop, workload("Deployment", "web", replicas=2))
    until(lambda: "ownerReferences" in kubectl("get", "replicaset", replicaset, "-n", shop, "-o", "json"))
    assert ask("orphans", namespace=shop)["orphans"] == []
    assert set(live_pods(kubectl, shop).values()) == {replicaset}


def test_the_selector_itself_is_immutable(kubectl: Kubectl, shop: str) -> None:
    patch = json.dumps(
        {"spec": {"selector": {"matchLabels": {"tier": "x"}}, "template": {"metadata": {"labels": {"tier": "x"}}}}}
    )
    with pytest.raises(AssertionError, match="field is immutable"):
        kubectl("patch", "deployment", "web", "-n", shop, "-p", patch)


def test_an_owner_of_an_unknown_kind_and_static_pods(ask: Callable[..., Any], kubectl: Kubectl, shop: str) -> None:
    owner = {
        "apiVersion": "nope.example.org/v1",
        "kind": "Nope",
        "name": "x",
        "uid": "0a0a0a0a-0000-0000-0000-000000000000",
    }
    meta = {"name": "stray", "ownerReferences": [owner]}
    apply(kubectl, shop, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    found = {one["name"]: one["sort"] for one in ask("orphans", "--all-kinds", namespace=shop)["orphans"]}
    assert found == {"stray": "unknownKind"}
    (root,) = ask("tree", "configmap/stray", namespace=shop)["roots"]
    assert root["owners"][0]["state"] == "unknownKind"
    static = ask("orphans", namespace="kube-system")
    assert static["counts"] == {"static": 4}
    assert static["status"] == "ok"
