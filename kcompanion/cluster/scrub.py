"""Takes out of every answer what must never be shown or written down, before anything else sees it.

What is taken: values of Secrets, ConfigMap values outside KEPT_CONFIGMAPS, env values, tokens and passwords in
arguments, messages and annotations, probe headers, the values inside managedFields. What stays says what was there:
`<scrubbed 12 bytes>`. The canary test plants a secret in each of these places and greps the recording's raw bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kcompanion.cluster import secrets
from kcompanion.cluster.secrets import text
from kcompanion.learn.mark import LESSON
from kcompanion.model.ask import Ask, Reading, Verb, is_log
from kcompanion.model.fields import labels_of, maps_at, name_of, namespace_of

# (namespace, name): the ConfigMaps whose values are about the cluster's architecture. "*" is any namespace.
KEPT_CONFIGMAPS: dict[tuple[str, str], tuple[str, ...]] = {
    ("kube-system", "kubeadm-config"): ("ClusterConfiguration",),
    ("kube-system", "kubelet-config"): ("kubelet",),
    ("kube-system", "kube-proxy"): ("config.conf",),
    ("kube-system", "kube-proxy-config"): ("config",),  # EKS's
    ("kube-system", "coredns"): ("Corefile",),
    ("kube-system", "extension-apiserver-authentication"): (
        "client-ca-file",
        "requestheader-client-ca-file",
    ),
    ("kube-public", "cluster-info"): ("kubeconfig",),
    ("*", "kube-root-ca.crt"): ("ca.crt",),
}
# Of a Secret only bootstrap tokens keep values, and only these (docs: expiry and usage are not secret).
_KEPT_SECRET_KEYS = ("expiration", "usage-")
# Fields whose values are names of Secrets or keys, by the API's own definition.
_NAMES_OF_SECRETS = frozenset({"secret", "adminSecret", "userSecret", "nodeStageSecret"})
_OBJECT_INSIDE = re.compile(r'"(?:spec|data|stringData|template|containers)"\s*:')
_BOOTSTRAP = "bootstrap.kubernetes.io/token"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# Fields of text in which people and programs leave secrets; the other strings of an object are names and settings.
_TEXT_FIELDS = frozenset({"message", "note", "url", "path", "value", "script"})
_LISTS_OF_WORDS = frozenset({"args", "command", "mountOptions"})
_NAMED_VALUES = frozenset({"env", "httpHeaders"})  # of `name` and `value`


def reading(answer: Reading) -> Reading:
    """A GET's object scrubbed in place, and a log's lines; lists are scrubbed page by page, probes hold no secrets."""
    if answer.ask.verb is Verb.GET and isinstance(answer.body, dict):
        objects(answer.ask, [answer.body])
    if is_log(answer.ask) and isinstance(answer.body, str):
        return replace(answer, body="\n".join(text(line) for line in answer.body.splitlines()))
    return answer


def objects(ask: Ask, items: Iterable[Any]) -> list[Any]:
    """Scrubs objects in place and returns them; entries that are no objects are dropped."""
    kind = ask.resource.kind if ask.resource else ""
    found = [item for item in items if isinstance(item, dict)]
    for item in found:
        _scrub_object(item, kind, keep_managed=ask.keep_managed_fields)
    return found


def document(body: Any, *, keep_managed: bool = False) -> Any:  # noqa: ANN401 - JSON
    """An answer or a request of whatever kind, scrubbed in place: an object, or a list of objects."""
    if not isinstance(body, dict):
        return body
    kind = str(body.get("kind") or "")
    items = body.get("items")
    found = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else [body]
    for item in found:
        made = LESSON in labels_of(item)  # a lesson's own ConfigMap holds what the lesson put there
        _scrub_object(
            item,
            str(item.get("kind") or kind.removesuffix("List")),
            keep_managed=keep_managed,
            keep_data=made,
        )
    return body


def _scrub_object(item: dict[str, Any], kind: str, *, keep_managed: bool, keep_data: bool = False) -> None:
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        _scrub_metadata(metadata, keep_managed=keep_managed)
    if kind == "Secret":
        _scrub_secret(item)
    elif kind == "ConfigMap":
        if not keep_data:
            _scrub_configmap(item)
    elif kind == "CertificateSigningRequest":
        _blank(item.get("spec"), ("request", "extra"))
    else:
        _walk({key: value for key, value in item.items() if key != "metadata"}, item)


def _scrub_metadata(metadata: dict[str, Any], *, keep_managed: bool) -> None:
    _scrub_annotations(metadata.get("annotations"))
    if not keep_managed:
        metadata.pop("managedFields", None)
        return
    for entry in maps_at(metadata, "managedFields"):
        fields = entry.get("fieldsV1")
        if isinstance(entry, dict) and fields is not None:
            entry["fieldsV1"] = _field_names(fields) if isinstance(fields, dict) else {}


def _scrub_annotations(annotations: object) -> None:
    if isinstance(annotations, dict):
        for key, value in annotations.items():
            if isinstance(value, str):
                annotations[key] = _annotation(key, value)


def _annotation(key: str, value: str) -> str:
    """An annotation's value; whole objects kept in one (last-applied and its like) go, only their size stays."""
    if key == _LAST_APPLIED or (value.startswith("{") and _OBJECT_INSIDE.search(value)):
        return _size(value)
    # `…/auth-secret` names a Secret, `…/api-token` is one
    if secrets.is_secret_key(key) and not key.endswith(("secret", "secrets", "credentials")):
        return _size(value)
    return text(value)


_NO_FIELDS: dict[str, Any] = {}


def _field_names(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields' names without list values (`v:…`), which repeat what the object holds.

    Most are empty mappings; all share one, or the names would take as much memory as the objects.
    """
    return {
        ("v:<scrubbed>" if key.startswith("v:") else key): (
            _field_names(value) if value and isinstance(value, dict) else _NO_FIELDS
        )
        for key, value in fields.items()
    }


def _scrub_secret(item: dict[str, Any]) -> None:
    bootstrap = item.get("type") == _BOOTSTRAP
    for part in ("data", "stringData"):
        data = item.get(part)
        if isinstance(data, dict):
            for key, value in data.items():
                if not (bootstrap and key.startswith(_KEPT_SECRET_KEYS)):
                    data[key] = _size(value, encoded=part == "data")


def _scrub_configmap(item: dict[str, Any]) -> None:
    place = namespace_of(item), name_of(item)
    kept = KEPT_CONFIGMAPS.get(place) or KEPT_CONFIGMAPS.get(("*", place[1]), ())
    for part in ("data", "binaryData"):
        data = item.get(part)
        if isinstance(data, dict):
            for key, value in data.items():
                known = part == "data" and key in kept and isinstance(value, str)
                data[key] = text(value) if known else _size(value, encoded=part == "binaryData")


def _size(value: object, *, encoded: bool = False) -> str:
    length = len(value.encode(errors="replace")) if isinstance(value, str) else 0
    if encoded and isinstance(value, str):
        length = len(value) * 3 // 4 - value.count("=", -2)
    return f"<scrubbed {length} bytes>"


def _blank(part: object, keys: tuple[str, ...]) -> None:
    if isinstance(part, dict):
        for key in keys:
            if key in part:
                part[key] = _size(part[key])


def _walk(node: Mapping[str, Any], target: dict[str, Any]) -> None:
    """Scrubs what is nested anywhere (pod templates, probes, conditions, volume attributes), into `target`."""
    for key, value in node.items():
        if isinstance(value, str):
            if key in _TEXT_FIELDS:
                target[key] = text(value)
            elif secrets.is_secret_key(key) and key not in _NAMES_OF_SECRETS:
                target[key] = _size(value)
        elif isinstance(value, dict):
            if key == "annotations":  # of a pod template
                _scrub_annotations(value)
            _walk(value, value)
        elif isinstance(value, list):
            if key in _NAMED_VALUES:
                _scrub_named_values(value)
            if key in _LISTS_OF_WORDS:
                target[key] = secrets.arguments(value)
            else:
                _walk_list(value)


def _walk_list(entries: list[Any]) -> None:
    for entry in entries:
        if isinstance(entry, dict):
            _walk(entry, entry)
        elif isinstance(entry, list):
            _walk_list(entry)


def _scrub_named_values(entries: list[Any]) -> None:
    for entry in entries:
        if isinstance(entry, dict) and entry.get("value") not in (None, ""):
            entry["value"] = _size(entry["value"])
