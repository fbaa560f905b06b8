"""Keys in etcd, and envelopes of values."""

from __future__ import annotations

import base64
import json

import pytest

from kcompanion.model import resources as r
from kcompanion.model.resources import Resource
from kcompanion.trace.etcdkey import Envelope, envelope, is_computed, key_of, parts_of
from kcompanion.trace.stored import answer_of

CRD = Resource("stable.example.com", "v1", "crontabs", "CronTab")


@pytest.mark.parametrize(
    ("resource", "namespace", "key"),
    [
        (r.PODS, "shop", "/registry/pods/shop/x"),
        (r.NODES, "", "/registry/minions/x"),
        (r.SERVICES, "shop", "/registry/services/specs/shop/x"),
        (Resource("", "v1", "endpoints", "Endpoints"), "shop", "/registry/services/endpoints/shop/x"),
        (r.REPLICATIONCONTROLLERS, "shop", "/registry/controllers/shop/x"),
        (r.INGRESSES, "shop", "/registry/ingress/shop/x"),
        (r.INGRESSCLASSES, "", "/registry/ingressclasses/x"),
        (r.DEPLOYMENTS, "shop", "/registry/deployments/shop/x"),
        (r.LEASES, "shop", "/registry/leases/shop/x"),
        (Resource("events.k8s.io", "v1", "events", "Event"), "shop", "/registry/events/shop/x"),
        (r.CLUSTERROLEBINDINGS, "", "/registry/clusterrolebindings/x"),
        (r.APISERVICES, "", "/registry/apiregistration.k8s.io/apiservices/x"),
        (r.CRDS, "", "/registry/apiextensions.k8s.io/customresourcedefinitions/x"),
        (CRD, "shop", "/registry/stable.example.com/crontabs/shop/x"),
        (r.COMPANIONREPLICASETS, "shop", "/registry/kcompanion.dev/companionreplicasets/shop/x"),
    ],
)
def test_keys_are_where_the_api_server_puts_them(resource: Resource, namespace: str, key: str) -> None:
    assert key_of(resource, "x", namespace) == key
    assert "/".join(part.text for part in parts_of(resource, "x", namespace)) == key


def test_the_prefix_is_the_flags() -> None:
    assert key_of(r.PODS, "x", "shop", "kubernetes.io") == "/kubernetes.io/pods/shop/x"
    assert parts_of(r.PODS, "x", "shop", "/other")[0].told.id == "key.part.prefix_flag"


def test_reviews_are_not_stored() -> None:
    assert is_computed(r.ACCESS_REVIEW)
    assert is_computed(Resource("", "v1", "componentstatuses", "ComponentStatus", False))
    assert not is_computed(r.PODS)


PROTOBUF = b"k8s\x00\n\x0d\n\x02v1\x12\x07Service\x12\x05hello"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (PROTOBUF, Envelope("protobuf", "v1", "Service")),
        (b'{"apiVersion":"a.b/v1","kind":"CronTab","spec":{}}', Envelope("json", "a.b/v1", "CronTab")),
        (b"k8s:enc:aescbc:v1:key1:\x00\x01", Envelope("encrypted", provider="aescbc v1, key1")),
        (b"k8s:enc:kms:v2:", Envelope("encrypted", provider="kms v2")),
        (b"\xd9\xd9\xf7\xa1", Envelope("cbor")),
        (b"", Envelope("unknown")),
        (b"k8s\x00", Envelope("protobuf")),
        (b"k8s\x00\n\x7f\n", Envelope("protobuf")),
        (b"{", Envelope("json")),
        (b'{"kind": 3}', Envelope("json")),
    ],
)
def test_envelopes(value: bytes, found: Envelope) -> None:
    assert envelope(value) == found


def answer(value: bytes) -> bytes:
    kv = {"create_revision": 3, "mod_revision": 9, "version": 2, "value": base64.b64encode(value).decode()}
    return json.dumps({"header": {"revision": 12}, "kvs": [kv], "count": 1}).encode()


def test_an_answer_is_read_without_its_value() -> None:
    stored = answer_of(answer(PROTOBUF))
    assert stored is not None
    assert (stored.size, stored.created, stored.modified, stored.writes, stored.revision) == (
        len(PROTOBUF),
        3,
        9,
        2,
        12,
    )
    assert "hello" not in json.dumps(stored.to_json())
    assert "hello" not in repr(stored)


def test_no_key_is_none_and_anything_else_an_error() -> None:
    assert answer_of(b'{"header": {"revision": 1}}') is None
    for odd in (b"", b"[]", b"{}", b'{"header": {}, "kvs": [{"value": "%%"}]}'):
        with pytest.raises(ValueError, match=r".*"):
            answer_of(odd)
