"""`key` against the etcd of the real cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.cluster
ETCDCTL = (
    "etcdctl", "--endpoints=https://127.0.0.1:2379", "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
    "--cert=/etc/kubernetes/pki/etcd/server.crt", "--key=/etc/kubernetes/pki/etcd/server.key",
)  # fmt: skip
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: keytests.test.kcompanion.dev}
spec:
  group: test.kcompanion.dev
  scope: Namespaced
  names: {plural: keytests, kind: KeyTest}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
# TYPE and NAME of objects that every cluster of the lab has, and where they lie.
THERE = [
    ("node", "kcompanion-worker", ""),
    ("service", "kubernetes", "default"),
    ("endpoints", "kubernetes", "default"),
    ("deployment", "coredns", "kube-system"),
    ("clusterrole", "view", ""),
]


@pytest.fixture(scope="module")
def every_key(kubectl: Callable[..., str]) -> set[str]:
    """All keys of the cluster, from etcd itself."""
    words = ("exec", "-n", "kube-system", "etcd-kcompanion-control-plane", "--", *ETCDCTL)
    return set(kubectl(*words, "get", "/registry", "--prefix", "--keys-only").split())


def test_keys_are_etcds_own(every_key: set[str], cluster: Path, kcompanion: Callable[..., Any]) -> None:
    for kind, name, space in THERE:
        where = ("-n", space) if space else ()
        done = kcompanion("key", f"{kind}/{name}", *where, "-o", "name", kubeconfig=cluster)
        assert done.code == 0, done.err
        assert done.out.strip() in every_key, kind


def read(cluster: Path, kcompanion: Callable[..., Any], *words: str) -> dict[str, Any]:
    done = kcompanion("key", *words, "--read", "-o", "json", kubeconfig=cluster)
    assert done.code == 0, done.err
    assert "runs etcdctl in pod" in done.err
    body: dict[str, Any] = json.loads(done.out)
    return body


@pytest.mark.parametrize(
    ("what", "space", "kind", "encoding"),
    [
        ("node/kcompanion-worker", "", "Node", "protobuf"),
        ("lease/kcompanion-worker", "kube-node-lease", "Lease", "protobuf"),  # written every few seconds
        ("apiservice/v1.apps", "", "APIService", "json"),
    ],
)
def test_the_revision_in_etcd_is_the_resource_version(
    cluster: Path, kcompanion: Callable[..., Any], what: str, space: str, kind: str, encoding: str
) -> None:
    body = read(cluster, kcompanion, what, *(("-n", space) if space else ()))
    back = body["readBack"]
    assert back["sameAsResourceVersion"] is True
    assert (back["value"]["encoding"], back["value"]["kind"]) == (encoding, kind)
    assert back["value"]["createRevision"] <= back["value"]["modRevision"] <= back["value"]["etcdRevision"]


def test_a_secrets_value_is_never_shown(
    namespace: str, cluster: Path, kcompanion: Callable[..., Any], kubectl: Callable[..., str]
) -> None:
    kubectl("create", "secret", "generic", "s", "-n", namespace, "--from-literal=password=canary-in-etcd")
    done = kcompanion("key", "secret/s", "-n", namespace, "--read", "-o", "json", kubeconfig=cluster)
    body = json.loads(done.out)
    Draft202012Validator(json.loads(kcompanion("schema", "Key").out)).validate(body)
    assert body["readBack"]["value"]["bytes"] > len("canary-in-etcd")
    assert body["readBack"]["value"]["kind"] == "Secret"
    assert "canary" not in done.out + done.err
    plain = kcompanion("key", "secret/s", "-n", namespace, "--read", "--lang", "ko", kubeconfig=cluster)
    assert "canary" not in plain.out + plain.err
    assert "값 자체는 보여 주지 않습니다" in plain.out


def test_a_custom_resource(
    namespace: str, cluster: Path, kcompanion: Callable[..., Any], kubectl: Callable[..., str]
) -> None:
    kubectl("apply", "-f", "-", stdin=CRD)
    try:
        kubectl("wait", "crd/keytests.test.kcompanion.dev", "--for=condition=Established", "--timeout=30s")
        one = {"apiVersion": "test.kcompanion.dev/v1", "kind": "KeyTest", "metadata": {"name": "x"}}
        kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(one))
        body = read(cluster, kcompanion, "keytest/x", "-n", namespace)
        assert body["key"] == f"/registry/test.kcompanion.dev/keytests/{namespace}/x"
        assert body["readBack"]["value"]["encoding"] == "json"
        assert body["readBack"]["sameAsResourceVersion"] is True
    finally:
        kubectl("delete", "crd", "keytests.test.kcompanion.dev", "--wait=false")


ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: kcompanion-key-test, namespace: kube-system}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: kcompanion-key-test, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: kcompanion-key-test}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: key-test}]
"""


def test_without_the_right_to_exec_the_right_is_named(
    cluster: Path, kcompanion: Callable[..., Any], kubectl: Callable[..., str]
) -> None:
    kubectl("apply", "-f", "-", stdin=ROLE)
    try:
        words = ("key", "pod/etcd-kcompanion-control-plane", "-n", "kube-system", "--read", "-o", "json")
        done = kcompanion(*words, "--as", "key-test", kubeconfig=cluster)
    finally:
        kubectl("delete", "-f", "-", stdin=ROLE)
    body = json.loads(done.out)
    assert done.code == 5
    assert body["key"] == "/registry/pods/kube-system/etcd-kcompanion-control-plane"
    [gap] = body["gaps"]
    assert (gap["reason"], gap["verb"], gap["resource"]) == ("forbidden", "create", "pods/exec")


def test_a_reader_without_rights_still_learns_the_key(cluster: Path, kcompanion: Callable[..., Any]) -> None:
    done = kcompanion("key", "pod/x", "-n", "shop", "-o", "json", "--as", "nobody", kubeconfig=cluster)
    body = json.loads(done.out)
    assert (done.code, body["key"], body["exists"], body["complete"]) == (0, "/registry/pods/shop/x", None, False)


def test_what_is_not_there(cluster: Path, kcompanion: Callable[..., Any]) -> None:
    done = kcompanion("key", "pod/no-such", "-n", "default", kubeconfig=cluster)
    assert (done.code, done.out) == (4, "")
    assert "/registry/pods/default/no-such" in done.err
    assert kcompanion("key", "nonsense/x", kubeconfig=cluster).code == 4


def test_recordings_know_the_key_but_cannot_read_it_back(kcompanion: Callable[..., Any]) -> None:
    file = ("--from", "demo:three-nodes")
    done = kcompanion("key", "deployment/coredns", "-n", "kube-system", *file)
    assert done.code == 0
    assert "/registry/deployments/kube-system/coredns" in done.out
    refused = kcompanion("key", "deployment/coredns", "-n", "kube-system", "--read", *file)
    assert (refused.code, refused.out) == (2, "")
    assert "live cluster" in refused.err
