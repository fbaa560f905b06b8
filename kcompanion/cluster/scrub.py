"""Takes out of every answer what must never be shown or written down, before anything else sees it.

What is taken: values of Secrets, ConfigMap values outside KEPT_CONFIGMAPS, env values, tokens and passwords in
arguments, messages and annotations, probe headers, the values inside managedFields. What stays says what was there:
`<scrubbed 12 bytes>`. The canary test plants a secret in each of these places and greps the recording's raw bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kcompanion.model.ask import Ask, Reading, Verb

# (namespace, name): the ConfigMaps whose values are about the cluster's architecture. "*" is any namespace.
KEPT_CONFIGMAPS: dict[tuple[str, str], tuple[str, ...]] = {
    ("kube-system", "kubeadm-config"): ("ClusterConfiguration",),
    ("kube-system", "kubelet-config"): ("kubelet",),
    ("kube-system", "kube-proxy"): ("config.conf",),
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
_BOOTSTRAP = "bootstrap.kubernetes.io/token"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_SECRET_WORD = r"(?:token|password|passwd|secret|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|auth)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # --token=abc, --db-password abc, TOKEN=abc, "password": "abc"
    (
        re.compile(
            rf"(?i)((?:--?|\b)[\w.-]*{_SECRET_WORD}[\w.-]*\"?\s*(?:=|:\s*|\s+(?=[^\s-]))\"?)(?!/)([^\s\"',;&]+)"
        ),
        r"\1<scrubbed>",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 <scrubbed>"),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{5,}(?:\.[\w-]*)?"), "<scrubbed>"),  # a JWT
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s:@]+:[^/\s@]+@"), r"\1<scrubbed>@"),  # user:password@host
)
_SECRET_FLAG = re.compile(rf"(?i)^--?[\w.-]*{_SECRET_WORD}[\w.-]*$")


def text(value: str) -> str:
    """A message or argument without tokens, passwords and credentials in URLs."""
    for pattern, replacement in _PATTERNS:
        value = pattern.sub(replacement, value)
    return value


def reading(answer: Reading) -> Reading:
    """A GET's object scrubbed in place (lists are scrubbed page by page, texts of probes hold no secrets)."""
    if answer.ask.verb is Verb.GET and isinstance(answer.body, dict):
        objects(answer.ask, [answer.body])
    return answer


def objects(ask: Ask, items: Iterable[Any]) -> list[Any]:
    """Scrubs objects in place and returns them; entries that are no objects are dropped."""
    kind = ask.resource.kind if ask.resource else ""
    found = [item for item in items if isinstance(item, dict)]
    for item in found:
        _scrub_object(item, kind, keep_managed=ask.keep_managed_fields)
    return found


def _scrub_object(item: dict[str, Any], kind: str, *, keep_managed: bool) -> None:
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        _scrub_metadata(metadata, keep_managed=keep_managed)
    if kind == "Secret":
        _scrub_secret(item)
    elif kind == "ConfigMap":
        _scrub_configmap(item)
    elif kind == "CertificateSigningRequest":
        _blank(item.get("spec"), ("request", "extra"))
    else:
        for part in ("spec", "status", "template", "webhooks"):
            _walk(item.get(part))
        for key in ("message", "note"):
            if isinstance(item.get(key), str):
                item[key] = text(item[key])


def _scrub_metadata(metadata: dict[str, Any], *, keep_managed: bool) -> None:
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        for key, value in annotations.items():
            if isinstance(value, str):
                annotations[key] = _size(value) if key == _LAST_APPLIED else text(value)
    if not keep_managed:
        metadata.pop("managedFields", None)
        return
    for entry in metadata.get("managedFields") or []:
        if isinstance(entry, dict) and isinstance(entry.get("fieldsV1"), dict):
            entry["fieldsV1"] = _field_names(entry["fieldsV1"])


def _field_names(fields: dict[str, Any]) -> dict[str, Any]:
    """managedFields without list values (`v:…`), which repeat what the object holds."""
    return {
        ("v:<scrubbed>" if key.startswith("v:") else key): (
            _field_names(value) if isinstance(value, dict) else value
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
    metadata = item.get("metadata") or {}
    name = metadata.get("name", "")
    kept = KEPT_CONFIGMAPS.get((metadata.get("namespace", ""), name)) or KEPT_CONFIGMAPS.get(
        ("*", name), ()
    )
    for part in ("data", "binaryData"):
        data = item.get(part)
        if isinstance(data, dict):
            for key, value in data.items():
                data[key] = text(value) if key in kept and isinstance(value, str) else _size(value)


def _size(value: object, *, encoded: bool = False) -> str:
    length = len(value.encode()) if isinstance(value, str) else 0
    if encoded and isinstance(value, str):
        length = len(value) * 3 // 4 - value.count("=", -2)
    return f"<scrubbed {length} bytes>"


def _blank(part: object, keys: tuple[str, ...]) -> None:
    if isinstance(part, dict):
        for key in keys:
            if key in part:
                part[key] = _size(part[key])


def _walk(node: object) -> None:
    """Scrubs pod specs wherever they are nested (templates of every depth, custom resources too)."""
    if isinstance(node, list):
        for entry in node:
            _walk(entry)
        return
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "env" and isinstance(value, list):
            _scrub_named_values(value)
        elif key == "httpHeaders" and isinstance(value, list):
            _scrub_named_values(value)
        elif key in ("args", "command") and isinstance(value, list):
            node[key] = _arguments(value)
        elif key in ("message", "url", "lastState") and isinstance(value, str):
            node[key] = text(value)
        elif isinstance(value, dict | list):
            _walk(value)


def _scrub_named_values(entries: list[Any]) -> None:
    for entry in entries:
        if isinstance(entry, dict) and "value" in entry:
            entry["value"] = _size(entry["value"])


def _arguments(words: list[Any]) -> list[Any]:
    """Arguments without secrets, also where flag and value are two words."""
    cleaned: list[Any] = []
    secret_next = False
    for word in words:
        if not isinstance(word, str):
            cleaned.append(word)
            continue
        is_value = secret_next and not word.startswith("-")
        cleaned.append("<scrubbed>" if is_value else _argument(word))
        secret_next = bool(_SECRET_FLAG.match(word))
    return cleaned


# Flags of the control plane whose names sound secret and whose values are paths or settings one needs to see.
_HARMLESS = re.compile(
    r"^--(?:authentication|authorization|service-account|enable-bootstrap-token-auth|"
    r"client-ca|requestheader|kubelet-client|etcd-|tls-|anonymous-auth|node-status|"
    r"leader-elect|token-auth-file|proxy-client|use-service-account-credentials|peer-|"
    r"client-cert-auth|trusted-ca|root-ca|cluster-signing|kubeconfig|cert-file|key-file)[\w-]*(?:=|$)"
)


def _argument(word: str) -> str:
    return word if _HARMLESS.match(word) else text(word)
