"""What leaves an object before anyone sees it, and what stays."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kcompanion.cluster import scrub
from kcompanion.model import resources as r
from kcompanion.model.ask import Outcome, Reading, getting, listing
from kcompanion.model.contents import contents
from kcompanion.model.snapshot import Snapshot
from tests.cluster_package.test_secrets import CANARY


def scrubbed(resource: r.Resource, *, keep_managed: bool = False, **fields: Any) -> Any:
    item = {"metadata": {"name": "x", "namespace": "shop"}, **json.loads(json.dumps(fields))}
    return scrub.objects(listing(resource, keep_managed_fields=keep_managed), [item])[0]


def container(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", **fields}]}}


@pytest.mark.parametrize(
    "fields",
    [
        container(env=[{"name": "X", "value": CANARY}]),
        container(args=["--token", CANARY]),
        container(command=["sh", "-c", f"PASSWORD={CANARY} run"]),
        container(livenessProbe={"httpGet": {"httpHeaders": [{"name": "Authorization", "value": CANARY}]}}),
        container(livenessProbe={"httpGet": {"path": f"/healthz?token={CANARY}"}}),
        container(livenessProbe={"exec": {"command": ["check", f"--password={CANARY}"]}}),
        container(lifecycle={"postStart": {"httpGet": {"httpHeaders": [{"name": "a", "value": CANARY}]}}}),
        {"spec": {"template": container(env=[{"name": "X", "value": CANARY}])}},
        {"spec": {"template": {"metadata": {"annotations": {"x": f"password: {CANARY}"}}}}},
        {"spec": {"jobTemplate": {"spec": {"template": container(env=[{"name": "X", "value": CANARY}])}}}},
        {"spec": {"volumes": [{"csi": {"volumeAttributes": {"clientSecret": CANARY}}}]}},
        {"status": {"containerStatuses": [{"lastState": {"terminated": {"message": f"token={CANARY}"}}}]}},
        {"status": {"conditions": [{"message": f"Bearer {CANARY}"}]}},
        {"spec": {"csi": {"volumeAttributes": {"password": CANARY}}, "mountOptions": [f"password={CANARY}"]}},
        {"parameters": {"restuserkey-password": CANARY}},
        {"webhooks": [{"clientConfig": {"url": f"https://u:{CANARY}@hook"}}]},
        {"message": f"failed: --password={CANARY}"},
        {"note": f"Authorization: Bearer {CANARY}"},
    ],
)
def test_nested_secrets_go(fields: dict[str, Any]) -> None:
    assert CANARY not in json.dumps(scrubbed(r.PODS, **fields))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kubectl.kubernetes.io/last-applied-configuration", f'{{"spec":{{"x":"{CANARY}"}}}}'),
        ("objectset.example.io/applied", f'{{"kind":"Secret","data":{{"x":"{CANARY}"}}}}'),
        ("acme.org/api-token", CANARY),
        ("note", f"Bearer {CANARY}"),
    ],
)
def test_annotations(key: str, value: str) -> None:
    item: dict[str, Any] = {"metadata": {"name": "x", "annotations": {key: value, "other": "stays"}}}
    scrub.objects(listing(r.PODS), [item])
    annotations = item["metadata"]["annotations"]
    assert CANARY not in annotations[key]
    assert annotations["other"] == "stays"


def test_of_a_secret_only_type_keys_and_sizes_stay() -> None:
    data = base64.b64encode(CANARY.encode()).decode()
    item = scrubbed(r.SECRETS, type="Opaque", data={"k": data}, stringData={"s": CANARY})
    assert item["data"] == {"k": "<scrubbed 16 bytes>"}
    assert item["stringData"] == {"s": "<scrubbed 16 bytes>"}
    assert item["type"] == "Opaque"


def test_a_bootstrap_token_keeps_when_and_for_what() -> None:
    data = {key: base64.b64encode(key.encode()).decode() for key in ("expiration", "usage-bootstrap-signing")}
    item = scrubbed(r.SECRETS, type="bootstrap.kubernetes.io/token", data={**data, "token-secret": "MTIz"})
    assert item["data"] == {**data, "token-secret": "<scrubbed 3 bytes>"}
    assert scrubbed(r.SECRETS, type="Opaque", data=data)["data"]["expiration"] == "<scrubbed 10 bytes>"


def test_of_configmaps_only_those_of_the_architecture_stay() -> None:
    kubeadm: dict[str, Any] = {"metadata": {"name": "kubeadm-config", "namespace": "kube-system"}}
    kubeadm["data"] = {"ClusterConfiguration": "podSubnet: 10.244.0.0/16", "other": "x"}
    scrub.objects(listing(r.CONFIGMAPS), [kubeadm])
    assert kubeadm["data"] == {"ClusterConfiguration": "podSubnet: 10.244.0.0/16", "other": "<scrubbed 1 bytes>"}
    own = scrubbed(r.CONFIGMAPS, data={"ClusterConfiguration": CANARY}, binaryData={"b": "AAEC"})
    assert own["data"] == {"ClusterConfiguration": "<scrubbed 16 bytes>"}
    assert own["binaryData"] == {"b": "<scrubbed 3 bytes>"}


def test_single_objects_are_scrubbed_too() -> None:
    answer = Reading(getting(r.SECRETS, "x"), Outcome.OK, body={"metadata": {}, "data": {"k": CANARY}})
    assert CANARY not in json.dumps(scrub.reading(answer).body)


def test_managed_fields_keep_names_only() -> None:
    item: dict[str, Any] = {
        "metadata": {"managedFields": [{"fieldsV1": {"f:metadata": {f'v:"{CANARY}"': {}, "f:labels": {}}}}]}
    }
    scrub.objects(listing(r.PODS, keep_managed_fields=True), [item])
    text = json.dumps(item)
    assert CANARY not in text
    assert "f:labels" in text


def test_what_is_needed_stays() -> None:
    fields: dict[str, Any] = {
        "spec": {
            "containers": [{"args": ["--authorization-mode=Node,RBAC"], "env": [{"name": "A", "valueFrom": {"x": 1}}]}],
            "imagePullSecrets": [{"name": "pull"}],
            "volumes": [{"secret": {"secretName": "tls"}}, {"azureDisk": {"secret": "name-of-secret"}}],
            "automountServiceAccountToken": True,
            "tolerations": [{"key": "token", "value": "x"}],
        },
        "status": {"conditions": [{"message": "0/3 nodes are available: authorization failed"}]},
    }
    assert {key: scrubbed(r.PODS, **fields)[key] for key in fields} == fields


def test_what_was_taken_out_is_counted_by_place() -> None:
    pod = scrubbed(r.PODS, **container(env=[{"name": "A", "value": "x"}, {"name": "B", "value": "y"}]))
    secret = scrubbed(r.SECRETS, data={"a": "eA==", "b": "eA=="})
    snapshot = Snapshot(
        datetime.now(UTC),
        readings={
            "a": Reading(listing(r.PODS), Outcome.OK, body=[pod]),
            "b": Reading(listing(r.PODS, "shop"), Outcome.OK, body=[pod]),  # the same object counts once
            "c": Reading(listing(r.SECRETS), Outcome.OK, body=[secret]),
        },
    )
    held = contents(snapshot)
    assert held.redacted == {"env": (2, 1), "secrets": (2, 1)}
    assert held.objects == {"Pod": 1, "Secret": 1}
