"""The key under which the API server keeps an object in etcd, and what the first bytes of a value tell.

Built-in resources lie under their plural without their group, with a few names of Kubernetes' first years
(SpecialDefaultResourcePrefixes in pkg/kubeapiserver/default_storage_factory_builder.go, 1.36). Custom resources,
CustomResourceDefinitions and APIServices lie under group and plural.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcompanion.model.fields import text_at
from kcompanion.model.message import Message, say
from kcompanion.model.resources import Resource

PREFIX = "/registry"  # --etcd-prefix of kube-apiserver, unless it is given
_SPECIAL = {
    ("", "replicationcontrollers"): "controllers",
    ("", "endpoints"): "services/endpoints",
    ("", "nodes"): "minions",
    ("", "services"): "services/specs",
    ("networking.k8s.io", "ingresses"): "ingress",
}
# Groups that kube-apiserver itself stores without their name.
BUILT_IN = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
_COMPUTED_GROUPS = frozenset({"authentication.k8s.io", "authorization.k8s.io"})
_COMPUTED = frozenset({"componentstatuses", "bindings"})


@dataclass(frozen=True)
class Part:
    """One piece of a key and what it means."""

    text: str
    told: Message


def is_computed(resource: Resource) -> bool:
    """Whether the API server answers it without storing anything (reviews, component statuses)."""
    return resource.group in _COMPUTED_GROUPS or (not resource.group and resource.plural in _COMPUTED)


def parts_of(resource: Resource, name: str, namespace: str = "", prefix: str = PREFIX) -> tuple[Part, ...]:
    """The pieces of the key, each without slashes but the prefix; joined by slashes they are the key."""
    pieces = [Part("/" + prefix.strip("/"), say("key.part.prefix" if prefix == PREFIX else "key.part.prefix_flag"))]
    special = _SPECIAL.get((resource.group, resource.plural))
    if special is not None:
        pieces.append(Part(special, say("key.part.special", plural=resource.plural)))
    elif resource.group in BUILT_IN:
        pieces.append(Part(resource.plural, _built_in(resource)))
    else:
        pieces.append(Part(resource.group, say("key.part.group")))
        pieces.append(Part(resource.plural, say("key.part.plural", kind=resource.kind)))
    if resource.namespaced:
        pieces.append(Part(namespace, say("key.part.namespace")))
    pieces.append(Part(name, say("key.part.name" if resource.namespaced else "key.part.name_cluster")))
    return tuple(pieces)


def key_of(resource: Resource, name: str, namespace: str = "", prefix: str = PREFIX) -> str:
    """`/registry/pods/shop/web-1`."""
    return "/".join(part.text for part in parts_of(resource, name, namespace, prefix))


def _built_in(resource: Resource) -> Message:
    if resource.group:
        return say("key.part.plural_without_group", kind=resource.kind, group=resource.group)
    return say("key.part.plural", kind=resource.kind)


# ------------------------------------------------------------------------------------------ values

_PROTOBUF = b"k8s\x00"
_ENCRYPTED = b"k8s:enc:"
_CBOR = b"\xd9\xd9\xf7"  # the tag "this is CBOR", RFC 8949 3.4.6


@dataclass(frozen=True)
class Envelope:
    """What stands around a stored object. The object itself is never looked at."""

    encoding: str  # protobuf, json, cbor, encrypted, unknown
    api_version: str = ""
    kind: str = ""
    provider: str = ""  # how it is encrypted: "aescbc v1, key key1"

    def to_json(self) -> dict[str, Any]:
        return {
            "encoding": self.encoding,
            "apiVersion": self.api_version or None,
            "kind": self.kind or None,
            "encryption": self.provider or None,
        }


def envelope(value: bytes) -> Envelope:
    """The encoding of a value, and the type that its envelope names."""
    if value.startswith(_ENCRYPTED):
        # k8s:enc:<provider>:<version>:<key name>:<cipher text>; kms v2 keeps its key's id inside
        words = value[len(_ENCRYPTED) : 200].split(b":")[:3]
        scheme, version, key = ([w.decode("ascii", "replace")[:64] for w in words] + ["", "", ""])[:3]
        return Envelope("encrypted", provider=f"{scheme} {version}" + (f", {key}" if key.isprintable() and key else ""))
    if value.startswith(_PROTOBUF):
        return Envelope("protobuf", *_type_of_protobuf(value[len(_PROTOBUF) :]))
    if value.startswith(_CBOR):
        return Envelope("cbor")
    if value[:1] == b"{":
        return Envelope("json", *_type_of_json(value))
    return Envelope("unknown")


def _type_of_protobuf(body: bytes) -> tuple[str, str]:
    """Both of a runtime.Unknown, whose first field is its TypeMeta (apimachinery, generated.proto)."""
    if body[:1] != b"\x0a" or len(body) < 2 or body[1] > 0x7F:
        return "", ""
    meta, found, at = body[2 : 2 + body[1]], {1: "", 2: ""}, 0
    while at + 1 < len(meta):
        number, length = meta[at] >> 3, meta[at + 1]
        if number in found and meta[at] & 7 == 2:
            found[number] = meta[at + 2 : at + 2 + length].decode("utf-8", "replace")
        at += 2 + length
    return found[1], found[2]


def _type_of_json(value: bytes) -> tuple[str, str]:
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(document, Mapping):
        return "", ""
    return text_at(document, "apiVersion"), text_at(document, "kind")
